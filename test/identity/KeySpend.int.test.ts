/**
 * What a key has spent: folded calls, calls that are not, and open holds, each once and of this key only; and turns, one at a
 * time for a key, none for others.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Deferred, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { KeySpend } from "../../src/identity/KeySpend.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, commitLate, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"
import { until } from "../support/Until.ts"

const atPrice = { planMultiplier: 1_000_000n, groupMultiplier: 1_000_000n }

const Services = Layer.mergeAll(KeySpend.layer, UsageFolds.layer).pipe(Layer.provideMerge(TestDatabase.layer))

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

const spending = (keyId: ApiKeyId) => Effect.flatMap(KeySpend, (spend) => spend.exclusively(keyId, Effect.succeed))

layer(Services, { excludeTestServices: true })("what a key has spent", (it) => {
  it.effect("counts each call once, before and after it is folded", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const folds = yield* UsageFolds
      const { keyId: key_id, userId } = yield* limitedKey(2_000n)
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
      assert.strictEqual((yield* spending(key_id)).spentMicros, 1_004n)
      yield* folds.fold(userId)
      assert.strictEqual((yield* spending(key_id)).spentMicros, 1_004n)
      yield* insertCalls([
        callAt(userId, hourAgo + 9, { key_id, charged_micros: 200n }),
        callAt(userId, hourAgo - 5, { key_id, charged_micros: 30n }),
        callAt(userId, hourAgo + 3_600_000, { key_id, reserved_micros: 500n, ...open })
      ])
      yield* commitLate(expired.id, 66n)
      const all = {
        limitMicros: 2_000n,
        period: "total",
        resetsAt: null,
        spentMicros: 1_800n,
        roomMicros: 200n,
        ...atPrice
      } as const
      assert.deepStrictEqual(yield* spending(key_id), all)
      yield* folds.fold(userId)
      assert.deepStrictEqual(yield* spending(key_id), all)
      const [row] = yield* sql<
        { charged_micros: bigint }
      >`SELECT charged_micros FROM usage_keys WHERE key_id = ${key_id}`
      assert.strictEqual(row?.charged_micros, 1_296n)
      assert.deepInclude(yield* spending(other), { spentMicros: 7_000n, roomMicros: null })
    }))

  it.effect("counts of a limit for a day, a week or a month what began in it, folded or not", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { keyId: key_id, userId } = yield* limitedKey(1_000n)
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
          const found = yield* spending(key_id)
          assert.strictEqual(found.period, period)
          assert.strictEqual(found.resetsAt === null, period === "total")
          return [period, found.spentMicros] as const
        }))
      assert.deepStrictEqual(Object.fromEntries(yield* spent), expected)
      yield* (yield* UsageFolds).fold(userId)
      assert.deepStrictEqual(Object.fromEntries(yield* spent), expected)
    }))

  it.effect("counts of a call that began in another period what that period has, folded or not", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const spend = yield* KeySpend
      const { keyId: key_id, userId } = yield* limitedKey(1_000n)
      const nowMs = yield* Clock.currentTimeMillis
      for (const period of ["day", "week", "month"] as const) {
        yield* sql`UPDATE api_keys SET spend_limit_period = ${period} WHERE id = ${key_id}`
        yield* sql`DELETE FROM open_holds WHERE key_id = ${key_id}`
        const [before] = yield* sql<{ end: Date; first: Date }>`SELECT date_trunc(${period}, now(), 'UTC') AS end,
          (date_trunc(${period}, now() AT TIME ZONE 'UTC') - ${`1 ${period}`}::interval) AT TIME ZONE 'UTC' AS first`
        if (before === undefined) return assert.fail("no time")
        const beganMs = before.end.getTime() - 1
        const spentThen = (yield* spend.exclusively(key_id, Effect.succeed, beganMs)).spentMicros
        const spentNow = (yield* spending(key_id)).spentMicros
        const open = { state: "reserved", cost_micros: null, charged_micros: null } as const
        yield* insertCalls([
          callAt(userId, beganMs, { key_id, reserved_micros: 700n, ...open }),
          callAt(userId, before.first.getTime(), { key_id, charged_micros: 200n }),
          callAt(userId, before.first.getTime() - 1, { key_id, charged_micros: 30n }),
          callAt(userId, before.end.getTime(), { key_id, charged_micros: 4n }),
          callAt(userId, nowMs, { key_id, charged_micros: 5n })
        ])
        const check = Effect.gen(function*() {
          const then = yield* spend.exclusively(key_id, Effect.succeed, beganMs)
          // What it may still take is what its own period has left, not what the new one begins with.
          assert.strictEqual(then.spentMicros - spentThen, 900n, period)
          assert.deepStrictEqual(then.resetsAt, before.end)
          assert.strictEqual((yield* spending(key_id)).spentMicros - spentNow, 9n, period)
        })
        yield* check
        yield* (yield* UsageFolds).fold(userId)
        yield* check
      }
    }))

  it.effect("is asked for one at a time for a key, and by other keys at once", () =>
    Effect.gen(function*() {
      const spend = yield* KeySpend
      const { keyId: key, userId } = yield* limitedKey(1n)
      const other = yield* makeKey(userId, 1n)
      const go = yield* Deferred.make<void>()
      let inside = 0
      let most = 0
      const turn = Effect.gen(function*() {
        most = Math.max(most, ++inside)
        yield* Deferred.await(go)
        inside--
      })
      const turns = yield* Effect.forEach(Array.from({ length: 5 }), () =>
        Effect.forkChild(spend.exclusively(key, () => turn)))
      yield* until("the first is inside", () =>
        inside === 1)
      assert.strictEqual((yield* spending(other)).spentMicros, 0n)
      // One that is interrupted while it waits, or inside, keeps nobody.
      yield* Fiber.interrupt(turns[3] ?? (yield* Effect.die(new Error("no turn"))))
      yield* Deferred.succeed(go, undefined)
      yield* Effect.forEach(turns, Fiber.await)
      assert.deepStrictEqual([inside, most], [0, 1])
    }))

  it.effect("fails at once for all who waited for a turn that PostgreSQL left hanging, and not for later ones", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let skewMs = 0
      const nowMs = () => clock.currentTimeMillisUnsafe() + skewMs
      const context = yield* Layer.build(Layer.fresh(KeySpend.layer)).pipe(
        Effect.provideService(Clock.Clock, {
          sleep: (duration) => clock.sleep(duration),
          currentTimeMillisUnsafe: nowMs,
          currentTimeMillis: Effect.sync(nowMs),
          currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
          currentTimeNanos: clock.currentTimeNanos,
          monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
          monotonicTimeNanos: clock.monotonicTimeNanos
        })
      )
      const spend = Context.get(context, KeySpend)
      const { keyId: key } = yield* limitedKey(1n)
      const go = yield* Deferred.make<void>()
      let inside = 0
      const turn = Effect.gen(function*() {
        inside++
        yield* Deferred.await(go)
      })
      const first = yield* Effect.forkChild(spend.exclusively(key, () => turn))
      yield* until("the first is inside", () => inside === 1)
      const waiting = yield* Effect.forEach(
        Array.from({ length: 3 }),
        () => Effect.forkChild(Effect.flip(spend.exclusively(key, () => turn)), { startImmediately: true })
      )
      skewMs = 2_000
      yield* Deferred.succeed(go, undefined)
      yield* Fiber.join(first)
      for (const fiber of waiting) assert.strictEqual((yield* Fiber.join(fiber))._tag, "DatabaseUnavailable")
      assert.strictEqual(inside, 1)
      assert.strictEqual((yield* spend.exclusively(key, Effect.succeed)).spentMicros, 0n)
    }))

  it.effect("cannot be told of a key that is none", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(spending(ApiKeyId.make(0n))))._tag, "DatabaseUnavailable")
    }))
})
