/**
 * What a key has spent: folded calls, calls that are not, and open holds, each once and of this key only - as lists show it, and as the
 * journal begins to count it.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { cleanAccounts } from "../../src/accounts/AccountCleaner.ts"
import { KeyList } from "../../src/identity/KeyList.ts"
import { type LimitPeriod, periodEnd, periodStartMs } from "../../src/domain/LimitPeriod.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, commitLate, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"

const Services = Layer.mergeAll(KeyList.layer, UsageFolds.layer).pipe(Layer.provideMerge(TestDatabase.layer))

let keys = 0

const makeKey = Effect.fnUntraced(function*(userId: UserId, limitMicros: bigint | null) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, key_hash, hint, spend_limit_micros)
    VALUES (${userId}, ${Buffer.from(String(++keys))}, 'sk', ${limitMicros}) RETURNING id`
  return row?.id ?? ApiKeyId.make(0n)
})

/** A new user with a key of such a limit. */
const limitedKey = Effect.fnUntraced(function*(limitMicros: bigint) {
  const [userId = nobody] = yield* makeUsers(1)
  return { userId, keyId: yield* makeKey(userId, limitMicros) }
})

/** What the journal begins with, of the period that a moment lies in. */
const countedAt = Effect.fnUntraced(function*(of: Limited, period: LimitPeriod, atMs: number) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ spent: bigint }>`SELECT realms_key_spent_v1(${of.userId}, ${of.keyId}, ${period},
    to_timestamp(${periodStartMs(period, atMs) / 1_000})) AS spent`
  return row?.spent ?? assert.fail("no row")
})

interface Limited {
  readonly userId: UserId
  readonly keyId: ApiKeyId
}

/** What was spent in the period of the limit, by both rules. */
const spending = Effect.fnUntraced(function*(of: Limited) {
  const key = yield* (yield* KeyList).find(of.userId, of.keyId)
  if (key === undefined) return assert.fail("no key")
  const counted = yield* countedAt(of, key.spendLimitPeriod, yield* Clock.currentTimeMillis)
  assert.strictEqual(counted, key.spentOfLimitMicros)
  return key
})

