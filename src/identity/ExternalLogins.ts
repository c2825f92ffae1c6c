/**
 * Signing in by an identity at a provider: an issuer and a subject, which belong to one user. An address of e-mail never makes an identity
 * somebody's: where there is an account with it, its user signs in with the password and connects the two. An account is made only for an
 * address that the provider has verified and nobody has, within the rules of registration. A second factor is asked for as ever.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { IdentityId, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import {
  AddressKnown,
  IdentityNotFound,
  IdentityTaken,
  LoginRefused,
  NoVerifiedAddress,
  ProviderLoginFailed,
  type TooManyAttempts
} from "./IdentityError.ts"
import type { LoginResult } from "./Login.ts"
import { takeChallenge } from "./PasskeyStore.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { type ProofError, type ProvenChange, Reauthentication } from "./Reauthentication.ts"
import { checkRegistration, type RegistrationRefused } from "./RegistrationRules.ts"
import { hasSecondFactor, insertPendingLogin } from "./SecondFactorStore.ts"
import { hasSession, insertSession, keepSession, type SessionClient, type SessionToken } from "./SessionStore.ts"
import type { ExternalIdentity } from "./SignInProviders.ts"
import { insertUser } from "./UserStore.ts"

/** An identity as its user may see it. */
export const ConnectedIdentity = Row({
  id: IdentityId,
  issuer: Schema.String,
  createdAt: Schema.Date,
  lastUsedAt: Schema.NullOr(Schema.Date)
})
export interface ConnectedIdentity extends Schema.Schema.Type<typeof ConnectedIdentity> {}

const Owner = Row({ userId: UserId, disabled: Schema.Boolean })

type LoginError =
  | LoginRefused
  | ProviderLoginFailed
  | NoVerifiedAddress
  | AddressKnown
  | RegistrationRefused
  | TooManyAttempts
  | DatabaseUnavailable

/** The user who connects an identity, and the session that they do it in. */
interface Connecting {
  readonly userId: UserId
  readonly address: string
  readonly token: SessionToken
}

