/**
 * Two actors of one user at one subscription: the one that decided on an old state is rejected, reads again and is answered, and
 * rejects nobody by it.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Metric } from "effect"
import { SqlClient } from "effect/sql"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { Event } from "../../src/accounts/Decision.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { Command } from "../../src/accounts/AccountState.ts"
import { loadAccount } from "../../src/accounts/AccountStore.ts"
import { wholeBatch } from "../../src/accounts/JournalBatch.ts"
import { SubscriptionId, type UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { anotherProcess, commitOf, voidOf } from "../support/AccountsProcess.ts"
import { adjustIn, audited, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

const FENCE = 7n

const subscribe = Effect.fnUntraced(function*(userId: UserId, limitMicros: bigint) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ id: SubscriptionId }>`
    INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
      limit_30d_micros, starts_at, ends_at, fence)
    VALUES (${userId}, 'p', 'P', ${limitMicros}, 0, 0, 0, now() - interval '1 day', now() + interval '9 days', ${FENCE})
    RETURNING id`
  return row?.id ?? SubscriptionId.make(0n)
})

const fenceOf = Effect.fnUntraced(function*(id: bigint) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ fence: bigint }>`SELECT fence FROM user_subscriptions WHERE id = ${id}`
  return row?.fence
})

/** Batches and entries of all journals of this process so far, those that were rejected too. */
const written = Effect.map(Metric.snapshot, (metrics) => {
  const found = metrics.find(({ id }) => id === "realms_journal_batch_entries")
  return found?.type === "Histogram"
    ? { batches: found.state.count, entries: found.state.sum }
    : { batches: 0, entries: 0 }
})

const writtenBy = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const before = yield* written
    const answer = yield* effect
    const after = yield* written
    return { answer, batches: after.batches - before.batches, entries: after.entries - before.entries }
  })

/** A user with a subscription that two processes have read, and what each of them does with it. */
const world = Effect.fnUntraced(function*(limitMicros: bigint) {
  const one = yield* Accounts
  const two = yield* anotherProcess()
  const userId = yield* makeUser(0n)
  const subscriptionId = yield* subscribe(userId, limitMicros)
  const atMs = yield* Clock.currentTimeMillis
  const reserve = (accounts: Accounts["Service"], micros: bigint) => {
    const command = reserveOf(micros, { payAsYouGo: false, atMs })
    return Effect.map(
      Effect.result(accounts.reserve(userId, command, ignoreLoss)),
      (result) => ({ id: command.id, tag: result._tag === "Success" ? result.success.funding : result.failure._tag })
    )
  }
  // Read by both before either writes.
  assert.deepStrictEqual([yield* one.standing(userId), yield* two.standing(userId)], ["funded", "funded"])
  return { one, two, userId, subscriptionId, atMs, reserve }
})