layer(Services, { excludeTestServices: true })("what a key has spent", (it) => {
  it.effect("is forgotten of keys that have been over for an hour, so that their user's account does not read it for ever", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { keyId, userId } = yield* limitedKey(1_000n)
      const [revoked, justRevoked, expired] = [
        yield* makeKey(userId, 1n),
        yield* makeKey(userId, 1n),
        yield* makeKey(userId, 1n)
      ]
      yield* sql`UPDATE api_keys SET revoked_at = now() - interval '61 minutes' WHERE id = ${revoked}`
      yield* sql`UPDATE api_keys SET revoked_at = now() - interval '59 minutes' WHERE id = ${justRevoked}`
      yield* sql`UPDATE api_keys SET expires_at = now() - interval '61 minutes' WHERE id = ${expired}`
      yield* sql`INSERT INTO key_spend (user_id, key_id, period, starts_at, spent_micros)
        SELECT user_id, id, 'total', to_timestamp(0), 5 FROM api_keys WHERE user_id = ${userId}`
      yield* cleanAccounts
      const left = yield* sql<
        { key_id: ApiKeyId }
      >`SELECT key_id FROM key_spend WHERE user_id = ${userId} ORDER BY key_id`
      assert.deepStrictEqual(left.map(({ key_id }) => key_id), [keyId, justRevoked])
    }))

  it.effect("counts each call once, before and after it is folded", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const folds = yield* UsageFolds
      const limited = yield* limitedKey(2_000n)
      const { keyId: key_id, userId } = limited
      const other = yield* makeKey(userId, null)
      const hourAgo = (yield* Clock.currentTimeMillis) - 3_600_000
      const open = { state: "reserved", cost_micros: null, charged_micros: null } as const
      const expired = callAt(userId, hourAgo + 4, { key_id, state: "expired", cost_micros: 0n, charged_micros: 0n })
      yield* insertCalls([
        callAt(userId, hourAgo, { key_id, charged_micros: 1_000n }),
        callAt(userId, hourAgo + 1, { key_id: other, charged_micros: 7_000n }),
        callAt(userId, hourAgo + 2, { key_id, state: "voided", charged_micros: 0n }),
        callAt(userId, hourAgo + 3, { key_id, reserved_micros: 4n, ...open }),
        expired
      ])
      assert.strictEqual((yield* spending(limited)).spentOfLimitMicros, 1_004n)
      yield* folds.fold(userId)
      assert.strictEqual((yield* spending(limited)).spentOfLimitMicros, 1_004n)
      yield* insertCalls([
        callAt(userId, hourAgo + 9, { key_id, charged_micros: 200n }),
        callAt(userId, hourAgo - 5, { key_id, charged_micros: 30n }),
        callAt(userId, hourAgo + 3_600_000, { key_id, reserved_micros: 500n, ...open })
      ])
      yield* commitLate(expired.id, 66n)
      const all = { spentMicros: 1_800n, spentOfLimitMicros: 1_800n }
      assert.deepInclude(yield* spending(limited), all)
      yield* folds.fold(userId)
      assert.deepInclude(yield* spending(limited), all)
      const [row] = yield* sql<
        { charged_micros: bigint }
      >`SELECT charged_micros FROM usage_keys WHERE key_id = ${key_id}`
      assert.strictEqual(row?.charged_micros, 1_296n)
      assert.deepInclude(yield* spending({ userId, keyId: other }), { spentOfLimitMicros: 7_000n })
    }))

  it.effect("counts of a limit for a day, a week or a month what began in it, folded or not", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const limited = yield* limitedKey(1_000n)
      const { keyId: key_id, userId } = limited
      const [start] = yield* sql<{ day: Date; week: Date; month: Date; now: Date }>`
        SELECT date_trunc('day', now(), 'UTC') AS day, date_trunc('week', now(), 'UTC') AS week,
          date_trunc('month', now(), 'UTC') AS month, now() AS now`
      if (start === undefined) return assert.fail("no time")
      const open = { state: "reserved", cost_micros: null, charged_micros: null } as const
      const calls = [
        // Just before each period, and at its beginning.
        ...[start.day, start.week, start.month].flatMap((at, n) => [
          callAt(userId, at.getTime() - 1, { key_id, charged_micros: 10n ** BigInt(2 * n) }),
          callAt(userId, at.getTime(), { key_id, charged_micros: 10n ** BigInt(2 * n + 1) })
        ]),
        callAt(userId, start.month.getTime() - 1, { key_id, reserved_micros: 2_000_000n, ...open }),
        callAt(userId, start.now.getTime(), { key_id, reserved_micros: 3_000_000n, ...open })
      ]
      yield* insertCalls(calls)
      const sumSince = (since: Date) =>
        calls.reduce(
          (sum, call) => call.atMs < since.getTime() ? sum : sum + (call.charged_micros ?? call.reserved_micros),
          0n
        )
      const expected = {
        day: sumSince(start.day),
        week: sumSince(start.week),
        month: sumSince(start.month),
        total: 5_111_111n
      }
      const spent = Effect.forEach(["day", "week", "month", "total"] as const, (period) =>
        Effect.gen(function*() {
          yield* sql`UPDATE api_keys SET spend_limit_period = ${period} WHERE id = ${key_id}`
          const found = yield* spending(limited)
          assert.strictEqual(found.spendLimitPeriod, period)
          return [period, found.spentOfLimitMicros] as const
        }))
      assert.deepStrictEqual(Object.fromEntries(yield* spent), expected)
      yield* (yield* UsageFolds).fold(userId)
      assert.deepStrictEqual(Object.fromEntries(yield* spent), expected)
    }))

  it.effect("counts of a call that began in another period what that period has, folded or not", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const limited = yield* limitedKey(1_000n)
      const { keyId: key_id, userId } = limited
      const nowMs = yield* Clock.currentTimeMillis
      for (const period of ["day", "week", "month"] as const) {
        yield* sql`UPDATE api_keys SET spend_limit_period = ${period} WHERE id = ${key_id}`
        yield* sql`DELETE FROM open_holds WHERE key_id = ${key_id}`
        const [before] = yield* sql<{ end: Date; first: Date }>`SELECT date_trunc(${period}, now(), 'UTC') AS end,
          (date_trunc(${period}, now() AT TIME ZONE 'UTC') - ${`1 ${period}`}::interval) AT TIME ZONE 'UTC' AS first`
        if (before === undefined) return assert.fail("no time")
        const beganMs = before.end.getTime() - 1
        const spentThen = yield* countedAt(limited, period, beganMs)
        const spentNow = (yield* spending(limited)).spentOfLimitMicros
        const open = { state: "reserved", cost_micros: null, charged_micros: null } as const
        yield* insertCalls([
          callAt(userId, beganMs, { key_id, reserved_micros: 700n, ...open }),
          callAt(userId, before.first.getTime(), { key_id, charged_micros: 200n }),
          callAt(userId, before.first.getTime() - 1, { key_id, charged_micros: 30n }),
          callAt(userId, before.end.getTime(), { key_id, charged_micros: 4n }),
          callAt(userId, nowMs, { key_id, charged_micros: 5n })
        ])
        const check = Effect.gen(function*() {
          const then = yield* countedAt(limited, period, beganMs)
          // What it may still take is what its own period has left, not what the new one begins with.
          assert.strictEqual(then - spentThen, 900n, period)
          assert.deepStrictEqual(periodEnd(period, beganMs), before.end)
          assert.strictEqual((yield* spending(limited)).spentOfLimitMicros - spentNow, 9n, period)
        })
        yield* check
        yield* (yield* UsageFolds).fold(userId)
        yield* check
      }
    }))
})
