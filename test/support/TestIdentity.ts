/**
 * The identity services on a database of their own, with what their tests ask: people who log in from somewhere, an open or
 * closed registration, everything that was logged, and every password that was compared with a hash.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, References, Schema, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { AdminKeys } from "../../src/identity/AdminKeys.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { ExternalLogins } from "../../src/identity/ExternalLogins.ts"
import { Invites, type InviteToken } from "../../src/identity/Invites.ts"
import { RateLimiter } from "../../src/identity/RateLimiter.ts"
import { Login } from "../../src/identity/Login.ts"
import { LoginSessions, type SessionToken } from "../../src/identity/LoginSessions.ts"
import { PasskeyCeremony } from "../../src/identity/PasskeyCeremony.ts"
import { PasskeyLogin } from "../../src/identity/PasskeyLogin.ts"
import { Passkeys } from "../../src/identity/Passkeys.ts"
import { PasswordLinks } from "../../src/identity/PasswordLinks.ts"
import { PasswordQueue } from "../../src/identity/PasswordQueue.ts"
import { Reauthentication } from "../../src/identity/Reauthentication.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { SetupLinks } from "../../src/identity/SetupLinks.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { Users } from "../../src/identity/Users.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { PublicAddress } from "../../src/platform/PublicAddress.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { logsTo } from "./LogLines.ts"
import { openSession } from "./OpenSession.ts"
import type { Steps } from "./Steps.ts"
import { TestDatabase } from "./TestDatabase.ts"

export const PASSWORD = "correct horse 电池"

/** What a world records, and what can be changed in it while a test runs. */
export class IdentityWorld {
  /** Everything logged, each as one line of JSON. */
  readonly logged: Array<string> = []
  /** The hashes that passwords were compared with. */
  readonly compared: Array<string> = []
  registration: "open" | "invite" | "closed" = "open"
  emailDomains: ReadonlyArray<string> = []
  /** Runs after the next password was compared, before anybody is told. */
  afterCompared: Effect.Effect<void> = Effect.void
}

const config = {
  ...testConfig({ server: { public_url: "https://realms.example" } }),
  masterKey: Option.some(Redacted.make("a key of tests that seals what they store"))
}

const settingsOf = (world: IdentityWorld) =>
  Layer.sync(Settings, () => {
    const current = () => ({
      billing: config.billing,
      limits: config.limits,
      retention: config.retention,
      payment: config.payment,
      registration: { mode: world.registration, emailDomains: world.emailDomains },
      security: config.security,
      signIn: config.signIn,
      finance: config.finance,
      site: config.site,
      seller: config.seller,
      smtp: config.smtp,
      publicUrl: config.server.publicUrl
    })
    return { current, cached: current, get: Effect.sync(current), fresh: Effect.sync(current), reload: Effect.void }
  })

/** Counts what is compared, and compares it. */
const passwordsOf = (world: IdentityWorld) =>
  Layer.effect(
    PasswordQueue,
    Effect.map(PasswordQueue, (real) =>
      PasswordQueue.of({
        hash: real.hash,
        verify: (password, phc) =>
          Effect.suspend(() => {
            world.compared.push(phc)
            const { afterCompared } = world
            world.afterCompared = Effect.void
            return Effect.tap(real.verify(password, phc), afterCompared)
          })
      }))
  ).pipe(Layer.provide(PasswordQueue.layer))

/** All identity services over a fresh database. */
export const identityLayer = (world: IdentityWorld) =>
  Layer.mergeAll(
    Users.layer,
    UserAdmin.layer,
    LoginSessions.layer,
    Login.layerNoDeps,
    PasswordLinks.layer,
    SecondFactors.layerNoDeps,
    Passkeys.layerNoDeps,
    PasskeyLogin.layerNoDeps,
    ExternalLogins.layerNoDeps,
    Invites.layer
  ).pipe(
    Layer.provideMerge(Layer.mergeAll(AdminKeys.layer, ApiKeys.layer, SetupLinks.layer)),
    Layer.provide(Reauthentication.layerNoDeps),
    Layer.provideMerge(PasskeyCeremony.layer),
    Layer.provide(Layer.mergeAll(passwordsOf(world), RateLimiter.layer, settingsOf(world))),
    Layer.provideMerge(Layer.mergeAll(Notifications.layer, PublicAddress.layer, SecretBox.layer)),
    Layer.provide(Layer.merge(AppConfig.layerOf(config), NodeServices.layer)),
    Layer.provideMerge(TestDatabase.layer),
    Layer.provideMerge(Layer.mergeAll(
      logsTo(world.logged),
      Layer.succeed(References.MinimumLogLevel, "All")
    ))
  )

