/**
 * How people log in: by password and, where they have one, a second factor; by registering, by the setup link of a new installation;
 * and how they change their password. A refusal does not say why, and takes as long for an address without an account. Until the
 * second factor is given there is no session, only a token that is good for giving it. Nothing that was opened with a password
 * outlives its change.
 */
import { Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import type { InviteId, UserId } from "../domain/Ids.ts"
import { recordChange } from "../platform/AuditLog.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { revokeAdminKeys } from "./AdminKeys.ts"
import { checkRegistration, type RegistrationRefused } from "./RegistrationRules.ts"
import { RateLimiter } from "./RateLimiter.ts"
import {
  type EmailTaken,
  InvalidEmail,
  InviteNeeded,
  LoginRefused,
  type PasswordRefused,
  PendingLoginOver,
  RegistrationClosed,
  type SecondFactorWrong,
  SetupLinkInvalid,
  type TooBusy,
  type TooManyAttempts,
  type WrongPassword
} from "./IdentityError.ts"
import { type InviteToken, takeInvite } from "./Invites.ts"
import { type PasskeyAnswer, PasskeyCeremony } from "./PasskeyCeremony.ts"
import { matchPassword, PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword } from "./Passwords.ts"
import { type ProvenChange, Reauthentication } from "./Reauthentication.ts"
import {
  findPendingLogin,
  hasSecondFactor,
  insertPendingLogin,
  takeFactor,
  takePendingLogin
} from "./SecondFactorStore.ts"
import {
  insertSession,
  keepSession,
  knowsNetwork,
  type SessionClient,
  type SessionToken,
  tokenHashOf
} from "./SessionStore.ts"
import { isSetupLink, type SetupToken, takeSetupLink } from "./SetupLinks.ts"
import type { User } from "./Users.ts"
import { credentialsByEmail, insertUser, lockCredentials, writePasswordHash } from "./UserStore.ts"

export { PENDING_MINUTES_MAX } from "./SecondFactorStore.ts"

/** What a person gives to come in, and from where. */
export interface LoginInput extends SessionClient {
  readonly email: string
  readonly password: Redacted.Redacted<string>
}

export interface RegistrationInput extends LoginInput {
  /** Of the link that they came by. */
  readonly invite?: InviteToken | undefined
}

export interface SetupInput extends LoginInput {
  readonly token: SetupToken
}

/** What a right password opens: a session, or the question for the second factor. */
export type LoginResult =
  | { readonly _tag: "LoggedIn"; readonly session: SessionToken }
  | { readonly _tag: "SecondFactorNeeded"; readonly pending: SessionToken }

/** The second step of a login. */
export interface SecondFactorInput extends SessionClient {
  readonly pending: SessionToken
  /** Six digits of an app, or a recovery code. */
  readonly code: string
  /** What a passkey has signed, in place of the code. */
  readonly passkey?: PasskeyAnswer | undefined
}

export interface PasswordChange extends ProvenChange {
  readonly next: Redacted.Redacted<string>
}

export class Login extends Context.Service<Login, {
  /** Opens a session, or asks for the second factor of somebody who has one. */
  login(input: LoginInput): Effect.Effect<LoginResult, LoginRefused | TooManyAttempts | TooBusy | DatabaseUnavailable>
  /** Opens the session of a login that waits for its second factor. A code, and a login, is good for one session. */
  answer(
    input: SecondFactorInput
  ): Effect.Effect<SessionToken, PendingLoginOver | SecondFactorWrong | TooManyAttempts | DatabaseUnavailable>
  /** Who waits for their second factor under this token, if anybody does. */
  pendingUser(token: SessionToken): Effect.Effect<UserId | undefined, DatabaseUnavailable>
  /** Makes a user with an empty account and opens a session, both or neither. */
  register(
    input: RegistrationInput
  ): Effect.Effect<
    SessionToken,
    RegistrationRefused | InvalidEmail | PasswordRefused | EmailTaken | TooManyAttempts | TooBusy | DatabaseUnavailable
  >
  /** Makes the first administrator and opens a session; the link is used up only when that has worked. */
  redeemSetup(
    input: SetupInput
  ): Effect.Effect<
    SessionToken,
    SetupLinkInvalid | InvalidEmail | PasswordRefused | EmailTaken | TooBusy | DatabaseUnavailable
  >
  /**
   * Ends every other session of the user, revokes their admin keys, and answers the new token of this one. Of two changes at once, the
   * second finds its current password wrong.
   */
  changePassword(
    change: PasswordChange
  ): Effect.Effect<
    SessionToken,
    WrongPassword | SecondFactorWrong | PasswordRefused | TooManyAttempts | TooBusy | DatabaseUnavailable
  >
}>()("realms/identity/Login") {
  static readonly layerNoDeps = Layer.effect(Login)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const limits = yield* RateLimiter
    const passwords = yield* PasswordQueue
    const box = yield* SecretBox
    const ceremony = yield* PasskeyCeremony
    const { proven } = yield* Reauthentication

    const loginNow = Effect.fnUntraced(function*(input: LoginInput) {
      const email = normalizeEmail(input.email)
      const credentials = email === undefined ? undefined : yield* credentialsByEmail(sql, email)
      const passwordHash = yield* matchPassword(passwords, credentials, input.password)
      if (credentials === undefined || passwordHash === undefined || credentials.disabled) {
        return yield* new LoginRefused()
      }
      const { userId } = credentials
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          // Changed, or disabled, while the password was being checked.
          if (!(yield* lockCredentials(sql, userId, passwordHash))) return yield* new LoginRefused()
          if (yield* hasSecondFactor(sql, userId)) {
            return { _tag: "SecondFactorNeeded" as const, pending: yield* insertPendingLogin(sql, userId) }
          }
          return { _tag: "LoggedIn" as const, session: yield* insertSession(sql, userId, input) }
        })
      )
    }, orUnavailable)

    const login = Effect.fn("Login.login")(function*(input: LoginInput) {
      const { address } = input
      const email = normalizeEmail(input.email)
      const isKnownNetwork = email !== undefined && (yield* orUnavailable(knowsNetwork(sql, { email, address })))
      return yield* limits.limit(
        { kind: "login", address, account: email ?? input.email, isKnownNetwork },
        { countsSuccess: false, counted: ["LoginRefused"] },
        loginNow(input)
      )
    })

    const answerNow = Effect.fnUntraced(function*(input: SecondFactorInput, userId: UserId) {
      // The user before their rows, as everywhere: of two answers at once the second finds that the login is over.
      const locked = yield* sql`SELECT FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR NO KEY UPDATE`
      if (locked.length === 0) return yield* new PendingLoginOver()
      if (!(yield* takePendingLogin(sql, input.pending, userId))) return yield* new PendingLoginOver()
      const kind = yield* takeFactor(sql, { box, ceremony }, { userId, code: input.code, passkey: input.passkey })
      if (kind === "recovery") {
        yield* recordChange(sql, { name: `user:${userId}`, userId, address: input.address }, {
          action: "second_factor.recovery_code_used",
          target: `user:${userId}`,
          before: null,
          after: null
        })
      }
      return yield* insertSession(sql, userId, input)
    })

    const answer = Effect.fn("Login.answer")(function*(input: SecondFactorInput) {
      const userId = yield* orUnavailable(findPendingLogin(sql, input.pending))
      if (userId === undefined) return yield* new PendingLoginOver()
      return yield* limits.limit(
        { kind: "secondFactor", address: input.address, account: userId.toString() },
        { countsSuccess: false, counted: ["SecondFactorWrong"] },
        inTransaction(sql, answerNow(input, userId)).pipe(orUnavailable)
      )
    })

    /** Makes a user and opens a session, after `first` and in its transaction, which may answer the invitation that was used. */
    const enter = <E>(
      user: { readonly email: string; readonly role: User["role"] },
      input: LoginInput,
      first: Effect.Effect<InviteId | void, E>
    ) =>
      Effect.flatMap(passwords.hash(input.password), (passwordHash) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            const inviteId = (yield* first) ?? undefined
            const { id } = yield* insertUser(sql, { ...user, passwordHash, inviteId })
            return yield* insertSession(sql, id, input)
          })
        )).pipe(orUnavailable)

    const register = Effect.fn("Login.register")(function*(input: RegistrationInput) {
      const { registration } = yield* Effect.mapError(settings.fresh, databaseUnavailable)
      const { invite } = input
      if (registration.mode === "closed") return yield* new RegistrationClosed()
      if (registration.mode === "invite" && invite === undefined) return yield* new InviteNeeded()
      const email = yield* checkNewUser(input)
      return yield* limits.limit(
        { kind: "registration", address: input.address, account: email },
        { countsSuccess: true, counted: ["EmailTaken", "InviteInvalid"] },
        Effect.andThen(
          orUnavailable(checkRegistration(sql, registration, { email, invite })),
          enter(
            { email, role: "user" },
            input,
            invite === undefined ? Effect.void : takeInvite(sql, tokenHashOf(invite), email)
          )
        )
      )
    })

    const redeemSetup = Effect.fn("Login.redeemSetup")(function*(input: SetupInput) {
      // Without a valid link no hash is computed.
      if (!(yield* orUnavailable(isSetupLink(sql, input.token)))) return yield* new SetupLinkInvalid()
      const email = yield* checkNewUser(input)
      const session = yield* enter({ email, role: "root" }, input, takeSetupLink(sql, input.token))
      yield* Effect.logInfo("the first administrator was made; setup links are void")
      return session
    })

    const changePassword = Effect.fn("Login.changePassword")(function*(change: PasswordChange) {
      yield* checkNewPassword(change.next)
      return yield* proven(
        change,
        (lock) =>
          Effect.flatMap(passwords.hash(change.next), (passwordHash) =>
            inTransaction(
              sql,
              Effect.gen(function*() {
                yield* lock
                const { address, userId } = change
                yield* writePasswordHash(sql, userId, passwordHash, { keepNetworks: { of: address } })
                const revoked = yield* revokeAdminKeys(sql, { name: `user:${userId}`, userId, address }, userId)
                const detail = revoked > 0 ? String(revoked) : null
                yield* noteAccountChange(sql, { userId, address, change: "password", detail })
                return yield* keepSession(sql, userId, change.keepToken)
              })
            ).pipe(orUnavailable))
      )
    })

    return Login.of({
      login,
      answer,
      pendingUser: (token) => orUnavailable(findPendingLogin(sql, token)),
      register,
      redeemSetup,
      changePassword
    })
  }))
  static readonly layer = Login.layerNoDeps.pipe(
    Layer.provide(Layer.mergeAll(PasswordQueue.layer, RateLimiter.layer, Reauthentication.layer, PasskeyCeremony.layer))
  )
}

/** What is checked of a new user before anything is asked of the database. */
const checkNewUser = Effect.fnUntraced(function*(input: LoginInput) {
  const email = normalizeEmail(input.email)
  if (email === undefined) return yield* new InvalidEmail({ email: input.email })
  yield* checkNewPassword(input.password)
  return email
})
