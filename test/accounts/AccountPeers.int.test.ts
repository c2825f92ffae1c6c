/**
 * Accounts of several runners that know one another: a command is decided by the runner that owns the account, and by the runner that
 * has the call as soon as the owner is silent, leaves or cannot be reached. Whichever runner decides, the books are right.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Scope } from "effect"
import { SqlClient } from "effect/sql"
import type { Accounts } from "../../src/accounts/Accounts.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { commitOf, untilState, usageOf, voidOf } from "../support/AccountsProcess.ts"
import { makePeer, makePeers, makeUserOf, messages, untilAnswered } from "../support/PeerAccounts.ts"
import { audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 300_000

type Service = typeof Accounts.Service

/** A reserve of 100 micros; how it went. */
const reserveAt = Effect.fnUntraced(function*(accounts: Service, userId: UserId) {
  const command = reserveOf(100n, { atMs: yield* Clock.currentTimeMillis })
  const result = yield* Effect.result(accounts.reserve(userId, command, ignoreLoss))
  return { id: command.id, tag: result._tag === "Success" ? "held" : result.failure._tag }
})

layer(TestAccounts, { excludeTestServices: true })("accounts of several runners", (it) => {
  const test = audited(it)

  test("are decided by their owner: reserve, extend, commit and void of a call that another runner has", function*() {
    const { one, two, userId } = yield* makePeers(1_000n)
    const before = yield* messages
    const command = reserveOf(100n)
    const reservation = yield* two.accounts.reserve(userId, command, ignoreLoss)
    assert.strictEqual(reservation.reservedMicros, 100n)
    assert.deepStrictEqual(reservation.price, command.price)
    const extended = yield* two.accounts.extend(userId, {
      _tag: "Extend",
      id: command.id,
      numerator: 250_000_000n,
      outputTokens: 250,
      atMs: 1_000
    })
    assert.strictEqual(extended.reservedMicros, 250n)
    assert.deepStrictEqual([one.accounts.openCount(), two.accounts.openCount()], [0, 1], "its lease is the caller's")
    const settlement = yield* two.accounts.commit(userId, commitOf(command.id, 150))
    assert.strictEqual(settlement.chargedMicros, 150n)
    const { id } = yield* reserveAt(two.accounts, userId)
    yield* two.accounts.void(userId, voidOf(id))
    const after = yield* messages
    assert.deepStrictEqual([after.answered - before.answered, after.silent - before.silent], [5, 0])
    assert.strictEqual((yield* balanceOf(userId)).usd, 850n)
  }, TEST_TIMEOUT_MS)

  test("refuse as their owner does, and what was refused is not asked again here", function*() {
    const { two, userId } = yield* makePeers(99n)
    const before = yield* messages
    assert.strictEqual((yield* reserveAt(two.accounts, userId)).tag, "InsufficientFunds")
    const after = yield* messages
    assert.strictEqual(after.answered - before.answered, 1)
  }, TEST_TIMEOUT_MS)

  test("share the last money of a user, asked by all runners at once", function*() {
    const { one, two, userId } = yield* makePeers(2_000n)
    const asked = Array.from(
      { length: 80 },
      (_, index) => reserveAt(index % 2 === 0 ? one.accounts : two.accounts, userId)
    )
    const answers = yield* Effect.all(asked, { concurrency: "unbounded" })
    const held = answers.filter(({ tag }) => tag === "held")
    assert.strictEqual(held.length, 20)
    const [mine, theirs] = [one, two].map(({ accounts }) => accounts.openCount())
    assert.strictEqual((mine ?? 0) + (theirs ?? 0), 20)
  }, TEST_TIMEOUT_MS)

  test(
    "are decided where the call is while their owner is silent, and by the owner again when it answers",
    function*() {
      const { one, two, userId } = yield* makePeers(10_000n)
      const first = yield* reserveAt(two.accounts, userId)
      assert.strictEqual(first.tag, "held")
      one.proxy.silence()
      const before = yield* messages
      const second = yield* reserveAt(two.accounts, userId)
      assert.strictEqual(second.tag, "held")
      // The owner was silent once: the others do not wait for it.
      const settlement = yield* two.accounts.commit(userId, commitOf(first.id, 40))
      assert.strictEqual(settlement.chargedMicros, 40n)
      yield* two.accounts.commit(userId, commitOf(second.id, 60))
      assert.strictEqual((yield* messages).silent - before.silent, 1)
      one.proxy.speak()
      const third = yield* reserveAt(two.accounts, userId)
      yield* until(
        "the owner is asked again, and answers",
        Effect.gen(function*() {
          yield* two.accounts.void(userId, voidOf(third.id))
          const { id } = yield* reserveAt(two.accounts, userId)
          yield* two.accounts.void(userId, voidOf(id))
          return (yield* messages).answered > before.answered
        })
      )
      assert.strictEqual((yield* balanceOf(userId)).usd, 9_900n)
    },
    TEST_TIMEOUT_MS
  )

  test("do not keep what a silent owner reserves behind the back of a call that was refused", function*() {
    const sql = yield* SqlClient.SqlClient
    const { one, two, userId } = yield* makePeers(100n)
    yield* reserveAt(one.accounts, userId)
    // The question reaches the owner, and its answer does not come back.
    one.proxy.silence()
    const refused = yield* reserveAt(two.accounts, userId)
    assert.notStrictEqual(refused.tag, "held")
    yield* untilState(refused.id, "voided")
    one.proxy.speak()
    yield* sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 second' WHERE user_id = ${userId}`
    assert.strictEqual((yield* usageOf(refused.id))?.state, "voided")
  }, TEST_TIMEOUT_MS)

  test("go on when their owner leaves: no call fails, and another runner owns them", function*() {
    const life = yield* Scope.make()
    const one = yield* Scope.provide(makePeer({ decide: "owner" }), life)
    const two = yield* makePeer({ decide: "owner" })
    const userId = yield* makeUserOf(one, two, 100_000n)
    const seen: Array<string> = []
    let isOver = false
    const call = Effect.gen(function*() {
      const { id, tag } = yield* reserveAt(two.accounts, userId)
      seen.push(tag)
      yield* two.accounts.commit(userId, commitOf(id, 10))
    })
    yield* Effect.all([
      Effect.repeat(call, { while: () => !isOver }),
      Effect.gen(function*() {
        yield* until("calls are made", () => seen.length > 20)
        yield* Scope.close(life, Exit.void)
        yield* until("the other owns the account", () => two.owns(userId))
        const before = seen.length
        yield* until("calls go on", () => seen.length > before + 20)
        isOver = true
      })
    ], { concurrency: "unbounded" })
    assert.deepStrictEqual([...new Set(seen)], ["held"])
    assert.strictEqual((yield* balanceOf(userId)).usd, 100_000n - 10n * BigInt(seen.length))
  }, TEST_TIMEOUT_MS)

  test(
    "are sent to their owner only while several runners write them, where calls are decided on arrival",
    function*() {
      const sql = yield* SqlClient.SqlClient
      const one = yield* makePeer({ decide: "arrival" })
      const two = yield* makePeer({ decide: "arrival" })
      const userId = yield* makeUserOf(one, two, 0n)
      yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
        limit_30d_micros, starts_at, ends_at, fence)
      VALUES (${userId}, 'p', 'P', 100000, 0, 0, 0, now() - interval '1 day', now() + interval '9 days', 7)`
      const before = yield* messages
      const alone = yield* reserveAt(two.accounts, userId)
      yield* two.accounts.commit(userId, commitOf(alone.id, 10))
      assert.deepStrictEqual(yield* messages, before, "nobody else writes it")
      assert.strictEqual((yield* reserveAt(one.accounts, userId)).tag, "held")
      // What this runner knew of the subscription is out of date now: its write is rejected, and decided again.
      assert.strictEqual((yield* reserveAt(two.accounts, userId)).tag, "held")
      yield* untilAnswered(two, userId)
    },
    TEST_TIMEOUT_MS
  )

  test("are not told to a runner with another master key, nor by one", function*() {
    const one = yield* makePeer({ decide: "owner" })
    const stranger = yield* makePeer({ decide: "owner", masterKey: "another key of as many characters as it takes" })
    const before = yield* messages
    const userId = yield* makeUser(1_000n)
    yield* until("the account has an owner", () => one.owns(userId) || stranger.owns(userId))
    for (const { accounts } of [one, stranger]) assert.strictEqual((yield* reserveAt(accounts, userId)).tag, "held")
    const after = yield* messages
    assert.strictEqual(after.answered, before.answered)
    assert.strictEqual(after.silent - before.silent, 1)
  }, TEST_TIMEOUT_MS)
})
