/**
 * Links by which a user sets a new password without the old one: made by an administrator, good once, for a day, and void
 * when a later one is made, the password changes or the user is disabled; or sent by mail to who asks, for an hour, which proves the
 * address as well. Only the hash of a token is stored.
 */
import { Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { publish } from "../platform/Notifications.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { revokeAdminKeys } from "./AdminKeys.ts"
import { PasswordLinkInvalid, type PasswordRefused, type TooBusy, UserDisabled, UserNotFound } from "./IdentityError.ts"
import { PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword } from "./Passwords.ts"
import { deleteSecondFactors } from "./SecondFactorStore.ts"
import { deleteSessions, makeToken, rememberNetwork, tokenHashOf } from "./SessionStore.ts"
import { writePasswordHash } from "./UserStore.ts"

/** A link is valid so long. */
export const PASSWORD_LINK_HOURS = 24

/** The token of a link. */
export type PasswordToken = Redacted.Redacted<string>

export interface PasswordLink {
  /** Told this once. */
  readonly token: PasswordToken
  readonly expiresAt: Date
}

const LockedUser = Row({ disabled: Schema.Boolean })

const WrittenLink = Row({ expiresAt: Schema.Date })

const LinkedUser = Row({
  id: UserId,
  email: Schema.String,
  mailedTo: Schema.NullOr(Schema.String),
  isVerified: Schema.Boolean
})

/** Ends everything else by which an account can be used: keys, other ways to sign in, second factors, and the webhook. */
const dropAccess = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, userId: UserId) {
  yield* sql`UPDATE api_keys SET revoked_at = now() WHERE user_id = ${userId} AND revoked_at IS NULL`
  yield* publish(sql, "keys", `user-${userId}`)
  yield* sql`DELETE FROM identities WHERE user_id = ${userId}`
  yield* sql`DELETE FROM passkeys WHERE user_id = ${userId}`
  yield* deleteSecondFactors(sql, userId)
  yield* sql`DELETE FROM webhook_endpoints WHERE user_id = ${userId}`
})

