import { assert, describe } from "@effect/vitest"
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import { AdminKeys } from "../../src/identity/AdminKeys.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { PasswordLinks } from "../../src/identity/PasswordLinks.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { type User, Users } from "../../src/identity/Users.ts"
import { type Actor, cliActor } from "../../src/platform/AuditLog.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { areLive, count, identityTest, outcome, recordedOf, registered } from "../support/TestIdentity.ts"
import { until } from "../support/Until.ts"

const actorOf = (user: Pick<User, "id">): Actor => ({ name: `user:${user.id}`, userId: user.id, address: "192.0.2.9" })

/** What was done to a user is on record, all of it by this administrator. */
const isRecorded = (userId: UserId, by: Pick<User, "id">, actions: ReadonlyArray<string>) =>
  Effect.map(
    recordedOf(userId),
    (found) => assert.deepStrictEqual(found, actions.map((action) => `user:${by.id} ${action}`))
  )

const root = (email: string) => Effect.flatMap(UserAdmin, (admin) => admin.create(cliActor, { email, role: "root" }))

/** Administrators who can come in. */
const rootsLeft = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql`SELECT FROM users WHERE role = 'root' AND disabled_at IS NULL`).length
})

describe("UserAdmin", () => {
  identityTest("finds users by a part of their address, their id, role and state, page by page", function*() {
    const admin = yield* UserAdmin
    const users = yield* Users
    const made = yield* Effect.forEach(
      ["ada@example.com", "bob@example.com", "a_b%c@example.org", "carl@example.net"],
      (email) => users.create({ email, role: "user" })
    )
    const boss = yield* root("boss@example.com")
    yield* admin.disable(actorOf(boss), made[1]?.id ?? UserId.make(0n))
    const found = (search: Omit<Parameters<UserAdmin["Service"]["search"]>[0], "limit">) =>
      Effect.map(admin.search({ limit: 10, ...search }), (rows) => rows.map(({ email }) => email))
    assert.deepStrictEqual(yield* found({ text: " EXAMPLE.com " }), [
      "boss@example.com",
      "bob@example.com",
      "ada@example.com"
    ])
    assert.deepStrictEqual(yield* found({ text: "_b%" }), ["a_b%c@example.org"], "no wildcards")
    assert.deepStrictEqual(yield* found({ text: "%" }), ["a_b%c@example.org"])
    assert.deepStrictEqual(yield* found({ text: String(made[3]?.id) }), ["carl@example.net"])
    assert.deepStrictEqual(yield* found({ text: "9".repeat(40) }), [])
    assert.deepStrictEqual(yield* found({ role: "root" }), ["boss@example.com"])
    assert.deepStrictEqual(yield* found({ state: "disabled" }), ["bob@example.com"])
    assert.deepStrictEqual(yield* found({ state: "active", role: "user", before: made[2]?.id }), [
      "ada@example.com"
    ])
    assert.strictEqual((yield* admin.search({ limit: 2 })).length, 2)
  })

  identityTest(
    "disables at once: sessions end, links are void, keys of both kinds are refused on every server",
    function*() {
      const admin = yield* UserAdmin
      const keys = yield* ApiKeys
      const boss = yield* root("boss@example.com")
      const ada = yield* registered("ada@example.com")
      const other = yield* root("other@example.com")
      const { key } = yield* keys.create({ userId: ada.userId, name: "" })
      const token = Redacted.value(key)
      // A second server over the same database, with a memory of its own.
      const context = yield* Effect.context<SqlClient.SqlClient | Notifications>()
      const elsewhere = Context.get(
        yield* Layer.build(Layer.fresh(ApiKeys.layer).pipe(Layer.provide(Layer.succeedContext(context)))),
        ApiKeys
      )
      const adminKeys = yield* AdminKeys
      const adminKey = yield* adminKeys.create({ ...actorOf(other), userId: other.id }, {
        name: "deploy",
        expiresAt: null
      }, null)
      yield* until("messages arrive", Effect.map(Notifications, (notifications) => notifications.isUp()))
      // What the first message clears is asked for again.
      for (const server of [keys, elsewhere]) {
        yield* until(
          "the key is known",
          Effect.map(server.authenticate(token), () => server.cached(token) !== undefined)
        )
      }
      yield* (yield* PasswordLinks).issue(actorOf(boss), ada.userId)

      yield* admin.disable(actorOf(boss), ada.userId)
      yield* admin.disable(actorOf(boss), other.id)
      assert.deepStrictEqual(yield* areLive(ada.token), [false])
      assert.isUndefined(keys.cached(token), "on this server without waiting")
      assert.strictEqual(yield* outcome(keys.authenticate(token)), "InvalidApiKey")
      yield* until("the other server has heard", Effect.sync(() => elsewhere.cached(token) === undefined))
      assert.strictEqual(yield* outcome(elsewhere.authenticate(token)), "InvalidApiKey")
      assert.strictEqual(yield* outcome(adminKeys.authenticate(adminKey.key)), "AdminKeyInvalid")
      assert.deepStrictEqual([yield* count("sessions"), yield* count("password_links")], [0, 0])

      yield* admin.disable(actorOf(boss), ada.userId)
      yield* admin.enable(actorOf(boss), ada.userId)
      assert.strictEqual(yield* outcome(keys.authenticate(token)), "ok")
      yield* until(
        "the other server has heard",
        Effect.map(outcome(elsewhere.authenticate(token)), (o) => o === "ok")
      )
      assert.deepStrictEqual(yield* areLive(ada.token), [false], "what was ended stays ended")
      yield* isRecorded(ada.userId, boss, ["password_link.created", "user.disabled", "user.enabled"])
    }
  )

  identityTest("refuses what nobody should do to themselves, and to whom there is not", function*() {
    const admin = yield* UserAdmin
    const boss = yield* root("boss@example.com")
    yield* root("other@example.com")
    assert.strictEqual(yield* outcome(admin.disable(actorOf(boss), boss.id)), "OwnUser")
    assert.strictEqual(yield* outcome(admin.setRole(actorOf(boss), boss.id, "user")), "OwnUser")
    assert.strictEqual(yield* outcome(admin.disable(actorOf(boss), UserId.make(999n))), "UserNotFound")
    assert.strictEqual(yield* outcome(admin.setRole(actorOf(boss), UserId.make(999n), "root")), "UserNotFound")
    assert.isTrue(Option.isNone(yield* admin.view(UserId.make(999n))))
    assert.deepStrictEqual(yield* recordedOf(boss.id), ["cli user.created"])
    assert.strictEqual(yield* rootsLeft, 2)
  })

  identityTest("changes roles, of those who are not disabled", function*() {
    const admin = yield* UserAdmin
    const boss = yield* root("boss@example.com")
    const ada = yield* registered("ada@example.com")
    yield* admin.setRole(actorOf(boss), ada.userId, "root")
    yield* admin.setRole(actorOf(boss), ada.userId, "root")
    const found = Option.getOrThrow(yield* (yield* LoginSessions).find(ada.token))
    assert.strictEqual(found.user.role, "root", "the session is an administrator's from now on")
    yield* admin.setRole(actorOf(boss), ada.userId, "user")
    yield* admin.disable(actorOf(boss), ada.userId)
    assert.strictEqual(yield* outcome(admin.setRole(actorOf(boss), ada.userId, "root")), "UserDisabled")
    yield* isRecorded(ada.userId, boss, ["user.role_changed", "user.role_changed", "user.disabled"])
  })

  identityTest("leaves one administrator when several disable and demote one another at once", function*() {
    const admin = yield* UserAdmin
    const roots = yield* Effect.forEach([1, 2, 3, 4], (n) => root(`root${n}@example.com`))
    const ends = yield* Effect.forEach(
      roots.flatMap((by) => roots.filter(({ id }) => id !== by.id).map((target) => [by, target] as const)),
      ([by, target], index) =>
        outcome(
          index % 2 === 0 ? admin.disable(actorOf(by), target.id) : admin.setRole(actorOf(by), target.id, "user")
        ),
      { concurrency: "unbounded" }
    )
    assert.include(ends, "LastRoot")
    assert.strictEqual(yield* rootsLeft, 1)
    const users = yield* (yield* Users).list
    const left = users.find(({ disabledAt, role }) => role === "root" && disabledAt === null)
    assert.strictEqual(yield* outcome(admin.disable(cliActor, left?.id ?? UserId.make(0n))), "LastRoot")
    assert.strictEqual(yield* outcome(admin.setRole(cliActor, left?.id ?? UserId.make(0n), "user")), "LastRoot")
  })

  identityTest("makes users, records that, and never a password", function*() {
    const admin = yield* UserAdmin
    const boss = yield* root("boss@example.com")
    const secret = "a secret of eight words or so"
    const made = yield* admin.create(actorOf(boss), {
      email: "Ada@Example.com",
      role: "user",
      password: Redacted.make(secret)
    })
    assert.strictEqual(made.email, "ada@example.com")
    const again = admin.create(actorOf(boss), { email: "ada@example.com", role: "user" })
    assert.strictEqual(yield* outcome(again), "EmailTaken")
    assert.strictEqual(yield* outcome(admin.create(actorOf(boss), { email: "ada", role: "user" })), "InvalidEmail")
    const short = { email: "bob@example.com", role: "user", password: Redacted.make("short") } as const
    assert.strictEqual(yield* outcome(admin.create(actorOf(boss), short)), "PasswordRefused")
    const details = Option.getOrThrow(yield* admin.view(made.id))
    assert.deepInclude(details, { hasPassword: true, usdMicros: 0n, orders: 0n, passwordLinkUntil: null })
    const sql = yield* SqlClient.SqlClient
    const [all] = yield* sql<{ text: string }>`SELECT string_agg(a::text, ' ') AS text FROM audit_log a`
    assert.notInclude(all?.text, "secret")
    assert.include(all?.text, "ada@example.com")
  })

  identityTest(
    "has on record the keys that an administrator makes and revokes for others, and not what users do for themselves",
    function*() {
      const sql = yield* SqlClient.SqlClient
      const keys = yield* ApiKeys
      const ada = yield* registered("ada@example.com")
      const { id, key } = yield* keys.create({ userId: ada.userId, name: "program" }, { administrator: cliActor })
      yield* keys.revoke(id, cliActor)
      yield* keys.revoke(id, cliActor)
      const own = yield* keys.create({ userId: ada.userId, name: "own" })
      yield* keys.revokeOwn(ada.userId, own.id)
      const rows = yield* sql<{ actor: string; action: string; target: string; after: unknown }>`
        SELECT actor, action, target, after FROM audit_log ORDER BY id`
      assert.deepStrictEqual(rows.map((row) => `${row.actor} ${row.action} ${row.target}`), [
        `cli key.created key:${id}`,
        `cli key.revoked key:${id}`
      ])
      assert.notInclude(JSON.stringify(rows), Redacted.value(key))
    }
  )
})
