/**
 * How users and keys can fail. A database that is away is `IdentityUnavailable`, never a refusal: nobody is told that a
 * key is wrong because it could not be looked up.
 */
import { Schema } from "effect"

/** Not an e-mail address as the HTML standard's `input type=email` defines it, in ASCII, of at most 254 characters. */
export class InvalidEmail extends Schema.TaggedError<InvalidEmail>()("InvalidEmail", { email: Schema.String }) {
  override get message(): string {
    return `"${this.email}" is not an e-mail address`
  }
}

export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", { email: Schema.String }) {
  override get message(): string {
    return `there is already a user ${this.email}`
  }
}

export class UserNotFound extends Schema.TaggedError<UserNotFound>()("UserNotFound", { userId: Schema.BigInt }) {
  override get message(): string {
    return `there is no user ${this.userId}`
  }
}

export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { keyId: Schema.BigInt }) {
  override get message(): string {
    return `there is no key ${this.keyId}`
  }
}

/** Unknown, revoked, expired, or of a disabled user. Says no more, and never the key. */
export class InvalidApiKey extends Schema.TaggedError<InvalidApiKey>()("InvalidApiKey", {}) {}

/** The database could not answer. */
export class IdentityUnavailable extends Schema.TaggedError<IdentityUnavailable>()("IdentityUnavailable", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** Any failure of the database as {@link IdentityUnavailable}. */
export const identityUnavailable = (error: { readonly message: string }): IdentityUnavailable =>
  new IdentityUnavailable({ reason: error.message })