layer(TestAccounts, { excludeTestServices: true })("the fence of a subscription", (it) => {
  const test = audited(it)

  test("stays as it is when what was decided on another one is rejected, and is replaced when that settled a call", function*() {
    const sql = yield* SqlClient.SqlClient
    const { atMs, one, reserve, subscriptionId, userId } = yield* world(1_000n)
    const first = yield* reserve(one, 100n)
    const fence = yield* fenceOf(subscriptionId)
    const connection = yield* (yield* Database).connect({ applicationName: "fence-test" })
    const { rows, state } = yield* loadAccount(sql, { userId, ids: [first.id], keyIds: [] }, atMs)
    const decided = (command: Command): Event => {
      const decision = decide(state, command, rows.get(command.id) ?? null)
      return decision._tag === "Accept" ? decision.event : assert.fail(decision._tag)
    }
    const write = (...events: ReadonlyArray<Event>) =>
      Effect.map(
        connection.queryValues(
          wholeBatch.sql,
          wholeBatch.parameters([{ userId, events, fences: [[subscriptionId, FENCE, 8n]] }])
        ),
        (answer) => wholeBatch.decode(answer).get(userId)?.note
      )
    const stale = decided(reserveOf(100n, { payAsYouGo: false, atMs }))
    assert.strictEqual(yield* write(stale), "rejected")
    assert.strictEqual(yield* fenceOf(subscriptionId), fence)
    assert.strictEqual(yield* write(stale), "rejected")
    assert.strictEqual(yield* fenceOf(subscriptionId), fence)
    // The windows have changed: everybody has to read them again, who knows the fence too.
    assert.strictEqual(yield* write(decided(commitOf(first.id, 40, atMs))), "stale")
    const replaced = yield* fenceOf(subscriptionId)
    assert.notInclude([fence, FENCE, 8n], replaced)
    const [row] = yield* sql<{ micros: bigint }>`SELECT sum(micros)::bigint AS micros FROM subscription_usage
        WHERE subscription_id = ${subscriptionId}`
    assert.strictEqual(row?.micros, 40n)
  })

  test("is not lost to a process whose writes go on, by one whose write was rejected", function*() {
    const { one, reserve, two } = yield* world(1_000n)
    assert.strictEqual((yield* reserve(one, 300n)).tag, "subscription")
    // It has read the window empty: rejected once, then it reads that there is no room.
    const rejected = yield* writtenBy(reserve(two, 800n))
    assert.deepStrictEqual([rejected.answer.tag, rejected.batches], ["FundsHeld", 1])
    const after = yield* writtenBy(reserve(one, 300n))
    assert.deepStrictEqual([after.answer.tag, after.batches, after.entries], ["subscription", 1, 1])
  })

  test("lets two processes take turns, with one rejection a turn", function*() {
    const { one, reserve, two } = yield* world(10_000n)
    for (let turn = 0; turn < 20; turn++) {
      const { answer, entries } = yield* writtenBy(reserve(turn % 2 === 0 ? one : two, 100n))
      assert.strictEqual(answer.tag, "subscription")
      assert.isAtMost(entries, 2, `turn ${turn}`)
    }
  })

  test("lets two processes that reserve at once both get answers, in bounded rejections", function*() {
    const sql = yield* SqlClient.SqlClient
    const { one, reserve, subscriptionId, two, userId } = yield* world(1_000n)
    const CALLS = 60
    // Twice as many as fit. What is heard of the account meanwhile makes both read it again, and replaces no fence.
    const race = Effect.forEach(
      Array.from({ length: CALLS }, (_, index) => index),
      (index) =>
        Effect.gen(function*() {
          if (index % 10 === 5) yield* adjustIn(sql, userId, { amountMicros: 1n })
          return { accounts: index % 2 === 0 ? one : two, ...yield* reserve(index % 2 === 0 ? one : two, 33n) }
        }),
      { concurrency: "unbounded" }
    )
    const { answer: answers, batches } = yield* writtenBy(race)
    const held = answers.filter(({ tag }) => tag === "subscription")
    assert.lengthOf(held, 30)
    assert.deepStrictEqual([...new Set(answers.map(({ tag }) => tag))].toSorted(), ["FundsHeld", "subscription"])
    // A batch is rejected only where the other process has written since: at most each of its batches rejects one.
    assert.isAtMost(batches, 2 * CALLS)
    yield* Effect.forEach(held, ({ accounts, id }) => accounts.void(userId, voidOf(id)), { concurrency: "unbounded" })
    const empty = sql<{ micros: bigint }>`SELECT sum(micros)::bigint AS micros FROM subscription_usage
        WHERE subscription_id = ${subscriptionId}`
    yield* eventually("the window is empty", empty, ([row]) => row?.micros === 0n)
    // Both know of the room that either gave back.
    assert.deepStrictEqual(
      [(yield* reserve(one, 500n)).tag, (yield* reserve(two, 500n)).tag],
      ["subscription", "subscription"]
    )
  })
})