export type IdentityServices = Layer.Success<ReturnType<typeof identityLayer>> | Scope.Scope

/** A test with a world of its own. */
export const identityTest = (title: string, steps: Steps<IdentityWorld, IdentityServices>) =>
  it.live(title, () => {
    const world = new IdentityWorld()
    return Effect.gen(() => steps(world)).pipe(Effect.scoped, Effect.provide(identityLayer(world)))
  })

/** What somebody gives to log in or to register. */
export const person = (
  email: string,
  options: { readonly address?: string; readonly password?: string; readonly invite?: InviteToken } = {}
) => ({
  email,
  password: Redacted.make(options.password ?? PASSWORD),
  address: options.address ?? "192.0.2.1",
  userAgent: "Test/1",
  invite: options.invite
})

/** Registers somebody; answers the user's id and the session that was opened. */
export const registered = Effect.fnUntraced(function*(email: string) {
  const token = yield* (yield* Login).register(person(email))
  const found = Option.getOrThrow(yield* (yield* LoginSessions).find(token))
  return { userId: found.user.id, sessionId: found.sessionId, token }
})

/** Logs somebody in who has no second factor. */
export const loggedIn = Effect.fnUntraced(function*(input: ReturnType<typeof person>) {
  const result = yield* (yield* Login).login(input)
  return result._tag === "LoggedIn" ? result.session : yield* Effect.die("a second factor was asked for")
})

export type Person = Effect.Success<ReturnType<typeof registered>>

/** What is given before a change of how somebody signs in, who goes on with the session that they registered with. */
export const proofOf = ({ token, userId }: Person, code = "", password = PASSWORD) => ({
  userId,
  password: Redacted.make(password),
  code,
  address: "192.0.2.1",
  keepToken: token
})

/** The first step of a login, which asks for the second. */
export const pendingOf = Effect.fnUntraced(function*(email: string) {
  const result = yield* (yield* Login).login(person(email))
  return result._tag === "SecondFactorNeeded" ? result.pending : yield* Effect.die("no second factor was asked for")
})

/** Opens a session without a word. */
export const opened = (userId: UserId, client = { address: "", userAgent: "" }) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => openSession(sql, userId, client))

/** Whether each of these tokens stands for somebody. */
export const areLive = (...tokens: ReadonlyArray<SessionToken>) =>
  Effect.flatMap(
    LoginSessions,
    (sessions) => Effect.forEach(tokens, (token) => Effect.map(sessions.find(token), Option.isSome))
  )

/** How an effect ended: `ok`, or the tag of its failure. */
export const outcome = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.as("ok"), Effect.catch((error) => Effect.succeed<string>(error._tag)))

export const count = (
  table:
    | "users"
    | "sessions"
    | "pending_logins"
    | "recovery_codes"
    | "totp_factors"
    | "setup_links"
    | "password_links"
    | "attempt_limits"
    | "user_balances"
) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ count: bigint }>`SELECT count(*) FROM ${sql.literal(table)}`
    return Number(row?.count)
  })

/** Every record of a change of this user, the oldest first, as `actor action`. */
export const recordedOf = (userId: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ actor: string; action: string }>`
      SELECT actor, action FROM audit_log WHERE target = ${`user:${userId}`} ORDER BY id`
    return rows.map(({ action, actor }) => `${actor} ${action}`)
  })

const ChangeTold = Row({
  change: Schema.String,
  detail: Schema.NullOr(Schema.String),
  address: Schema.NullOr(Schema.String)
})

/** Every change of how they sign in that the user is told, the oldest first, with what it is about and where it came from. */
export const changesTold = (userId: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* rowsOf(
      ChangeTold,
      sql`SELECT data->>'change' AS change, data->>'detail' AS detail, data->>'address' AS address FROM notices
        WHERE kind = 'account_changed' AND user_id = ${userId} ORDER BY id`
    )
    return rows.map(({ address, change, detail }) => [change, detail, address])
  })

/** None of the texts is in what was logged. */
export const assertUnsaid = (world: IdentityWorld, texts: ReadonlyArray<string>): void => {
  const all = world.logged.join("\n")
  for (const text of texts) assert.isFalse(all.includes(text), "a secret was logged")
}