export class ExternalLogins extends Context.Service<ExternalLogins, {
  /** Signs in, or makes an account and signs in. */
  login(identity: ExternalIdentity, client: SessionClient): Effect.Effect<LoginResult, LoginError>
  list(userId: UserId): Effect.Effect<ReadonlyArray<ConnectedIdentity>, DatabaseUnavailable>
  /** Makes an identity the user's, who has proved who they are before they went to the provider, in a session that is still there. */
  connect(
    user: Connecting,
    identity: ExternalIdentity
  ): Effect.Effect<void, IdentityTaken | ProviderLoginFailed | DatabaseUnavailable>
  /** Ends every other session, also those that the identity has opened, and answers the new token of this one. */
  remove(change: ProvenChange, id: IdentityId): Effect.Effect<SessionToken, IdentityNotFound | ProofError>
}>()("realms/identity/ExternalLogins") {
  static readonly layerNoDeps = Layer.effect(ExternalLogins)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const limits = yield* RateLimiter
    const { proven } = yield* Reauthentication

    const ownerOf = ({ issuer, subject }: ExternalIdentity) =>
      rowOf(
        Owner,
        sql`SELECT i.user_id, u.disabled_at IS NOT NULL AS disabled FROM identities i JOIN users u ON u.id = i.user_id
          WHERE i.issuer = ${issuer} AND i.subject = ${subject} FOR NO KEY UPDATE OF u`
      )

    const note = (
      { address, userId }: { readonly userId: UserId; readonly address: string },
      action: string,
      issuer: string
    ) =>
      recordChange(sql, { name: `user:${userId}`, userId, address }, {
        action,
        target: `user:${userId}`,
        before: null,
        after: { issuer }
      })

    /** A session, or the question for the second factor. */
    const enter = Effect.fnUntraced(function*(userId: UserId, client: SessionClient) {
      return (yield* hasSecondFactor(sql, userId))
        ? { _tag: "SecondFactorNeeded" as const, pending: yield* insertPendingLogin(sql, userId) }
        : { _tag: "LoggedIn" as const, session: yield* insertSession(sql, userId, client) }
    })

    const insert = ({ issuer, subject }: ExternalIdentity, userId: UserId) =>
      Effect.map(
        sql`INSERT INTO identities (user_id, issuer, subject, last_used_at) VALUES (${userId}, ${issuer}, ${subject}, now())
          ON CONFLICT DO NOTHING RETURNING id`,
        (rows) => rows.length === 1
      )

    /** Makes an account for somebody whom nobody here knows. */
    const register = Effect.fnUntraced(function*(identity: ExternalIdentity, client: SessionClient) {
      const { email } = identity
      if (email === undefined) return yield* new NoVerifiedAddress()
      const { registration } = yield* Effect.mapError(settings.fresh, databaseUnavailable)
      const { id } = yield* limits.limit(
        { kind: "registration", address: client.address, account: email },
        { countsSuccess: true, counted: [] },
        Effect.gen(function*() {
          const known = yield* sql`SELECT FROM users WHERE email = ${email}`
          if (known.length > 0) return yield* new AddressKnown()
          yield* checkRegistration(sql, registration, { email, invite: undefined })
          const user = { email, role: "user" as const, passwordHash: null, isVerified: true }
          return yield* insertUser(sql, user).pipe(Effect.catchTag("EmailTaken", () => new AddressKnown()))
        }).pipe(orUnavailable)
      )
      // Of two at once the second waits for the first, and finds the address taken.
      if (!(yield* insert(identity, id))) return yield* new ProviderLoginFailed()
      yield* note({ userId: id, address: client.address }, "identity.connected", identity.issuer)
      return { _tag: "LoggedIn" as const, session: yield* insertSession(sql, id, client) }
    })

    const loginNow = Effect.fnUntraced(function*(identity: ExternalIdentity, client: SessionClient) {
      if (!(yield* takeChallenge(sql, identity.state))) return yield* new ProviderLoginFailed()
      const owner = yield* ownerOf(identity)
      if (owner === undefined) return yield* register(identity, client)
      if (owner.disabled) return yield* new LoginRefused()
      const used = yield* sql`UPDATE identities SET last_used_at = now()
        WHERE issuer = ${identity.issuer} AND subject = ${identity.subject} AND user_id = ${owner.userId} RETURNING id`
      // It was removed while its owner was waited for.
      if (used.length === 0) return yield* new LoginRefused()
      return yield* enter(owner.userId, client)
    })

    const connectNow = Effect.fnUntraced(
      function*(user: Connecting, identity: ExternalIdentity) {
        yield* sql`SELECT FROM users WHERE id = ${user.userId} FOR NO KEY UPDATE`
        // Ended, by a new password for example, while the provider was asked.
        if (!(yield* hasSession(sql, user.userId, user.token))) return yield* new ProviderLoginFailed()
        if (!(yield* takeChallenge(sql, identity.state))) return yield* new ProviderLoginFailed()
        if (!(yield* insert(identity, user.userId))) return yield* new IdentityTaken()
        yield* note(user, "identity.connected", identity.issuer)
        const { address, userId } = user
        yield* noteAccountChange(sql, { userId, change: "identity_added", detail: identity.issuer, address })
      }
    )

    return ExternalLogins.of({
      login: Effect.fn("ExternalLogins.login")(function*(identity, client) {
        return yield* inTransaction(sql, loginNow(identity, client)).pipe(orUnavailable)
      }),
      list: (userId) =>
        rowsOf(
          ConnectedIdentity,
          sql`SELECT id, issuer, created_at, last_used_at FROM identities WHERE user_id = ${userId} ORDER BY id`
        ).pipe(orUnavailable),
      connect: Effect.fn("ExternalLogins.connect")(function*(user, identity) {
        yield* inTransaction(sql, connectNow(user, identity)).pipe(orUnavailable)
      }),
      remove: Effect.fn("ExternalLogins.remove")(function*(change, id) {
        return yield* proven(change, (lock) =>
          inTransaction(
            sql,
            Effect.gen(function*() {
              yield* lock
              const [gone] = yield* rowsOf(
                ConnectedIdentity,
                sql`DELETE FROM identities WHERE id = ${id} AND user_id = ${change.userId}
                  RETURNING id, issuer, created_at, last_used_at`
              )
              if (gone === undefined) return yield* new IdentityNotFound()
              yield* note(change, "identity.removed", gone.issuer)
              const { address, userId } = change
              yield* noteAccountChange(sql, { userId, change: "identity_removed", detail: gone.issuer, address })
              return yield* keepSession(sql, change.userId, change.keepToken)
            })
          ).pipe(orUnavailable))
      })
    })
  }))
  static readonly layer = ExternalLogins.layerNoDeps.pipe(
    Layer.provide(Layer.merge(RateLimiter.layer, Reauthentication.layer))
  )
}
