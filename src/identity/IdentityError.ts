/**
 * How users, their logins and their keys can fail. None of these carries a password, a token or a key. A database that is away is
 * `DatabaseUnavailable`, never a refusal: nobody is told that a key is wrong because it could not be looked up.
 */
import { Schema } from "effect"
import { ApiKeyId, UserId } from "../domain/Ids.ts"

/** Not an e-mail address as the HTML standard's `input type=email` defines it, in ASCII, of at most 254 characters. */
export class InvalidEmail extends Schema.TaggedError<InvalidEmail>()("InvalidEmail", { email: Schema.String }) {
  override readonly message = `"${this.email}" is not an e-mail address`
}

export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", { email: Schema.String }) {
  override readonly message = `there is already a user ${this.email}`
}

export class UserNotFound extends Schema.TaggedError<UserNotFound>()("UserNotFound", { userId: UserId }) {
  override readonly message = `there is no user ${this.userId}`
}

export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { keyId: ApiKeyId }) {
  override readonly message = `there is no key ${this.keyId}`
}

/** Unknown, revoked, expired, or of a disabled user, of which no more is said; or paused. Never says the key. */
export class InvalidApiKey extends Schema.TaggedError<InvalidApiKey>()("InvalidApiKey", {
  reason: Schema.Literals(["unknown", "paused"])
}) {}

/** Text for people, by what is wrong with a password. */
const passwordMessages = {
  short: "the password is too short: it takes at least 8 characters",
  long: "the password is too long: it takes at most 256 characters"
} as const

/** A new password is not of 8 to 256 characters. */
export class PasswordRefused extends Schema.TaggedError<PasswordRefused>()("PasswordRefused", {
  reason: Schema.Literals(["short", "long"])
}) {
  override readonly message = passwordMessages[this.reason]
}

/** Unknown e-mail address, wrong password, no password set, or disabled user: which of them is not told. */
export class LoginRefused extends Schema.TaggedError<LoginRefused>()("LoginRefused", {}) {
  override readonly message = "the e-mail address or the password is wrong"
}

/** The current password given for a change is not the current one, or there is none. */
export class WrongPassword extends Schema.TaggedError<WrongPassword>()("WrongPassword", {}) {
  override readonly message = "the current password is wrong"
}

/** The code is not right, or was used before; which of them is not told. */
export class SecondFactorWrong extends Schema.TaggedError<SecondFactorWrong>()("SecondFactorWrong", {}) {
  override readonly message = "the code is wrong, or was used before"
}

/** The password was right too long ago, or the login was ended meanwhile: it begins again. */
export class PendingLoginOver extends Schema.TaggedError<PendingLoginOver>()("PendingLoginOver", {}) {
  override readonly message = "the login took too long: begin again"
}

/** The form in which an app is set up is not one that this user was shown. */
export class EnrolmentInvalid extends Schema.TaggedError<EnrolmentInvalid>()("EnrolmentInvalid", {}) {
  override readonly message = "the form is not valid any more: open the page again"
}

/** The app that is being set up shows another code. */
export class AppCodeWrong extends Schema.TaggedError<AppCodeWrong>()("AppCodeWrong", {}) {
  override readonly message = "the code of the app that is set up is wrong"
}

/** The user has an app already. */
export class SecondFactorExists extends Schema.TaggedError<SecondFactorExists>()("SecondFactorExists", {}) {
  override readonly message = "there is an app already"
}

/** The user has no second factor. */
export class SecondFactorMissing extends Schema.TaggedError<SecondFactorMissing>()("SecondFactorMissing", {}) {
  override readonly message = "the user has no second factor"
}

/** A limit on attempts is reached; the next one is taken after `retryAfterSeconds`, at least 1. */
export class TooManyAttempts extends Schema.TaggedError<TooManyAttempts>()("TooManyAttempts", {
  retryAfterSeconds: Schema.Int
}) {
  override readonly message = `too many attempts: try again in ${this.retryAfterSeconds} seconds`
}

/** `registration.mode` is `closed`. */
export class RegistrationClosed extends Schema.TaggedError<RegistrationClosed>()("RegistrationClosed", {}) {
  override readonly message = "registration is closed"
}

/** `registration.mode` is `invite`, and there is no invitation. */
export class InviteNeeded extends Schema.TaggedError<InviteNeeded>()("InviteNeeded", {}) {
  override readonly message = "registration is by invitation"
}

/** The invitation is unknown, used up, expired, revoked, or for another address: which of them is not told. */
export class InviteInvalid extends Schema.TaggedError<InviteInvalid>()("InviteInvalid", {}) {
  override readonly message = "the invitation is not valid, or is for another address"
}

/** `registration.email_domains` has not the domain of the address. */
export class EmailDomainRefused extends Schema.TaggedError<EmailDomainRefused>()("EmailDomainRefused", {
  domains: Schema.Array(Schema.String)
}) {
  override readonly message = `only addresses of these domains register: ${this.domains.join(", ")}`
}

