/**
 * Refusing a call is cheap, however many calls of its account are open: a refusal reads the account, not what is open. And a
 * client without anything to pay with is known without a hold being asked for.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Option, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { type SubscriptionId, UserId } from "../../src/domain/Ids.ts"
import { anotherProcess, commitOf, proxied, usageOf, voidOf } from "../support/AccountsProcess.ts"
import { ReadSpy, SpiedAccounts } from "../support/ReadSpy.ts"
import {
  adjust,
  adjustIn,
  adjustUnheard,
  audited,
  balanceOf,
  ignoreLoss,
  makeUser,
  reserveOf
} from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

const OPEN = 2_000
const REFUSALS = 300

/** A subscription with many minutes behind it, and room for `room` micros in its week. */
const subscribe = Effect.fnUntraced(function*(user: bigint, room: number) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: SubscriptionId }>`
    INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
      limit_30d_micros, starts_at, ends_at, fence)
    VALUES (${user}, 'p', 'P', 0, 0, ${
    room + 3_000
  }, 0, now() - interval '1 day', now() + interval '9 days', 7) RETURNING id`
  yield* sql`INSERT INTO usage_events (id, user_id, state, funding, subscription_id, reserved_micros, cost_micros,
      charged_micros, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, output_micros_per_1m, usage_source,
      reserved_at, lease_expires_at, settled_at, endpoint, model)
    SELECT gen_random_uuid(), ${user}, 'committed', 'subscription', ${
    row?.id ?? 0n
  }, 1, 1, 1, 0, 0, 0, 1, 1000000, 'upstream',
      date_trunc('minute', now()) - make_interval(mins => i), now(), now(), 'e', 'm' FROM generate_series(1, 3000) AS i`
  yield* sql`INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
    SELECT subscription_id, reserved_at, 1 FROM usage_events WHERE user_id = ${user}`
})

layer(SpiedAccounts, { excludeTestServices: true })("A refusal", (it) => {
  const test = audited(it)

  test(`reads none of ${OPEN} open calls, nor the windows`, function*() {
    const accounts = yield* Accounts
    const spy = yield* ReadSpy
    const user = yield* makeUser(BigInt(OPEN))
    yield* subscribe(user, 10)
    accounts.invalidate(user)
    const atMs = yield* Clock.currentTimeMillis
    yield* Effect.forEach(
      Array.from({ length: OPEN }),
      () => accounts.reserve(user, reserveOf(1n, { atMs }), ignoreLoss),
      { concurrency: "unbounded" }
    )
    const refuse = Effect.flip(accounts.reserve(user, reserveOf(100n, { atMs }), ignoreLoss))
    spy.reset()
    for (let index = 0; index < REFUSALS; index++) {
      const refused = yield* refuse
      assert.deepInclude({ ...refused }, { _tag: "FundsHeld", openHolds: OPEN })
    }
    assert.deepStrictEqual({ ...spy.counts }, { reads: REFUSALS, calls: 0, buckets: 0 })

    // Many at once share a few reads.
    spy.reset()
    yield* Effect.forEach(Array.from({ length: REFUSALS }), () => refuse, { concurrency: "unbounded" })
    assert.isAtMost(spy.counts.reads, 10)
  })

  test("reads the windows again when another process has written them", function*() {
    const accounts = yield* Accounts
    const other = yield* anotherProcess()
    const spy = yield* ReadSpy
    const user = yield* makeUser(0n)
    yield* subscribe(user, 1_000)
    const terms = { atMs: yield* Clock.currentTimeMillis, payAsYouGo: false }
    const refuse = Effect.flip(accounts.reserve(user, reserveOf(900n, terms), ignoreLoss))
    const mine = reserveOf(200n, terms)
    yield* accounts.reserve(user, mine, ignoreLoss)
    assert.deepInclude({ ...yield* refuse }, { _tag: "FundsHeld", availableMicros: 800n })
    const theirs = reserveOf(500n, terms)
    yield* other.reserve(user, theirs, ignoreLoss)
    spy.reset()
    assert.deepInclude({ ...yield* refuse }, { _tag: "FundsHeld", availableMicros: 300n, openHolds: 2 })
    assert.isAbove(spy.counts.buckets, 100)
    spy.reset()
    assert.deepInclude({ ...yield* refuse }, { _tag: "FundsHeld", availableMicros: 300n, openHolds: 2 })
    assert.deepStrictEqual({ ...spy.counts }, { reads: 1, calls: 0, buckets: 0 })
    yield* other.commit(user, commitOf(theirs.id, 500, terms.atMs))
    assert.deepInclude({ ...yield* refuse }, { _tag: "InsufficientFunds", subscribed: true })
    yield* accounts.void(user, voidOf(mine.id))
  })

  test("after a batch that was rejected is decided on windows that were read, not on those foreseen", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const user = yield* makeUser(500n)
    yield* subscribe(user, 1_000)
    const atMs = yield* Clock.currentTimeMillis
    accounts.invalidate(user)
    yield* accounts.reserve(user, reserveOf(10n, { atMs }), ignoreLoss)
    // The second asks for more than the windows have left, and is rejected with all else that its batch asks for.
    yield* adjustUnheard(user, -500n)
    const answers = yield* Effect.forEach(
      [600n, 450n, 90n],
      (micros) => Effect.result(accounts.reserve(user, reserveOf(micros, { atMs }), ignoreLoss)),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(
      answers.map((answer) => answer._tag === "Success" ? answer.success.funding : answer.failure._tag),
      ["subscription", "FundsHeld", "subscription"]
    )
    const [windows] = yield* sql<{ held: bigint }>`SELECT sum(w.held_micros)::bigint AS held FROM subscription_usage w
        JOIN user_subscriptions s ON s.id = w.subscription_id WHERE s.user_id = ${user}`
    assert.strictEqual(windows?.held, 700n)
    const left = yield* Effect.flip(accounts.reserve(user, reserveOf(301n, { atMs }), ignoreLoss))
    assert.deepInclude({ ...left }, { _tag: "FundsHeld", availableMicros: 300n })
    assert.strictEqual((yield* accounts.reserve(user, reserveOf(300n, { atMs }), ignoreLoss)).reservedMicros, 300n)
  })
})

