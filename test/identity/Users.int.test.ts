import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../../src/domain/Ids.ts"
import { verifyPassword } from "../../src/identity/Passwords.ts"
import { Users } from "../../src/identity/Users.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const password = Redacted.make("correct horse")

layer(Users.layer.pipe(Layer.provideMerge(TestDatabase.layer)), { excludeTestServices: true })("Users", (it) => {
  it.effect("are made with an empty account and a hashed password, and are found", () =>
    Effect.gen(function*() {
      const users = yield* Users
      const sql = yield* SqlClient.SqlClient
      const user = yield* users.create({ email: "Ada@Example.com", role: "root", password })
      assert.deepInclude(user, { email: "ada@example.com", role: "root", disabledAt: null })
      assert.deepStrictEqual(yield* users.findByEmail(" ADA@example.com"), Option.some(user))
      assert.deepStrictEqual(yield* users.findById(user.id), Option.some(user))
      assert.deepInclude(yield* users.list, user)
      const rows = yield* sql<{ password_hash: string; usd_micros: bigint }>`SELECT u.password_hash, b.usd_micros
        FROM users u JOIN user_balances b ON b.user_id = u.id WHERE u.id = ${user.id}`
      assert.strictEqual(rows[0]?.usd_micros, 0n)
      assert.isTrue(yield* verifyPassword(password, rows[0]?.password_hash ?? ""))
    }))

  it.effect("have one address each, in any case, also when made at once", () =>
    Effect.gen(function*() {
      const users = yield* Users
      const made = yield* Effect.forEach(["eve@example.com", "EVE@example.com"], (email) =>
        Effect.result(users.create({ email, role: "user" })), { concurrency: 2 })
      assert.sameMembers(
        made.map((one) =>
          one._tag === "Success" ? "made" : one.failure._tag
        ),
        ["made", "EmailTaken"]
      )
    }))

  it.effect("are not made of what is no address, nor found by it", () =>
    Effect.gen(function*() {
      const users = yield* Users
      const error = yield* Effect.flip(users.create({ email: "nobody", role: "user" }))
      assert.strictEqual(error._tag, "InvalidEmail")
      assert.isTrue(Option.isNone(yield* users.findByEmail("nobody")))
      assert.isTrue(Option.isNone(yield* users.findByEmail("nobody@example.com")))
      assert.isTrue(Option.isNone(yield* users.findById(UserId.make(999_999n))))
    }))
})
