import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { setupLinkOfStart } from "../../src/cli/ServerBanner.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { Login } from "../../src/identity/Login.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { openSetupLink, SetupLinks, type SetupToken } from "../../src/identity/SetupLinks.ts"
import { Users } from "../../src/identity/Users.ts"
import { insertUser } from "../../src/identity/UserStore.ts"
import { inTransaction } from "../../src/postgres/Transaction.ts"
import { assertUnsaid, count, identityTest, outcome, person } from "../support/TestIdentity.ts"
import { until } from "../support/Until.ts"

const issued = Effect.flatMap(SetupLinks, (links) => Effect.map(links.issue, Option.getOrThrow))

const redeem = (token: SetupToken, email = "root@example.com", password?: string) =>
  Effect.flatMap(
    Login,
    (login) => login.redeemSetup({ ...person(email, password === undefined ? {} : { password }), token })
  )

const roots = Effect.map(
  Effect.flatMap(Users, (users) => users.list),
  (users) => users.filter((user) => user.role === "root").length
)

describe("SetupLinks", () => {
  identityTest("make the administrator once, logged in, though registration is closed", function*(world) {
    world.registration = "closed"
    const links = yield* SetupLinks
    const sql = yield* SqlClient.SqlClient
    const [token, other] = [yield* issued, yield* issued]
    const [row] = yield* sql<{ all: string }>`SELECT string_agg(l::text, ' ') AS all FROM setup_links l`
    assert.notInclude(row?.all, Redacted.value(token))
    assert.deepStrictEqual([yield* links.isValid(token), yield* links.isValid(other)], [true, true])
    const session = yield* redeem(token)
    const { user } = Option.getOrThrow(yield* (yield* LoginSessions).find(session))
    assert.deepInclude(user, { email: "root@example.com", role: "root" })
    assert.strictEqual(yield* count("user_balances"), 1)
    assert.deepStrictEqual([yield* links.isValid(token), yield* links.isValid(other)], [false, false])
    for (const used of [token, other]) {
      assert.strictEqual(yield* outcome(redeem(used, "second@example.com")), "SetupLinkInvalid")
    }
    assert.isTrue(Option.isNone(yield* links.issue))
    assert.deepStrictEqual([yield* count("setup_links"), yield* roots], [0, 1])
  })

  identityTest("make exactly one administrator when several people redeem at once, by one link or two", function*() {
    const [token, other] = [yield* issued, yield* issued]
    const ends = yield* Effect.forEach(
      [token, token, other, other],
      (used, index) => outcome(redeem(used, `${index}@example.com`)),
      { concurrency: "unbounded" }
    )
    assert.sameMembers([...ends], ["ok", "SetupLinkInvalid", "SetupLinkInvalid", "SetupLinkInvalid"])
    assert.deepStrictEqual([yield* count("users"), yield* roots, yield* count("sessions")], [1, 1, 1])
  })

  identityTest("wait for the administrator that is being made, and then make none", function*() {
    const sql = yield* SqlClient.SqlClient
    const other = yield* issued
    const begin = yield* Deferred.make<void>()
    // Started outside, so that it is not part of the transaction below.
    const second = yield* Effect.forkChild(
      outcome(Effect.andThen(Deferred.await(begin), redeem(other, "second@example.com")))
    )
    const isWaiting = Effect.map(
      sql`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      (rows) => rows.length === 1
    )
    yield* inTransaction(
      sql,
      Effect.gen(function*() {
        yield* insertUser(sql, { email: "first@example.com", role: "root", passwordHash: null })
        yield* Deferred.succeed(begin, undefined)
        yield* until("the second one waits", isWaiting)
      })
    )
    assert.strictEqual(yield* Fiber.join(second), "SetupLinkInvalid")
    assert.deepStrictEqual([yield* count("users"), yield* roots], [1, 1])
  })

  identityTest("that were not issued make nobody, and cost no hash", function*(world) {
    const links = yield* SetupLinks
    yield* issued
    for (const text of ["", "x", "A".repeat(43), "x".repeat(100_000)]) {
      assert.isFalse(yield* links.isValid(Redacted.make(text)))
      assert.strictEqual(yield* outcome(redeem(Redacted.make(text), "nobody", "")), "SetupLinkInvalid")
    }
    assert.strictEqual(yield* count("users"), 0)
    assert.deepStrictEqual(world.compared, [])
  })

  identityTest("stay valid when they could not be used", function*() {
    const links = yield* SetupLinks
    const token = yield* issued
    yield* (yield* Login).register(person("ada@example.com"))
    assert.strictEqual(yield* outcome(redeem(token, "nobody")), "InvalidEmail")
    assert.strictEqual(yield* outcome(redeem(token, "root@example.com", "short")), "PasswordRefused")
    assert.strictEqual(yield* outcome(redeem(token, "ADA@example.com")), "EmailTaken")
    assert.isTrue(yield* links.isValid(token))
    assert.strictEqual(yield* outcome(redeem(token)), "ok")
  })

  identityTest("expire after a day, and are bounded in number", function*() {
    const links = yield* SetupLinks
    const sql = yield* SqlClient.SqlClient
    const token = yield* issued
    yield* sql`UPDATE setup_links SET expires_at = expires_at - interval '23 hours 59 minutes'`
    assert.isTrue(yield* links.isValid(token))
    yield* sql`UPDATE setup_links SET expires_at = expires_at - interval '1 minute'`
    assert.isFalse(yield* links.isValid(token))
    assert.strictEqual(yield* outcome(redeem(token)), "SetupLinkInvalid")
    yield* cleanIdentity
    assert.strictEqual(yield* count("setup_links"), 0)
    const first = yield* issued
    for (let index = 0; index < 20; index++) yield* issued
    assert.strictEqual(yield* count("setup_links"), 20)
    assert.isFalse(yield* links.isValid(first))
  })

  identityTest("are void once an administrator was made in another way, and by no other user", function*() {
    const links = yield* SetupLinks
    const users = yield* Users
    const token = yield* issued
    yield* users.create({ email: "ada@example.com", role: "user" })
    assert.isTrue(yield* links.isValid(token))
    yield* users.create({ email: "shell@example.com", role: "root" })
    assert.isFalse(yield* links.isValid(token))
    assert.strictEqual(yield* count("setup_links"), 0)
    assert.strictEqual(yield* outcome(redeem(token)), "SetupLinkInvalid")
  })

  identityTest("are opened by their address, while there is no administrator", function*(world) {
    const links = yield* SetupLinks
    const link = yield* openSetupLink
    const [, text = ""] = /^https:\/\/realms\.example\/setup\/([\w-]{43})$/.exec(link?.url ?? "") ?? []
    const token = Redacted.make(text)
    assert.isTrue(yield* links.isValid(token))
    yield* redeem(token)
    assert.isUndefined(yield* openSetupLink)
    assertUnsaid(world, ["/setup/", text])
  })

  identityTest("that cannot be issued do not stop the start", function*(world) {
    const sql = yield* SqlClient.SqlClient
    yield* sql`ALTER TABLE setup_links RENAME TO setup_links_away`
    assert.isUndefined(yield* setupLinkOfStart)
    assert.isTrue(world.logged.some((line) => line.includes("no setup link could be made")))
  })
})
