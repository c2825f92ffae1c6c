/**
 * Admin keys end when their owner's way in is reset or the role is taken away: somebody else may have made them.
 */
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"
import { type AdminEntry, AdminKeys } from "../../src/identity/AdminKeys.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { Login } from "../../src/identity/Login.ts"
import { PasswordLinks } from "../../src/identity/PasswordLinks.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { openSession } from "../support/OpenSession.ts"
import { changesTold, identityTest, outcome } from "../support/TestIdentity.ts"
import { eventually } from "../support/Until.ts"

const makeKey = Effect.fnUntraced(function*(id: UserId, name: string) {
  const actor = { name: `user:${id}`, userId: id, address: "192.0.2.1" }
  return yield* (yield* AdminKeys).create(actor, { name, expiresAt: null }, null)
})

/** Root with an admin key and a key for calls. */
const keyed = Effect.fnUntraced(function*(email: string) {
  const { id } = yield* (yield* UserAdmin).create(cliActor, { email, role: "root" })
  const admin = yield* makeKey(id, "deploy")
  const calls = yield* (yield* ApiKeys).create({ userId: id, name: "" })
  return { id, admin, calls: calls.key }
})

type Keyed = Effect.Success<ReturnType<typeof keyed>>

/** What using each of the two keys comes to. */
const ends = ({ admin, calls }: Keyed) =>
  Effect.gen(function*() {
    const adminKeys = yield* AdminKeys
    const apiKeys = yield* ApiKeys
    return [
      yield* outcome(adminKeys.authenticate(admin.key)),
      yield* outcome(apiKeys.authenticate(Redacted.value(calls)))
    ]
  })

const revokedBy = ({ admin: { id } }: Keyed) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ actor: string }>`SELECT actor FROM audit_log
      WHERE target = ${`admin_key:${id}`} AND action = 'admin_key.revoked'`
    return rows.map(({ actor }) => actor)
  })

const password = Redacted.make("another horse entirely")