layer(SpiedAccounts, { excludeTestServices: true })("The standing of an account", (it) => {
  it.effect("is funded by a balance, an open call or a running subscription, and empty without", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      const [rich, poor, busy, subscribed] = yield* Effect.all([
        makeUser(1n),
        makeUser(0n),
        makeUser(10n),
        makeUser(0n)
      ])
      yield* subscribe(subscribed, 0)
      const call = reserveOf(10n)
      yield* accounts.reserve(busy, call, ignoreLoss)
      const standings = yield* Effect.forEach([rich, poor, busy, subscribed], (user) => accounts.standing(user))
      assert.deepStrictEqual(standings, ["funded", "empty", "funded", "funded"])
      yield* accounts.commit(busy, commitOf(call.id, 10))
      assert.strictEqual(yield* accounts.standing(busy), "empty")
      yield* sql`UPDATE user_subscriptions SET ends_at = now(), fence = 8 WHERE user_id = ${subscribed}`
      accounts.invalidate(subscribed)
      const another = yield* anotherProcess()
      assert.strictEqual(yield* another.standing(subscribed), "empty")
      assert.strictEqual((yield* Effect.flip(accounts.standing(UserId.make(999_999n))))._tag, "UnknownAccount")
    }))

  it.effect("is said from memory where that is enough, and else read once for all who ask", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      const spy = yield* ReadSpy
      const user = yield* makeUser(5n)
      yield* accounts.standing(user)
      spy.reset()
      for (let index = 0; index < 50; index++) assert.strictEqual(yield* accounts.standing(user), "funded")
      assert.strictEqual(spy.counts.reads, 0)

      const empty = yield* makeUser(0n)
      const asked = yield* Effect.forEach(Array.from({ length: 200 }), () => accounts.standing(empty), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(asked)], ["empty"])
      assert.isAtMost(spy.counts.reads, 3)
      // Nobody was told of this money; the next question finds it.
      yield* adjustIn(sql, empty, { amountMicros: 3n })
      assert.strictEqual(yield* accounts.standing(empty), "funded")
    }))

  it.effect("cannot be said while the account cannot be read", () =>
    Effect.gen(function*() {
      const { accounts, proxy } = yield* proxied
      const [funded, empty] = [yield* makeUser(100n), yield* makeUser(0n)]
      for (const user of [funded, empty]) yield* accounts.standing(user)
      proxy.cut()
      assert.strictEqual(yield* accounts.standing(funded), "funded")
      assert.strictEqual((yield* Effect.flip(accounts.standing(empty)))._tag, "AccountUnavailable")
      proxy.mend()
      yield* eventually("it is said again", Effect.option(accounts.standing(empty)), Option.isSome)
    }))
})

layer(SpiedAccounts, { excludeTestServices: true })("What another process has ended", (it) => {
  const test = audited(it)

  test("is found out when it is asked for, though a refresh does not read it", function*() {
    const accounts = yield* Accounts
    const scope = yield* Scope.make()
    const other = yield* Scope.provide(anotherProcess(), scope)
    const user = yield* makeUser(1_000n)
    const [first, second] = [reserveOf(400n), reserveOf(400n)]
    yield* accounts.reserve(user, first, ignoreLoss)
    yield* accounts.reserve(user, second, ignoreLoss)
    yield* other.void(user, voidOf(first.id))
    yield* other.commit(user, commitOf(second.id, 100))
    yield* Scope.close(scope, Exit.void)
    const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(901n), ignoreLoss))
    assert.isTrue(refused._tag === "InsufficientFunds" && refused.availableMicros === 900n)
    // Memory still has both as open.
    const settled = yield* accounts.commit(user, commitOf(first.id, 50))
    assert.deepStrictEqual([settled.state, settled.chargedMicros], ["voided", 0n])
    const lost = yield* Effect.flip(
      accounts.extend(user, { _tag: "Extend", id: second.id, numerator: 900_000_000n, outputTokens: 1, atMs: 1_000 })
    )
    assert.strictEqual(lost._tag, "ReservationLost")
    assert.strictEqual((yield* usageOf(second.id))?.charged_micros, 100n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 900n, owed: 0n })
    yield* adjust(user, { amountMicros: 1n })
    assert.strictEqual((yield* accounts.reserve(user, reserveOf(901n), ignoreLoss)).reservedMicros, 901n)
  })
})