/** A user has made as many keys within an hour as `security.keys_per_hour` allows. */
export class TooManyNewKeys extends Schema.TaggedError<TooManyNewKeys>()("TooManyNewKeys", {
  perHour: Schema.Int
}) {
  override readonly message = `${this.perHour} keys were made within the last hour: make another one later`
}

/** Unknown, used, expired, or void because there is an administrator. */
export class SetupLinkInvalid extends Schema.TaggedError<SetupLinkInvalid>()("SetupLinkInvalid", {}) {
  override readonly message = "the setup link is not valid or has expired"
}

/** Unknown, used, expired, replaced by a later one, or of a disabled user. */
export class PasswordLinkInvalid extends Schema.TaggedError<PasswordLinkInvalid>()("PasswordLinkInvalid", {}) {
  override readonly message = "the link for a new password is not valid or has expired"
}

/** A link that was mailed is unknown, used, expired, or for another account. */
export class MailLinkInvalid extends Schema.TaggedError<MailLinkInvalid>()("MailLinkInvalid", {}) {
  override readonly message = "the link is not valid or has expired"
}

/** A provider that signs people in is not set up, or does not answer as it should. */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()("ProviderUnavailable", {
  /** For the log. */
  reason: Schema.String
}) {
  override readonly message = this.reason
}

/** What came back from the provider is not the answer to what was asked, or says no. */
export class ProviderLoginFailed extends Schema.TaggedError<ProviderLoginFailed>()("ProviderLoginFailed", {}) {}

/** Nobody here has the identity, and the provider has verified no address for an account. */
export class NoVerifiedAddress extends Schema.TaggedError<NoVerifiedAddress>()("NoVerifiedAddress", {}) {}

/** Nobody here has the identity, and its address has an account: that account's user connects the two. */
export class AddressKnown extends Schema.TaggedError<AddressKnown>()("AddressKnown", {}) {}

/** The identity is one of a user's already. */
export class IdentityTaken extends Schema.TaggedError<IdentityTaken>()("IdentityTaken", {}) {}

export class IdentityNotFound extends Schema.TaggedError<IdentityNotFound>()("IdentityNotFound", {}) {}

/** The group does not exist, or is disabled: no user is given it. */
export class GroupNotOffered extends Schema.TaggedError<GroupNotOffered>()("GroupNotOffered", {
  code: Schema.String
}) {
  override readonly message = `there is no group ${this.code} that can be given`
}

/** The user is disabled, and the action is only for enabled ones. */
export class UserDisabled extends Schema.TaggedError<UserDisabled>()("UserDisabled", { userId: UserId }) {
  override readonly message = `user ${this.userId} is disabled`
}

/** Without this user nobody could administer this installation: it is the only administrator who is not disabled. */
export class LastRoot extends Schema.TaggedError<LastRoot>()("LastRoot", { userId: UserId }) {
  override readonly message = `user ${this.userId} is the last administrator`
}

/** Administrators neither disable nor demote themselves. */
export class OwnUser extends Schema.TaggedError<OwnUser>()("OwnUser", { userId: UserId }) {
  override readonly message = "you cannot do this to yourself: ask another administrator"
}

/** A user has as many live keys as one may have. */
export class TooManyKeys extends Schema.TaggedError<TooManyKeys>()("TooManyKeys", { keysMax: Schema.Int }) {
  override readonly message = `there are ${this.keysMax} keys already: revoke one first`
}

/** Text for people, by what is wrong with a key that is to be made. */
const keyMessages = {
  name: "the name of a key has at most 100 characters, in one line",
  expiry: "a key cannot expire in the past",
  spend_limit: "the spending limit of a key is an amount from 0 up",
  day_limit: "the spending limit of a key for a day is an amount from 0 up",
  month_limit: "the spending limit of a key for a month is an amount from 0 up",
  rates: "the limits of a key are whole numbers from 1 up",
  networks: "a key is for all networks or for 1 to 100 addresses and ranges such as 10.0.0.0/8",
  models: "a key is for all models or for 1 to 100 of them",
  revoked: "a revoked key cannot be changed: create another one"
} as const

/** A key cannot be as it was asked for; `reason` is the field that is wrong, or `revoked`: a revoked key is not changed. */
export class ApiKeyRefused extends Schema.TaggedError<ApiKeyRefused>()("ApiKeyRefused", {
  reason: Schema.Literals([
    "name",
    "expiry",
    "spend_limit",
    "day_limit",
    "month_limit",
    "rates",
    "networks",
    "models",
    "revoked"
  ])
}) {
  override readonly message = keyMessages[this.reason]
}

/** This process has all the passwords to check, or all the calls of a key, that it can take. Trying again later is safe. */
export class TooBusy extends Schema.TaggedError<TooBusy>()("TooBusy", {
  reason: Schema.String
}) {
  override readonly message = this.reason
}
