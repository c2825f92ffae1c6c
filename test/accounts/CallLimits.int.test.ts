/**
 * Limits of calls: exact however many calls come at once, in two processes and across a restart; estimated tokens are corrected by the
 * usage; and what a key has spent is what its calls say.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { RateLimited, SpendLimitReached } from "../../src/accounts/AccountError.ts"
import type { Reserve } from "../../src/accounts/AccountState.ts"
import { type KeyLimits, noKeyLimits, noRateLimits, type RateLimits } from "../../src/domain/CallLimits.ts"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { anotherProcess, commitOf, voidOf } from "../support/AccountsProcess.ts"
import { audited, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"

/** A seventh of a minute, and what is rounded up. */
const SEVENTH_MS = Math.ceil(60_000 / 7) + 1

type Service = Accounts["Service"]

let keys = 0

/** A user with money and a key. */
const limited = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const userId = yield* makeUser(1_000_000n)
  const [row] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, key_hash, hint)
    VALUES (${userId}, ${Buffer.from(`limits ${++keys}`)}, 'sk') RETURNING id`
  return { userId, keyId: row?.id ?? ApiKeyId.make(0n) }
})

interface Limited {
  readonly userId: UserId
  readonly keyId: ApiKeyId
}

interface Given {
  readonly key?: Partial<KeyLimits>
  readonly user?: Partial<RateLimits>
  readonly tokens?: number
  readonly micros?: bigint
}

const ask = Effect.fnUntraced(
  function*({ keyId }: Limited, { key, micros = 100n, tokens = 10, user }: Given, atMs?: number) {
    const fields: Partial<Reserve> = {
      keyId,
      atMs: atMs ?? (yield* Clock.currentTimeMillis),
      limits: { tokens, key: { ...noKeyLimits, ...key }, user: { ...noRateLimits, ...user } }
    }
    return reserveOf(micros, fields)
  }
)

/** How many of so many calls at once are held, in turn by each process; and the refusals. */
const many = Effect.fnUntraced(function*(processes: ReadonlyArray<Service>, of: Limited, given: Given, count: number) {
  const results = yield* Effect.forEach(
    Array.from({ length: count }),
    (_, index) =>
      Effect.flatMap(ask(of, given), (command) => {
        const accounts = processes[index % processes.length]
        return accounts === undefined
          ? Effect.die(new Error("no process"))
          : Effect.map(
            Effect.result(accounts.reserve(of.userId, command, ignoreLoss)),
            (result) => ({ command, result })
          )
      }),
    { concurrency: "unbounded" }
  )
  return {
    held: results.flatMap(({ command, result }) =>
      result._tag === "Success" ? [{ command, reservation: result.success }] : []
    ),
    refused: results.flatMap(({ result }) => result._tag === "Failure" ? [result.failure] : [])
  }
})

const spentOf = Effect.fnUntraced(function*({ keyId }: Limited) {
  const sql = yield* SqlClient.SqlClient
  return Object.fromEntries(
    (yield* sql<
      { period: string; spent_micros: bigint }
    >`SELECT period, spent_micros FROM key_spend WHERE key_id = ${keyId}`)
      .map(({ period, spent_micros }) => [period, spent_micros])
  )
})

const isRateLimited = (error: { readonly _tag: string }): error is RateLimited => error._tag === "RateLimited"

const isSpent = (error: { readonly _tag: string }): error is SpendLimitReached => error._tag === "SpendLimitReached"

layer(TestAccounts, { excludeTestServices: true })("limits of calls", (it) => {
  const test = audited(it)

  for (const place of ["key", "user"] as const) {
    test(`of requests a minute of a ${place} are exact at once, in two processes and after a restart`, function*() {
      const accounts = yield* Accounts
      const of = yield* limited
      const given = { [place]: { requestsPerMinute: 7 } }
      const { held, refused } = yield* many([accounts, yield* anotherProcess()], of, given, 40)
      assert.strictEqual(held.length, 7)
      assert.strictEqual(refused.filter(isRateLimited).length, 33)
      for (const error of refused.filter(isRateLimited)) {
        assert.deepInclude(error, { of: place, limit: "requests", max: 7 })
        // One call has a seventh of a minute.
        assert.isAtMost(error.retryMs, SEVENTH_MS)
        assert.isAbove(error.retryMs, 0)
        assert.deepInclude(error.report.requests, { limit: 7, remaining: 0 })
      }
      const restarted = yield* anotherProcess()
      const again = yield* Effect.flip(restarted.reserve(of.userId, yield* ask(of, given), ignoreLoss))
      assert.isTrue(isRateLimited(again))
      // A seventh of a minute later there is room for one.
      const later = (yield* Clock.currentTimeMillis) + SEVENTH_MS
      yield* restarted.reserve(of.userId, yield* ask(of, given, later), ignoreLoss)
      assert.strictEqual(
        (yield* Effect.flip(restarted.reserve(of.userId, yield* ask(of, given, later), ignoreLoss)))._tag,
        "RateLimited"
      )
    })
  }

  test("of tokens a minute take an estimate, and its usage corrects it", function*() {
    const accounts = yield* Accounts
    const of = yield* limited
    const given = { key: { tokensPerMinute: 1_000 }, tokens: 300 }
    const { held, refused } = yield* many([accounts], of, given, 10)
    assert.deepStrictEqual([held.length, refused.every(isRateLimited)], [3, true])
    const atMs = held[0]?.command.atMs ?? 0
    const [first, second, third] = held.map(({ command }) => command.id)
    const tokensLeft = () =>
      accounts.reserve(of.userId, first === undefined ? reserveOf(1n) : held[0]?.command ?? reserveOf(1n), ignoreLoss)
    yield* tokensLeft()
    // Two of them used less, and one came to nothing: 1,000 - 10 - 20 are free again.
    yield* accounts.commit(of.userId, commitOf(first ?? "", 10))
    yield* accounts.commit(of.userId, commitOf(second ?? "", 20))
    yield* accounts.void(of.userId, voidOf(third ?? ""))
    const other = yield* anotherProcess()
    const next = yield* other.reserve(of.userId, yield* ask(of, { ...given, tokens: 900 }, atMs), ignoreLoss)
    assert.deepStrictEqual(next.report?.tokens?.limit, 1_000)
    assert.isAtMost(next.report?.tokens?.remaining ?? 0, 70)
    assert.strictEqual(
      (yield* Effect.flip(other.reserve(of.userId, yield* ask(of, { ...given, tokens: 900 }, atMs), ignoreLoss)))._tag,
      "RateLimited"
    )
    // More than was estimated counts, too.
    yield* other.commit(of.userId, commitOf(next.id, 2_000))
    const late = yield* Effect.flip(
      accounts.reserve(of.userId, yield* ask(of, { ...given, tokens: 1 }, atMs), ignoreLoss)
    )
    assert.isTrue(isRateLimited(late) && late.retryMs > 60_000)
  })

  test("of tokens a minute let a call pass that is larger than all of the limit, when nothing is used of it", function*() {
    const accounts = yield* Accounts
    const of = yield* limited
    const given = { user: { tokensPerMinute: 100 }, tokens: 5_000 }
    const { held } = yield* many([accounts], of, given, 3)
    assert.strictEqual(held.length, 1)
  })

  test("of open calls of a key are exact in two processes, and a call that ended makes room", function*() {
    const accounts = yield* Accounts
    const other = yield* anotherProcess()
    const of = yield* limited
    const given = { key: { concurrentCalls: 3 } }
    const { held, refused } = yield* many([accounts, other], of, given, 20)
    assert.strictEqual(held.length, 3)
    assert.isTrue(refused.every((error) => isRateLimited(error) && error.limit === "calls"))
    yield* accounts.void(of.userId, voidOf(held[0]?.command.id ?? ""))
    yield* other.reserve(of.userId, yield* ask(of, given), ignoreLoss)
    assert.isTrue(isRateLimited(yield* Effect.flip(accounts.reserve(of.userId, yield* ask(of, given), ignoreLoss))))
    // The user's other keys are not limited by it.
    yield* accounts.reserve(of.userId, yield* ask({ ...of, keyId: ApiKeyId.make(0x7fffffffn) }, {}), ignoreLoss)
  })

  test("of what a key may spend are exact in two processes, of each period, and count what was spent before", function*() {
    const accounts = yield* Accounts
    const other = yield* anotherProcess()
    const of = yield* limited
    const before = yield* ask(of, { micros: 50n })
    yield* accounts.reserve(of.userId, before, ignoreLoss)
    yield* accounts.commit(of.userId, commitOf(before.id, 40))
    const spend = [{ period: "total", micros: 1_000n }, { period: "day", micros: 390n }] as const
    const { held, refused } = yield* many([accounts, other], of, { key: { spend } }, 20)
    assert.strictEqual(held.length, 3)
    const error = refused.find(isSpent)
    assert.deepInclude(error, {
      limitMicros: 390n,
      spentMicros: 340n,
      period: "day",
      neededMicros: 100n,
      roomMicros: 50n
    })
    assert.strictEqual(refused.filter(isSpent).length, 17)
    // What was not needed makes room; a call without the limit counts as well.
    yield* accounts.commit(of.userId, commitOf(held[0]?.command.id ?? "", 10))
    yield* other.commit(of.userId, commitOf(held[1]?.command.id ?? "", 30))
    assert.deepStrictEqual(yield* spentOf(of), { total: 180n, day: 180n })
    const free = yield* ask(of, { micros: 100n })
    yield* other.reserve(of.userId, free, ignoreLoss)
    const two = yield* many([accounts, other], of, { key: { spend } }, 5)
    assert.strictEqual(two.held.length, 1)
    const [last] = two.held
    yield* accounts.extend(of.userId, {
      _tag: "Extend",
      id: last?.command.id ?? "",
      numerator: 110n * 1_000_000n,
      outputTokens: 1,
      spend,
      atMs: yield* Clock.currentTimeMillis
    })
    const beyond = yield* Effect.flip(accounts.extend(of.userId, {
      _tag: "Extend",
      id: last?.command.id ?? "",
      numerator: 111n * 1_000_000n,
      outputTokens: 1,
      spend,
      atMs: yield* Clock.currentTimeMillis
    }))
    assert.isTrue(isSpent(beyond))
    assert.deepStrictEqual(yield* spentOf(of), { total: 390n, day: 390n })
  })

  test("of the user come from the administrator, else from a running plan, else from the settings", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const of = yield* limited
    const given = { user: { requestsPerMinute: 2 } }
    assert.strictEqual((yield* many([accounts], of, given, 9)).held.length, 2)
    yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
        limit_30d_micros, requests_per_minute, starts_at, ends_at, fence)
      VALUES (${of.userId}, 'p', 'P', 0, 0, 0, 0, 6, now() - interval '1 hour', now() + interval '1 hour', 1)`
    accounts.invalidate(of.userId)
    // The minute is in part used up: of a limit of 6 two calls of a limit of 2 are all of it.
    const later = (yield* Clock.currentTimeMillis) + 60_000
    const hold = (limit: Given) =>
      Effect.flatMap(
        ask(of, limit, later),
        (command) => Effect.result(accounts.reserve(of.userId, command, ignoreLoss))
      )
    const results = yield* Effect.forEach(Array.from({ length: 9 }), () => hold(given), { concurrency: "unbounded" })
    assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 6)
    yield* sql`UPDATE users SET requests_per_minute = 60 WHERE id = ${of.userId}`
    accounts.invalidate(of.userId)
    const much = (yield* Clock.currentTimeMillis) + 200_000
    const own = yield* Effect.forEach(
      Array.from({ length: 70 }),
      () =>
        Effect.flatMap(
          ask(of, given, much),
          (command) => Effect.result(accounts.reserve(of.userId, command, ignoreLoss))
        ),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(own.filter(({ _tag }) => _tag === "Success").length, 60)
  })

  test("of a call that is refused for its funds take nothing", function*() {
    const accounts = yield* Accounts
    const of = yield* limited
    const given = { key: { requestsPerMinute: 1 } }
    const poor = yield* ask(of, { ...given, micros: 2_000_000n })
    assert.strictEqual((yield* Effect.flip(accounts.reserve(of.userId, poor, ignoreLoss)))._tag, "InsufficientFunds")
    yield* accounts.reserve(of.userId, yield* ask(of, given), ignoreLoss)
  })
})