export class PasswordLinks extends Context.Service<PasswordLinks, {
  /** A new link for a user; earlier ones of this user are void. */
  issue(actor: Actor, userId: UserId): Effect.Effect<PasswordLink, UserNotFound | UserDisabled | DatabaseUnavailable>
  /** The e-mail address of whose password the link sets; none for a link that is not good at this moment. */
  find(token: PasswordToken): Effect.Effect<Option.Option<string>, DatabaseUnavailable>
  /** Sets the password, ends all sessions of the user, revokes their admin keys, and uses the link up: all of it or nothing. */
  redeem(
    token: PasswordToken,
    password: Redacted.Redacted<string>,
    address: string
  ): Effect.Effect<void, PasswordLinkInvalid | PasswordRefused | TooBusy | DatabaseUnavailable>
}>()("realms/identity/PasswordLinks") {
  static readonly layer = Layer.effect(PasswordLinks)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const passwords = yield* PasswordQueue

    const write = Effect.fnUntraced(function*(actor: Actor, userId: UserId) {
      const user = yield* rowOf(
        LockedUser,
        sql`SELECT disabled_at IS NOT NULL AS disabled FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
      )
      if (user === undefined) return yield* new UserNotFound({ userId })
      if (user.disabled) return yield* new UserDisabled({ userId })
      const { token, tokenHash } = makeToken()
      yield* sql`DELETE FROM password_links WHERE user_id = ${userId}`
      const { expiresAt } = yield* oneRowOf(
        WrittenLink,
        sql`INSERT INTO password_links (token_hash, user_id, expires_at)
      VALUES (${tokenHash}, ${userId}, now() + make_interval(hours => ${PASSWORD_LINK_HOURS}::integer))
      RETURNING expires_at`
      )
      yield* recordChange(sql, actor, {
        action: "password_link.created",
        target: `user:${userId}`,
        before: null,
        after: { expires_at: expiresAt.toISOString() }
      })
      return { token, expiresAt }
    })

    /** The user of a link that is good at this moment. */
    const userOf = (token: PasswordToken) =>
      rowOf(
        LinkedUser,
        sql`SELECT u.id, u.email, l.mailed_to, u.email_verified_at IS NOT NULL AS is_verified
        FROM password_links l JOIN users u ON u.id = l.user_id
        WHERE l.token_hash = ${tokenHashOf(token) ?? null}::bytea AND l.expires_at > now() AND u.disabled_at IS NULL
          AND (l.mailed_to IS NULL OR l.mailed_to = u.email)`
      )

    const issue = Effect.fn("PasswordLinks.issue")(function*(actor: Actor, userId: UserId) {
      return yield* inTransaction(sql, write(actor, userId)).pipe(orUnavailable)
    })

    const find = Effect.fn("PasswordLinks.find")(function*(token: PasswordToken) {
      const user = yield* orUnavailable(userOf(token))
      return Option.map(Option.fromUndefinedOr(user), ({ email }) => email)
    })

    const use = Effect.fnUntraced(
      function*({ address, passwordHash, token, userId }: {
        readonly token: PasswordToken
        readonly userId: UserId
        readonly passwordHash: string
        readonly address: string
      }) {
        // Users before their links, as everywhere, so that nobody waits in a circle.
        yield* sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
        const user = yield* userOf(token)
        if (user?.id !== userId) return yield* new PasswordLinkInvalid()
        const actor = { name: `user:${userId}`, userId, address }
        // Before all keys are revoked, so that each is on record.
        yield* revokeAdminKeys(sql, actor, userId)
        if (user.mailedTo === user.email) {
          // The maker of the account had not shown that the address is theirs; the owner of the mailbox has.
          if (!user.isVerified) yield* dropAccess(sql, userId)
          yield* sql`UPDATE users SET email_verified_at = coalesce(email_verified_at, now()) WHERE id = ${userId}`
        }
        yield* writePasswordHash(sql, userId, passwordHash)
        // Strangers who keep guessing do not keep the owner from the login that follows.
        yield* rememberNetwork(sql, userId, address)
        yield* noteAccountChange(sql, { userId, change: "password", address })
        yield* deleteSessions(sql, userId)
        yield* recordChange(sql, actor, {
          action: "password_link.used",
          target: `user:${userId}`,
          before: null,
          after: null
        })
      }
    )

    const redeem = Effect.fn("PasswordLinks.redeem")(function*(
      token: PasswordToken,
      password: Redacted.Redacted<string>,
      address: string
    ) {
      // Without a valid link no hash is computed.
      const user = yield* orUnavailable(userOf(token))
      if (user === undefined) return yield* new PasswordLinkInvalid()
      yield* checkNewPassword(password)
      const passwordHash = yield* passwords.hash(password)
      yield* inTransaction(sql, use({ token, userId: user.id, passwordHash, address })).pipe(orUnavailable)
    })

    return PasswordLinks.of({ issue, find, redeem })
  })).pipe(
    Layer.provide(PasswordQueue.layer)
  )
}

/** A mailed link is valid so long. */
export const MAILED_LINK_HOURS = 1

/** Mailed links of one user that are valid at once; a new one ends the oldest. */
const MAILED_LINKS_MAX = 3

/** A link that is sent to the user's address. It leaves those of administrators as they are: anybody may ask for it. */
export const insertMailedPasswordLink = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  email: string
): Effect.Effect<PasswordToken, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { token, tokenHash } = makeToken()
    yield* sql`DELETE FROM password_links WHERE token_hash IN (SELECT token_hash FROM password_links
      WHERE user_id = ${userId} AND mailed_to IS NOT NULL ORDER BY created_at DESC OFFSET ${MAILED_LINKS_MAX - 1})`
    yield* sql`INSERT INTO password_links (token_hash, user_id, mailed_to, expires_at)
      VALUES (${tokenHash}, ${userId}, ${email}, now() + make_interval(hours => ${MAILED_LINK_HOURS}::integer))`
    return token
  })