describe("admin keys", () => {
  identityTest("end when a link or the command line sets the password of their owner", function*() {
    const byLink = yield* keyed("link@example.com")
    const bySet = yield* keyed("set@example.com")
    const untouched = yield* keyed("untouched@example.com")
    const links = yield* PasswordLinks
    const { token } = yield* links.issue(cliActor, byLink.id)
    assert.deepStrictEqual(yield* ends(byLink), ["ok", "ok"], "a link alone changes nothing")
    yield* links.redeem(token, password, "192.0.2.1")
    yield* (yield* UserAdmin).setPassword(cliActor, bySet.id, password)
    assert.deepStrictEqual(yield* ends(byLink), ["AdminKeyInvalid", "ok"])
    assert.deepStrictEqual(yield* ends(bySet), ["AdminKeyInvalid", "ok"])
    assert.deepStrictEqual(yield* ends(untouched), ["ok", "ok"])
    assert.deepStrictEqual(yield* revokedBy(byLink), [`user:${byLink.id}`])
    assert.deepStrictEqual(yield* revokedBy(bySet), ["cli"])
    const made = ["admin_key_added", "deploy", "192.0.2.1"]
    assert.deepStrictEqual(yield* changesTold(byLink.id), [made, ["password", null, "192.0.2.1"]])
    assert.deepStrictEqual(yield* changesTold(bySet.id), [made, ["password", null, null]])
  })

  identityTest("end when their owner changes the password, who is told of it and was told of each", function*() {
    const root = yield* keyed("changes@example.com")
    const other = yield* keyed("other@example.com")
    yield* (yield* UserAdmin).setPassword(cliActor, root.id, password)
    const remade = { ...root, admin: yield* makeKey(root.id, "again") }
    const opened = yield* (yield* Login).login({
      email: "changes@example.com",
      password,
      address: "192.0.2.1",
      userAgent: ""
    })
    if (opened._tag !== "LoggedIn") return yield* Effect.die(new Error("not logged in"))
    const change = (current: Redacted.Redacted<string>) =>
      Effect.flatMap(Login, (login) =>
        login.changePassword({
          userId: root.id,
          password: current,
          code: "",
          next: Redacted.make("yet another horse"),
          keepToken: opened.session,
          address: "192.0.2.9"
        }))
    assert.strictEqual(yield* outcome(change(Redacted.make("not the password"))), "WrongPassword")
    assert.deepStrictEqual(yield* ends(remade), ["ok", "ok"])
    yield* change(password)
    assert.deepStrictEqual(yield* ends(remade), ["AdminKeyInvalid", "ok"])
    assert.deepStrictEqual(yield* ends(other), ["ok", "ok"])
    assert.deepStrictEqual(yield* revokedBy(remade), [`user:${root.id}`])
    assert.deepStrictEqual(yield* changesTold(root.id), [
      ["admin_key_added", "deploy", "192.0.2.1"],
      ["password", null, null],
      ["admin_key_added", "again", "192.0.2.1"],
      ["password", "1", "192.0.2.9"]
    ])
  })

  identityTest("are on record one by one when a mailed link takes an unverified account over", function*() {
    const root = yield* keyed("mailed@example.com")
    const sql = yield* SqlClient.SqlClient
    const { token } = yield* (yield* PasswordLinks).issue(cliActor, root.id)
    yield* sql`UPDATE password_links SET mailed_to = 'mailed@example.com' WHERE user_id = ${root.id}`
    yield* (yield* PasswordLinks).redeem(token, password, "192.0.2.1")
    assert.deepStrictEqual(yield* ends(root), ["AdminKeyInvalid", "InvalidApiKey"])
    assert.deepStrictEqual(yield* revokedBy(root), [`user:${root.id}`])
  })

  identityTest("end when the second factor of their owner is reset", function*() {
    const root = yield* keyed("root@example.com")
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO totp_factors (user_id, secret_sealed, key_id, last_step) VALUES (${root.id}, '', '', 0)`
    yield* (yield* SecondFactors).reset(cliActor, root.id)
    assert.deepStrictEqual(yield* ends(root), ["AdminKeyInvalid", "ok"])
    assert.deepStrictEqual(yield* revokedBy(root), ["cli"])
  })

  identityTest("are not made by a session, a key or a role that has ended meanwhile", function*() {
    const root = yield* keyed("root@example.com")
    yield* keyed("other@example.com")
    const admin = yield* UserAdmin
    const adminKeys = yield* AdminKeys
    const sql = yield* SqlClient.SqlClient
    const actor = { name: `user:${root.id}`, userId: root.id, address: "192.0.2.1" }
    yield* openSession(sql, root.id)
    const [session] = yield* sql<{ id: bigint }>`SELECT id FROM sessions WHERE user_id = ${root.id}`
    const bySession = { sessionId: session?.id ?? 0n }
    const byKey = { keyId: root.admin.id }
    const end = (by: AdminEntry) =>
      Effect.match(adminKeys.create(actor, { name: "next", expiresAt: null }, by), {
        onSuccess: () => "ok",
        onFailure: (error) => error._tag === "AdminKeyRefused" ? error.reason : error._tag
      })
    assert.deepStrictEqual([yield* end(bySession), yield* end(byKey)], ["ok", "ok"])
    // A reset that is not over yet is waited for.
    const held = yield* Deferred.make<void>()
    const locked = yield* Deferred.make<void>()
    const reset = yield* Effect.forkChild(sql.withTransaction(Effect.gen(function*() {
      yield* admin.setPassword(cliActor, root.id, password)
      yield* Deferred.succeed(locked, undefined)
      yield* Deferred.await(held)
    })))
    yield* Deferred.await(locked)
    const ended = yield* Effect.forkChild(Effect.all([end(bySession), end(byKey)], { concurrency: 2 }))
    yield* eventually(
      "both wait for the reset",
      sql<{ waiting: bigint }>`SELECT count(*) AS waiting FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ([row]) => Number(row?.waiting) === 2
    )
    yield* Deferred.succeed(held, undefined)
    yield* Fiber.join(reset)
    assert.deepStrictEqual(yield* Fiber.join(ended), ["ended", "ended"])
    assert.deepStrictEqual(
      yield* sql`SELECT FROM api_keys WHERE user_id = ${root.id} AND kind = 'admin' AND revoked_at IS NULL`,
      []
    )
    assert.strictEqual(yield* end(null), "ok")
    yield* admin.setRole(cliActor, root.id, "user")
    assert.strictEqual(yield* end(null), "ended")
  })

  identityTest("end for good when their owner becomes a user, and stay in another role", function*() {
    const root = yield* keyed("root@example.com")
    yield* keyed("other@example.com")
    const admin = yield* UserAdmin
    yield* admin.setRole(cliActor, root.id, "support")
    assert.deepStrictEqual(yield* ends(root), ["ok", "ok"])
    yield* admin.setRole(cliActor, root.id, "user")
    yield* admin.setRole(cliActor, root.id, "root")
    assert.deepStrictEqual(yield* ends(root), ["AdminKeyInvalid", "ok"])
    assert.deepStrictEqual(yield* revokedBy(root), ["cli"])
  })
})
