import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { hash } from "node:crypto"
import { UserId } from "../../src/domain/Ids.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { LoginSessions } from "../../src/identity/LoginSessions.ts"
import { Users } from "../../src/identity/Users.ts"
import { areLive, count, identityLayer, IdentityWorld, opened } from "../support/TestIdentity.ts"

const here = { address: "192.0.2.1", userAgent: "Test/1" }

const fixture = Effect.gen(function*() {
  const sessions = yield* LoginSessions
  const sql = yield* SqlClient.SqlClient
  const user = yield* (yield* Users).create({ email: "ada@example.com", role: "user" })
  const open = (more: Partial<typeof here> = {}) => opened(user.id, { ...here, ...more })
  return { open, sessions, sql, user }
})

const test = (what: string, body: Effect.Effect<void, unknown, Effect.Services<typeof fixture>>) =>
  it.live(what, () => body.pipe(Effect.scoped, Effect.provide(identityLayer(new IdentityWorld()))))

describe("LoginSessions", () => {
  test(
    "are found by a token of which only the hash is stored",
    Effect.gen(function*() {
      const { open, sessions, sql, user } = yield* fixture
      const token = yield* open()
      assert.match(Redacted.value(token), /^[A-Za-z0-9_-]{43}$/)
      assert.notInclude(String(token), Redacted.value(token))
      const [row] = yield* sql<{ id: bigint; id_hash: Uint8Array; all: string }>`
        SELECT id, id_hash, s::text AS all FROM sessions s`
      assert.strictEqual(
        Buffer.from(row?.id_hash ?? []).toString("hex"),
        hash("sha256", Redacted.value(token), "hex")
      )
      assert.notInclude(row?.all, Redacted.value(token))
      const found = Option.getOrThrow(yield* sessions.find(token))
      assert.deepStrictEqual([found.user, found.sessionId], [user, row?.id])
      assert.deepStrictEqual(Object.keys(found.user).toSorted(), ["createdAt", "disabledAt", "email", "id", "role"])
    })
  )

  test(
    "are not found by anything else",
    Effect.gen(function*() {
      const { open } = yield* fixture
      const text = Redacted.value(yield* open())
      const changed = `${text.startsWith("A") ? "B" : "A"}${text.slice(1)}`
      const wrong = ["", "x", changed, `${text}=`, ` ${text}`, hash("sha256", text, "base64url"), "x".repeat(100_000)]
      assert.deepStrictEqual(yield* areLive(...wrong.map((one) => Redacted.make(one))), wrong.map(() => false))
    })
  )

  test(
    "end when idle for a week, and after thirty days however used",
    Effect.gen(function*() {
      const { open, sessions, sql, user } = yield* fixture
      const [idle, old, used] = [yield* open(), yield* open(), yield* open()]
      const move = (token: typeof idle, column: "last_seen_at" | "expires_at", by: string) =>
        sql`UPDATE sessions SET ${sql.literal(column)} = ${sql.literal(column)} - ${by}::interval
          WHERE id_hash = ${hash("sha256", Redacted.value(token), "buffer")}`
      yield* move(idle, "last_seen_at", "6 days 23 hours")
      yield* move(old, "expires_at", "29 days 23 hours")
      assert.deepStrictEqual(yield* areLive(old), [true])
      // Looking at it would be a use of it.
      assert.strictEqual((yield* sessions.list(user.id, used)).length, 3)
      yield* move(idle, "last_seen_at", "1 hour 1 second")
      yield* move(old, "expires_at", "1 hour")
      assert.deepStrictEqual(yield* areLive(idle, old, used), [false, false, true])
      assert.deepStrictEqual((yield* sessions.list(user.id, used)).map((one) => one.current), [true])
      assert.strictEqual(yield* count("sessions"), 3)
      yield* cleanIdentity
      assert.strictEqual(yield* count("sessions"), 1)
      assert.deepStrictEqual(yield* areLive(used), [true])
    })
  )

  test(
    "are written as used once a minute, not at each look",
    Effect.gen(function*() {
      const { open, sessions, sql } = yield* fixture
      const token = yield* open()
      const seen = Effect.map(
        sql<{ last_seen_at: Date; ago: number }>`
          SELECT last_seen_at, extract(epoch FROM now() - last_seen_at)::float8 AS ago FROM sessions`,
        ([row]) => row
      )
      yield* sql`UPDATE sessions SET last_seen_at = now() - interval '5 minutes'`
      const before = yield* seen
      yield* sessions.find(token)
      const after = yield* seen
      assert.isBelow(after?.ago ?? Infinity, 60)
      assert.notDeepEqual(after?.last_seen_at, before?.last_seen_at)
      yield* Effect.forEach([1, 2, 3], () => sessions.find(token), { concurrency: 3 })
      assert.deepStrictEqual((yield* seen)?.last_seen_at, after?.last_seen_at)
    })
  )

  test(
    "end at once when closed: one, the others, all",
    Effect.gen(function*() {
      const { open, sessions, user } = yield* fixture
      const stranger = yield* (yield* Users).create({ email: "eve@example.com", role: "user" })
      const theirs = yield* opened(stranger.id, here)
      const [one, two, three] = [yield* open(), yield* open(), yield* open()]
      yield* sessions.close(one)
      assert.deepStrictEqual(yield* areLive(one, two, three), [false, true, true])
      yield* sessions.closeOthers(user.id, three)
      assert.deepStrictEqual(yield* areLive(two, three), [false, true])
      yield* sessions.closeAll(user.id)
      assert.deepStrictEqual(yield* areLive(three, theirs), [false, true])
      yield* sessions.close(one)
    })
  )

  test(
    "of a disabled user are not found",
    Effect.gen(function*() {
      const { open, sql, user } = yield* fixture
      const token = yield* open()
      yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${user.id}`
      assert.deepStrictEqual(yield* areLive(token), [false])
    })
  )

  test(
    "are listed newest first, with what the client said, cut",
    Effect.gen(function*() {
      const { open, sessions, user } = yield* fixture
      const first = yield* open({ userAgent: `a\u0000b\n${"x".repeat(1_000)}`, address: "2001:db8::1" })
      yield* open()
      const listed = yield* sessions.list(user.id, first)
      assert.deepStrictEqual(listed.map((one) => [one.current, one.address]), [
        [false, "192.0.2.1"],
        [true, "2001:db8::1"]
      ])
      assert.strictEqual(listed[1]?.userAgent, `ab${"x".repeat(254)}`)
      assert.deepStrictEqual(yield* sessions.list(UserId.make(999_999n), first), [])
    })
  )

  test(
    "are fifty a user: the one idle longest goes, also when opened at once",
    Effect.gen(function*() {
      const { open, sql, sessions, user } = yield* fixture
      const [idle, fresh] = [yield* open(), yield* open()]
      yield* sql`UPDATE sessions SET last_seen_at = now() - interval '1 hour' WHERE id =
        (SELECT min(id) FROM sessions)`
      const more = yield* Effect.forEach(Array.from({ length: 49 }), () => open(), { concurrency: 8 })
      assert.strictEqual(yield* count("sessions"), 50)
      assert.deepStrictEqual(yield* areLive(idle, fresh), [false, true])
      assert.strictEqual((yield* sessions.list(user.id, fresh)).length, 50)
      assert.isTrue((yield* areLive(...more)).every((live) => live))
    })
  )

  test(
    "that cannot be looked up are not called closed",
    Effect.gen(function*() {
      const { open, sessions, sql } = yield* fixture
      const token = yield* open()
      yield* sql`ALTER TABLE sessions RENAME TO sessions_away`
      const error = yield* Effect.flip(sessions.find(token))
      assert.strictEqual(error._tag, "DatabaseUnavailable")
      assert.notInclude(error.message, Redacted.value(token))
    })
  )
})
