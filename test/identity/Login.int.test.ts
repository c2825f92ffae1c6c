import { assert, describe } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { LoginRefused } from "../../src/identity/IdentityError.ts"
import { Login } from "../../src/identity/Login.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { decoyHash } from "../../src/identity/Passwords.ts"
import { Users } from "../../src/identity/Users.ts"
import {
  areLive,
  assertUnsaid,
  count,
  type IdentityServices,
  identityTest,
  loggedIn,
  outcome,
  PASSWORD,
  type Person,
  person,
  proofOf,
  registered
} from "../support/TestIdentity.ts"

const ADA = "ada@example.com"
const NEXT = "another horse battery"

const change = (who: Person, current: string, next = NEXT) =>
  Effect.flatMap(Login, (login) => login.changePassword({ ...proofOf(who, "", current), next: Redacted.make(next) }))

describe("Login", () => {
  identityTest("registers a user with an empty account, who is logged in and can log in", function*() {
    const login = yield* Login
    const token = yield* login.register(person(" Ada@Example.com "))
    const { user } = Option.getOrThrow(yield* (yield* LoginSessions).find(token))
    assert.deepInclude(user, { email: ADA, role: "user", disabledAt: null })
    assert.strictEqual(yield* count("user_balances"), 1)
    const again = yield* loggedIn(person("ADA@example.com"))
    assert.notStrictEqual(Redacted.value(again), Redacted.value(token))
    assert.deepStrictEqual(yield* areLive(token, again), [true, true])
  })

  identityTest("registers nobody with a bad address or password, nor twice", function*() {
    const login = yield* Login
    const register = (email: string, password = PASSWORD) => outcome(login.register(person(email, { password })))
    const reason = (password: string) =>
      Effect.map(
        Effect.flip(login.register(person(ADA, { password }))),
        (error) => error._tag === "PasswordRefused" ? error.reason : error._tag
      )
    assert.strictEqual(yield* register("nobody"), "InvalidEmail")
    // A character beyond the first 65,536 is one, not two.
    const table = [["", "short"], ["1234567", "short"], ["𝟙𝟚𝟛𝟜", "short"], ["𝟙".repeat(257), "long"]] as const
    for (const [password, expected] of table) {
      assert.strictEqual(yield* reason(password), expected)
    }
    assert.strictEqual(yield* reason("x".repeat(1_000_000)), "long")
    assert.strictEqual(yield* count("users"), 0)
    assert.strictEqual(yield* register("longest@example.com", "𝟙".repeat(256)), "ok")
    assert.strictEqual(yield* register("shortest@example.com", "12345678"), "ok")
    assert.strictEqual(yield* register("Shortest@example.com", "87654321"), "EmailTaken")
    assert.strictEqual(yield* count("sessions"), 2)
    assert.strictEqual(
      yield* outcome(login.login(person("longest@example.com", { password: "𝟙".repeat(256) }))),
      "ok"
    )
  })

  identityTest("registers one of several with one address at once", function*() {
    const login = yield* Login
    const ends = yield* Effect.forEach(
      ["a@b.c", "A@b.c", "a@B.c"],
      (email) => outcome(login.register(person(email))),
      { concurrency: 3 }
    )
    assert.sameMembers([...ends], ["ok", "EmailTaken", "EmailTaken"])
    assert.deepStrictEqual([yield* count("users"), yield* count("sessions")], [1, 1])
  })

  identityTest("registers nobody from the moment registration is closed", function*(world) {
    const login = yield* Login
    yield* login.register(person(ADA))
    world.registration = "closed"
    // Not even what is wrong with it is told, nor whether there is such a user.
    for (const email of [ADA, "eve@example.com", "nobody"]) {
      assert.strictEqual(yield* outcome(login.register(person(email))), "RegistrationClosed")
    }
    assert.strictEqual(yield* outcome(login.login(person(ADA))), "ok")
  })

  identityTest("refuses all alike, after as much work", function*(world) {
    const login = yield* Login
    const users = yield* Users
    const sql = yield* SqlClient.SqlClient
    yield* login.register(person(ADA))
    yield* login.register(person("gone@example.com"))
    yield* sql`UPDATE users SET disabled_at = now() WHERE email = 'gone@example.com'`
    yield* users.create({ email: "none@example.com", role: "user" })
    const refuse = (email: string, password = PASSWORD) => Effect.flip(login.login(person(email, { password })))
    world.compared.length = 0
    const errors = [
      yield* refuse(ADA, "wrong password"),
      yield* refuse(ADA, ""),
      yield* refuse("gone@example.com"),
      yield* refuse("none@example.com"),
      yield* refuse("nobody@example.com"),
      yield* refuse("no address\u0000")
    ]
    const same = JSON.stringify(new LoginRefused())
    assert.deepStrictEqual([...new Set(errors.map((error) => JSON.stringify(error)))], [same])
    // One comparison each: with the decoy where there is no hash of a password.
    assert.deepStrictEqual(world.compared.map((phc) => phc === decoyHash), [false, false, false, true, true, true])
    const parameters = new Set(world.compared.map((phc) => phc.split("$").slice(0, 4).join("$")))
    assert.strictEqual(parameters.size, 1, "the decoy takes as long as a hash")
  })

  identityTest("changes a password, which ends every other session", function*() {
    const login = yield* Login
    const ada = yield* registered(ADA)
    const { token } = ada
    const stranger = yield* registered("eve@example.com")
    const others = [yield* loggedIn(person(ADA)), yield* loggedIn(person(ADA))]
    assert.strictEqual(yield* outcome(change(ada, "not the current one")), "WrongPassword")
    assert.strictEqual(yield* outcome(change(ada, PASSWORD, "short")), "PasswordRefused")
    assert.strictEqual(yield* outcome(change({ ...ada, userId: UserId.make(999_999n) }, PASSWORD)), "WrongPassword")
    assert.deepStrictEqual(yield* areLive(token, ...others), [true, true, true])
    const kept = yield* change(ada, PASSWORD)
    assert.deepStrictEqual(yield* areLive(kept, ...others, stranger.token), [true, false, false, true])
    assert.deepStrictEqual(yield* areLive(token), [false], "a copy of the old token is worth nothing")
    assert.strictEqual(yield* count("sessions"), 2, "it is the same session")
    assert.strictEqual(yield* outcome(login.login(person(ADA))), "LoginRefused")
    assert.strictEqual(yield* outcome(login.login(person(ADA, { password: NEXT }))), "ok")
  })

  identityTest("of two changes at once makes one", function*() {
    const login = yield* Login
    const ada = yield* registered(ADA)
    const nexts = ["first next password", "second next password"]
    const ends = yield* Effect.forEach(nexts, (next) => outcome(change(ada, PASSWORD, next)), {
      concurrency: 2
    })
    assert.sameMembers([...ends], ["ok", "WrongPassword"])
    const works = yield* Effect.forEach(nexts, (password) => outcome(login.login(person(ADA, { password }))))
    assert.deepStrictEqual(works, ends.map((end) => end === "ok" ? "ok" : "LoginRefused"))
  })

  identityTest(
    "opens nothing with a password that was changed, or a user disabled, while it was being checked",
    function*(world) {
      const login = yield* Login
      const sql = yield* SqlClient.SqlClient
      const ada = yield* registered(ADA)
      const context = yield* Effect.context<IdentityServices>()
      world.afterCompared = Effect.asVoid(change(ada, PASSWORD)).pipe(Effect.orDie, Effect.provide(context))
      assert.strictEqual(yield* outcome(login.login(person(ADA))), "LoginRefused")
      world.afterCompared = Effect.asVoid(sql`UPDATE users SET disabled_at = now()`).pipe(Effect.orDie)
      assert.strictEqual(yield* outcome(login.login(person(ADA, { password: NEXT }))), "LoginRefused")
      assert.strictEqual(yield* count("sessions"), 1)
    }
  )

  identityTest("takes a password that root has set, which ends all sessions", function*() {
    const login = yield* Login
    const users = yield* Users
    const { token, userId } = yield* registered(ADA)
    assert.strictEqual(yield* outcome(users.setPassword(userId, Redacted.make("short"))), "PasswordRefused")
    assert.strictEqual(yield* outcome(users.setPassword(UserId.make(999_999n), Redacted.make(NEXT))), "UserNotFound")
    assert.deepStrictEqual(yield* areLive(token), [true])
    yield* users.setPassword(userId, Redacted.make(NEXT))
    assert.deepStrictEqual(yield* areLive(token), [false])
    assert.strictEqual(yield* outcome(login.login(person(ADA))), "LoginRefused")
    assert.strictEqual(yield* outcome(login.login(person(ADA, { password: NEXT }))), "ok")
    const made = yield* users.create({ email: "new@example.com", role: "user" })
    yield* users.setPassword(made.id, Redacted.make(NEXT))
    assert.strictEqual(yield* outcome(login.login(person("new@example.com", { password: NEXT }))), "ok")
  })

  identityTest("says no password and no token, in errors or in the log", function*(world) {
    const login = yield* Login
    const sql = yield* SqlClient.SqlClient
    const ada = yield* registered(ADA)
    const { token, userId } = ada
    const key = yield* (yield* ApiKeys).create({ userId, name: "laptop" })
    const errors: Array<unknown> = [
      yield* Effect.flip(login.register(person(ADA))),
      yield* Effect.flip(login.login(person(ADA, { password: "wrong password" }))),
      yield* Effect.flip(change(ada, "wrong password"))
    ]
    yield* sql`ALTER TABLE sessions RENAME TO sessions_away`
    errors.push(yield* Effect.flip(login.login(person(ADA))))
    errors.push(yield* Effect.flip(login.register(person("eve@example.com"))))
    errors.push(yield* Effect.flip(change(ada, PASSWORD)))
    errors.push(yield* Effect.flip((yield* LoginSessions).close(token)))
    yield* Effect.logInfo("seen", errors)
    assert.isAbove(world.logged.length, 0)
    assert.isTrue(world.logged.some((line) => line.includes("DatabaseUnavailable")))
    const secrets = [PASSWORD, NEXT, "wrong password", Redacted.value(token), Redacted.value(key.key)]
    assertUnsaid(world, secrets)
    for (const error of errors) {
      const text = `${String(error)} ${JSON.stringify(error)} ${error instanceof Error ? error.stack : ""}`
      for (const secret of secrets) assert.isFalse(text.includes(secret), "a secret is in an error")
    }
    assert.strictEqual(yield* count("users"), 1, "a user without a session was made")
  })
})
