/**
 * How people log in: by password, by registering, by the setup link of a new installation; and how they change their password. A
 * refusal does not say why, and takes as long for an address without an account. Nothing that was opened with a password outlives
 * its change.
 */
import { Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import type { UserId } from "../domain/Ids.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { RateLimiter } from "./RateLimiter.ts"
import {
  type EmailTaken,
  InvalidEmail,
  LoginRefused,
  type PasswordRefused,
  RegistrationClosed,
  SetupLinkInvalid,
  type TooBusy,
  type TooManyAttempts,
  WrongPassword
} from "./IdentityError.ts"
import { PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword, decoyHash } from "./Passwords.ts"
import { deleteSessions, insertSession, type SessionClient, type SessionToken } from "./SessionStore.ts"
import { isSetupLink, type SetupToken, takeSetupLink } from "./SetupLinks.ts"
import type { User } from "./Users.ts"
import {
  type Credentials,
  credentialsByEmail,
  credentialsById,
  insertUser,
  lockCredentials,
  writePasswordHash
} from "./UserStore.ts"

/** What a person gives to come in, and from where. */
export interface LoginInput extends SessionClient {
  readonly email: string
  readonly password: Redacted.Redacted<string>
}

export interface SetupInput extends LoginInput {
  readonly token: SetupToken
}

export interface PasswordChange {
  readonly userId: UserId
  readonly current: Redacted.Redacted<string>
  readonly next: Redacted.Redacted<string>
  /** The one session that goes on. */
  readonly keepToken: SessionToken
  readonly address: string
}

export class Login extends Context.Service<Login, {
  /** Opens a session. */
  login(input: LoginInput): Effect.Effect<SessionToken, LoginRefused | TooManyAttempts | TooBusy | DatabaseUnavailable>
  /** Makes a user with an empty account and opens a session, both or neither. */
  register(
    input: LoginInput
  ): Effect.Effect<
    SessionToken,
    RegistrationClosed | InvalidEmail | PasswordRefused | EmailTaken | TooManyAttempts | TooBusy | DatabaseUnavailable
  >
  /** Makes the first administrator and opens a session; the link is used up only when that has worked. */
  redeemSetup(
    input: SetupInput
  ): Effect.Effect<
    SessionToken,
    SetupLinkInvalid | InvalidEmail | PasswordRefused | EmailTaken | TooBusy | DatabaseUnavailable
  >
  /** Ends every other session of the user. Of two changes at once, the second finds its current password wrong. */
  changePassword(
    change: PasswordChange
  ): Effect.Effect<void, WrongPassword | PasswordRefused | TooManyAttempts | TooBusy | DatabaseUnavailable>
}>()("realms/identity/Login") {
  static readonly layerNoDeps = Layer.effect(Login)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const limits = yield* RateLimiter
    const passwords = yield* PasswordQueue

    /** The hash that the password was right for; undefined when it was not. Takes as long without a user. */
    const matched = Effect.fnUntraced(function*(
      credentials: Credentials | undefined,
      password: Redacted.Redacted<string>
    ) {
      const passwordHash = credentials?.passwordHash ?? undefined
      return (yield* passwords.verify(password, passwordHash ?? decoyHash)) ? passwordHash : undefined
    })

    const loginNow = Effect.fnUntraced(function*(input: LoginInput) {
      const email = normalizeEmail(input.email)
      const credentials = email === undefined ? undefined : yield* credentialsByEmail(sql, email)
      const passwordHash = yield* matched(credentials, input.password)
      if (credentials === undefined || passwordHash === undefined || credentials.disabled) {
        return yield* new LoginRefused()
      }
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          // Changed, or disabled, while the password was being checked.
          if (!(yield* lockCredentials(sql, credentials.userId, passwordHash))) return yield* new LoginRefused()
          return yield* insertSession(sql, credentials.userId, input)
        })
      )
    }, orUnavailable)

    const login = Effect.fn("Login.login")(function*(input: LoginInput) {
      const account = normalizeEmail(input.email) ?? input.email
      return yield* limits.limit(
        { kind: "login", address: input.address, account },
        { countsSuccess: false, counted: ["LoginRefused"] },
        loginNow(input)
      )
    })

    /** Makes a user and opens a session, after `first` and in its transaction. */
    const enter = <E>(
      user: { readonly email: string; readonly role: User["role"] },
      input: LoginInput,
      first: Effect.Effect<void, E>
    ) =>
      Effect.flatMap(passwords.hash(input.password), (passwordHash) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            yield* first
            const { id } = yield* insertUser(sql, { ...user, passwordHash })
            return yield* insertSession(sql, id, input)
          })
        )).pipe(orUnavailable)

    const register = Effect.fn("Login.register")(function*(input: LoginInput) {
      const { registration } = yield* Effect.mapError(settings.fresh, databaseUnavailable)
      if (registration.mode === "closed") return yield* new RegistrationClosed()
      const email = yield* checkNewUser(input)
      return yield* limits.limit(
        { kind: "registration", address: input.address, account: email },
        { countsSuccess: true, counted: ["EmailTaken"] },
        enter({ email, role: "user" }, input, Effect.void)
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

    const changeNow = Effect.fnUntraced(function*(change: PasswordChange) {
      const expected = yield* matched(yield* credentialsById(sql, change.userId), change.current)
      if (expected === undefined) return yield* new WrongPassword()
      const passwordHash = yield* passwords.hash(change.next)
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const written = yield* writePasswordHash(sql, change.userId, { passwordHash, expected })
          if (!written) return yield* new WrongPassword()
          yield* deleteSessions(sql, change.userId, change.keepToken)
        })
      )
    }, orUnavailable)

    const changePassword = Effect.fn("Login.changePassword")(function*(change: PasswordChange) {
      yield* checkNewPassword(change.next)
      yield* limits.limit(
        { kind: "passwordChange", address: change.address, account: change.userId.toString() },
        { countsSuccess: false, counted: ["WrongPassword"] },
        changeNow(change)
      )
    })

    return Login.of({ login, register, redeemSetup, changePassword })
  }))
  static readonly layer = Login.layerNoDeps.pipe(
    Layer.provide(Layer.mergeAll(PasswordQueue.layer, RateLimiter.layer))
  )
}

/** What is checked of a new user before anything is asked of the database. */
const checkNewUser = Effect.fnUntraced(function*(input: LoginInput) {
  const email = normalizeEmail(input.email)
  if (email === undefined) return yield* new InvalidEmail({ email: input.email })
  yield* checkNewPassword(input.password)
  return email
})
