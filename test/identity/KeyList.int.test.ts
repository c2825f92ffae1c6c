/**
 * A user's keys as lists: with what each has spent, in its orders, narrowed, page by page, and quick however many there ever were.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { KeyList, type KeyOrder } from "../../src/identity/KeyList.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"

const Services = Layer.mergeAll(KeyList.layer, UsageFolds.layer).pipe(Layer.provideMerge(TestDatabase.layer))

let made = 0

interface KeyFields {
  readonly name: string
  readonly hint?: string
  readonly ended?: "revoked" | "expired"
  readonly limit?: bigint
  readonly period?: string
  readonly usedAgo?: string
}

const makeKey = Effect.fnUntraced(function*(userId: UserId, key: KeyFields) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: ApiKeyId }>`
    INSERT INTO api_keys (user_id, key_hash, name, hint, revoked_at, expires_at, spend_limit_micros, spend_limit_period,
        last_used_at)
      VALUES (${userId}, ${Buffer.from(`list ${++made}`)}, ${key.name}, ${key.hint ?? "sk-…aaaa"},
        CASE WHEN ${key.ended ?? ""} = 'revoked' THEN now() END, CASE WHEN ${
    key.ended ?? ""
  } = 'expired' THEN now() END,
        ${key.limit ?? null}::bigint, ${key.period ?? "total"}, now() - ${key.usedAgo ?? null}::interval)
      RETURNING id`
  return row?.id ?? ApiKeyId.make(0n)
})

const namesOf = (keys: ReadonlyArray<{ readonly name: string }>) => keys.map(({ name }) => name)

layer(Services, { excludeTestServices: true })("a user's keys", (it) => {
  it.effect("are listed with what each has spent, in all and of its limit, folded or not", () =>
    Effect.gen(function*() {
      const list = yield* KeyList
      const [userId = nobody, other = nobody] = yield* makeUsers(2)
      const day = yield* makeKey(userId, { name: "day", limit: 1_000n, period: "day" })
      const total = yield* makeKey(userId, { name: "total", limit: 1_000n })
      const nowMs = yield* Clock.currentTimeMillis
      const month = 32 * 86_400_000
      yield* insertCalls([
        callAt(userId, nowMs - month, { key_id: day, charged_micros: 5n }),
        callAt(userId, nowMs - month, { key_id: total, charged_micros: 70n }),
        callAt(userId, nowMs, { key_id: day, charged_micros: 300n }),
        callAt(userId, nowMs, { key_id: total, state: "reserved", cost_micros: null, charged_micros: null }),
        callAt(userId, nowMs, { key_id: null, charged_micros: 9_999n })
      ])
      const spent = Effect.map(
        list.live(userId, { order: "newest", limit: 10, skipped: 0 }),
        (keys) => keys.map(({ name, spentMicros, spentOfLimitMicros }) => [name, spentMicros, spentOfLimitMicros])
      )
      const expected = [["total", 90n, 90n], ["day", 305n, 300n]]
      assert.deepStrictEqual(yield* spent, expected)
      yield* (yield* UsageFolds).fold(userId)
      assert.deepStrictEqual(yield* spent, expected)
      assert.deepInclude(yield* list.find(userId, day), { spentMicros: 305n, spentOfLimitMicros: 300n })
      assert.isUndefined(yield* list.find(other, day))
      assert.deepStrictEqual(yield* list.live(other, { order: "newest", limit: 10, skipped: 0 }), [])
    }))

  it.effect("that are in use come in any order, narrowed by name or hint, and page by page", () =>
    Effect.gen(function*() {
      const list = yield* KeyList
      const [userId = nobody] = yield* makeUsers(1)
      const b = yield* makeKey(userId, { name: "Beta 100%", hint: "sk-…zzzz", usedAgo: "1 hour" })
      yield* makeKey(userId, { name: "alpha", usedAgo: "1 minute" })
      yield* makeKey(userId, { name: "gamma" })
      yield* makeKey(userId, { name: "gone", ended: "revoked" })
      yield* makeKey(userId, { name: "old", ended: "expired" })
      yield* insertCalls([callAt(userId, yield* Clock.currentTimeMillis, { key_id: b })])
      const live = (order: KeyOrder, more: object = {}) =>
        Effect.map(list.live(userId, { order, limit: 10, skipped: 0, ...more }), namesOf)
      assert.deepStrictEqual(yield* live("newest"), ["gamma", "alpha", "Beta 100%"])
      assert.deepStrictEqual(yield* live("name"), ["alpha", "Beta 100%", "gamma"])
      assert.deepStrictEqual(yield* live("spent"), ["Beta 100%", "gamma", "alpha"])
      assert.deepStrictEqual(yield* live("used"), ["alpha", "Beta 100%", "gamma"])
      assert.deepStrictEqual(yield* live("name", { limit: 2, skipped: 1 }), ["Beta 100%", "gamma"])
      assert.deepStrictEqual(yield* live("name", { text: "BETA" }), ["Beta 100%"])
      assert.deepStrictEqual(yield* live("name", { text: "zzz" }), ["Beta 100%"])
      // What means something to LIKE is a text as any other.
      assert.deepStrictEqual(yield* live("name", { text: "%" }), ["Beta 100%"])
      assert.deepStrictEqual(yield* live("name", { text: "_" }), [])
      assert.strictEqual(yield* list.countLive(userId), 3)
      assert.deepStrictEqual(namesOf(yield* list.page(userId, { limit: 10, isEnded: true })), ["old", "gone"])
      const [first] = yield* list.page(userId, { limit: 1 })
      assert.strictEqual(first?.name, "old")
      const rest = yield* list.page(userId, { limit: 10, before: first?.id })
      assert.deepStrictEqual(namesOf(rest), ["gone", "gamma", "alpha", "Beta 100%"])
    }))

  it.effect("are found by index where there ever were ten thousand", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const list = yield* KeyList
      const [userId = nobody] = yield* makeUsers(1)
      yield* sql`INSERT INTO api_keys (user_id, key_hash, hint, name, revoked_at)
        SELECT ${userId}, sha256(('many' || n)::bytea), '', n::text, CASE WHEN n > 100 THEN now() END
          FROM generate_series(1, 10000) n`
      yield* sql`ANALYZE api_keys`
      const beganMs = yield* Clock.currentTimeMillis
      assert.lengthOf(yield* list.page(userId, { limit: 21, isEnded: true }), 21)
      assert.lengthOf(yield* list.live(userId, { order: "spent", limit: 100, skipped: 0 }), 100)
      assert.isBelow((yield* Clock.currentTimeMillis) - beganMs, 2_000)
    }))
})
