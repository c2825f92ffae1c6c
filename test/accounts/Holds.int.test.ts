/**
 * What bounds the open calls of an account is guarded in PostgreSQL, too: how many there are, and that one hold at a time is a
 * counted one, whatever two processes believe. A settlement that was decided on a stale balance answers what was written.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { Event } from "../../src/accounts/Decision.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { Reserve } from "../../src/accounts/AccountState.ts"
import { wholeBatch } from "../../src/accounts/JournalBatch.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { anotherProcess, commitOf, usageOf, voidOf } from "../support/AccountsProcess.ts"
import { accountState } from "../support/MachineAccount.ts"
import {
  adjustUnheard,
  audited,
  balanceOf,
  ignoreLoss,
  makeUser,
  reserveOf,
  TestAccounts,
  used
} from "../support/TestAccounts.ts"

const countsOf = Effect.fn("countsOf")(function*(user: bigint) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ open_holds: number; held_micros: bigint }>`
    SELECT open_holds, held_micros FROM user_balances WHERE user_id = ${user}`
  return [row?.open_holds, row?.held_micros]
})

/** Reserves as a process decides them that believes in much money and no open call. */
const decided = (command: Reserve): Event => {
  const decision = decide(accountState(1_000_000n), command)
  if (decision._tag !== "Accept") throw new Error("not decided")
  return decision.event
}

layer(TestAccounts, { excludeTestServices: true })("Holds", (it) => {
  const test = audited(it)

  test("above the bounds are rejected by PostgreSQL alone, of that user and no other", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const [full, counted, twice, other] = yield* Effect.all([
      makeUser(1_000n),
      makeUser(1_000n),
      makeUser(1_000n),
      makeUser(1_000n)
    ])
    const open = [reserveOf(10n), reserveOf(10n)]
    for (const command of open) yield* accounts.reserve(full, command, ignoreLoss)
    yield* accounts.reserve(counted, reserveOf(10n, { counted: true }), ignoreLoss)
    const send = Effect.fnUntraced(function*(...groups: ReadonlyArray<readonly [UserId, ReadonlyArray<Event>]>) {
      const parameters = wholeBatch.parameters(groups.map(([userId, events]) => ({ userId, events, fences: [] })))
      const rows = yield* sql.unsafe(wholeBatch.sql, parameters).values
      const results = wholeBatch.decode(rows)
      return groups.map(([userId]) => results.get(userId)?.note)
    })
    const bounded = () => decided(reserveOf(10n, { openHoldsMax: 2 }))
    const second = () => decided(reserveOf(10n, { counted: true }))
    const notes = yield* send(
      [full, [bounded()]],
      [counted, [second()]],
      [twice, [second(), second()]],
      [other, [bounded(), second()]]
    )
    assert.deepStrictEqual(notes, ["rejected", "rejected", "rejected", ""])
    const counts = yield* Effect.forEach([full, counted, twice, other], countsOf)
    assert.deepStrictEqual(counts, [[2, 20n], [1, 10n], [0, 0n], [2, 20n]])
    // What the same batch ends makes room in it.
    const [first] = open
    const state = { ...accountState(1_000n), openHolds: 2 }
    const ended = decide(state, voidOf(first?.id ?? ""), {
      ...(yield* accounts.reserve(full, first ?? reserveOf(0n), ignoreLoss)),
      state: "reserved",
      costMicros: 0n,
      chargedMicros: 0n,
      late: false
    })
    if (ended._tag !== "Accept") return assert.fail("the void was not decided")
    assert.deepStrictEqual(yield* send([full, [bounded(), ended.event]]), [""])
    assert.deepStrictEqual(yield* countsOf(full), [2, 20n])
  })

  test("are counted, whatever pays, and given back", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const [paid, free, kept] = [reserveOf(300n), reserveOf(50n, { billingEnabled: false }), reserveOf(100n)]
    for (const command of [paid, free, kept]) yield* accounts.reserve(user, command, ignoreLoss)
    assert.deepStrictEqual(yield* countsOf(user), [3, 400n])
    yield* accounts.extend(user, {
      _tag: "Extend",
      id: kept.id,
      numerator: 150_000_000n,
      outputTokens: 1,
      atMs: 1_000
    })
    assert.deepStrictEqual(yield* countsOf(user), [3, 450n])
    yield* accounts.commit(user, commitOf(paid.id, 400))
    assert.deepStrictEqual(yield* countsOf(user), [2, 150n])
    yield* accounts.commit(user, commitOf(paid.id, 400))
    yield* accounts.void(user, voidOf(free.id))
    yield* accounts.void(user, voidOf(kept.id))
    assert.deepStrictEqual(yield* countsOf(user), [0, 0n])
  })

  test("of two processes are as many as they may be, and no more", function*() {
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(10_000n)
    const answers = yield* Effect.forEach(
      Array.from({ length: 60 }, (_, index) => index),
      (index) => {
        const command = reserveOf(10n, { openHoldsMax: 25, billingEnabled: index % 3 !== 0 })
        const accounts = index % 2 === 0 ? one : two
        return Effect.match(accounts.reserve(user, command, ignoreLoss), {
          onSuccess: () => ({ accounts, id: command.id }),
          onFailure: (error) => error._tag === "TooManyHolds" ? [error.openHolds, error.openHoldsMax] : error
        })
      },
      { concurrency: "unbounded" }
    )
    const held = answers.filter((answer) => "accounts" in answer)
    assert.strictEqual(held.length, 25)
    assert.strictEqual((yield* countsOf(user))[0], 25)
    for (const answer of answers) if (!("accounts" in answer)) assert.deepStrictEqual(answer, [25, 25])
    const [first] = held
    if (first === undefined) return
    yield* first.accounts.void(user, voidOf(first.id))
    // The room that one process has made, the other one finds.
    const other = first.accounts === one ? two : one
    yield* other.reserve(user, reserveOf(10n, { openHoldsMax: 25 }), ignoreLoss)
  })

  test("that are counted are one at a time, in two processes as well; others go beside it", function*() {
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(10_000n)
    const ask = (accounts: typeof Accounts.Service) => {
      const command = reserveOf(10n, { counted: true })
      return Effect.match(accounts.reserve(user, command, ignoreLoss), {
        onSuccess: () => ({ accounts, id: command.id }),
        onFailure: (error) => error._tag === "FundsHeld" && error.counted ? "held" as const : error
      })
    }
    for (const round of [1, 2, 3]) {
      const answers = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => index % 2 === 0 ? one : two),
        ask,
        { concurrency: "unbounded" }
      )
      const held = answers.filter((answer) => typeof answer !== "string" && "accounts" in answer)
      assert.strictEqual(held.length, 1, `round ${round}`)
      assert.strictEqual(answers.filter((answer) => answer === "held").length, 19)
      const [first] = held
      if (first === undefined || typeof first === "string" || !("accounts" in first)) return
      yield* (first.accounts === one ? two : one).reserve(user, reserveOf(10n), ignoreLoss)
      yield* first.accounts.commit(user, commitOf(first.id, 25))
    }
  })

  it.effect("of other processes count as held: the money is there, and calls hold it", () =>
    Effect.gen(function*() {
      const one = yield* Accounts
      const two = yield* anotherProcess()
      const user = yield* makeUser(1_000n)
      const elsewhere = reserveOf(700n)
      yield* two.reserve(user, elsewhere, ignoreLoss)
      const held = yield* Effect.flip(one.reserve(user, reserveOf(800n), ignoreLoss))
      assert.deepInclude({ ...held }, { _tag: "FundsHeld", availableMicros: 300n, openHolds: 1, counted: false })
      const never = yield* Effect.flip(one.reserve(user, reserveOf(1_001n), ignoreLoss))
      assert.strictEqual(never._tag, "InsufficientFunds")
      yield* two.void(user, voidOf(elsewhere.id))
      assert.strictEqual((yield* one.reserve(user, reserveOf(800n), ignoreLoss)).reservedMicros, 800n)
    }))

  test("of a subscription's windows are told apart from what was spent, in another process, too", function*() {
    const sql = yield* SqlClient.SqlClient
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(0n)
    yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros,
          limit_7d_micros, limit_30d_micros, starts_at, ends_at, fence)
        VALUES (${user}, 'p', 'P', 0, 0, 1000, 0, now() - interval '1 day', now() + interval '9 days', 7)`
    const [row] = yield* sql<{ at: Date }>`SELECT now() AS at`
    const terms = { payAsYouGo: false, atMs: row?.at.getTime() ?? 0 }
    const [spent, open] = [reserveOf(300n, terms), reserveOf(500n, terms)]
    yield* two.reserve(user, spent, ignoreLoss)
    yield* two.commit(user, commitOf(spent.id, 200, terms.atMs))
    yield* two.reserve(user, open, ignoreLoss)
    const held = yield* Effect.flip(one.reserve(user, reserveOf(800n, terms), ignoreLoss))
    assert.deepInclude({ ...held }, { _tag: "FundsHeld", neededMicros: 800n, availableMicros: 300n, openHolds: 1 })
    const never = yield* Effect.flip(one.reserve(user, reserveOf(801n, terms), ignoreLoss))
    assert.deepInclude({ ...never }, { _tag: "InsufficientFunds", subscribed: true, outputTokensFit: 0 })
    yield* two.void(user, voidOf(open.id))
    assert.strictEqual((yield* one.reserve(user, reserveOf(800n, terms), ignoreLoss)).funding, "subscription")
  })

  test("keep the whole price and what was found out about the usage, also when they are read again", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const user = yield* makeUser(10_000_000n)
    const base = {
      inputMicrosPer1m: 1_000_000n,
      cachedInputMicrosPer1m: 500_000n,
      cacheWriteMicrosPer1m: null,
      outputMicrosPer1m: 2_000_000n
    }
    const price = {
      ...base,
      tiers: [{
        ...base,
        aboveInputTokens: 100,
        outputMicrosPer1m: 9_007_199_254_740_993n,
        cacheWriteMicrosPer1m: 7n
      }],
      tools: { webSearchMicros: 10_000n, fileSearchMicros: null }
    }
    const command = reserveOf(50_000n, { price, counted: true })
    const first = yield* accounts.reserve(user, command, ignoreLoss)
    const another = yield* anotherProcess()
    const again = yield* another.reserve(user, command, ignoreLoss)
    assert.deepStrictEqual(again, { ...first, ...again })
    assert.deepStrictEqual([again.price, again.counted], [price, true])
    const usage = {
      inputTokens: 60,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 10,
      tools: { webSearch: 2, fileSearch: 1 }
    }
    const outcome = {
      ...used(0),
      usage,
      usageFlags: ["total_unexplained", "above_context"] as const,
      excessTokens: 1e300
    }
    const settled = yield* another.commit(user, { _tag: "Commit", id: command.id, outcome, atMs: 2_000 })
    // 60 + 40 × 0.5 + 10 × 2, of the lower tier, and two searches; file searches have no price.
    assert.strictEqual(settled.chargedMicros, 20_100n)
    const [row] =
      yield* sql`SELECT web_search_calls, file_search_calls, usage_flags, excess_tokens, usage_flagged, counted
        FROM usage_events WHERE id = ${command.id}`
    assert.deepStrictEqual({ ...row }, {
      web_search_calls: 2,
      file_search_calls: 1,
      usage_flags: "total_unexplained above_context",
      excess_tokens: 9_007_199_254_740_991n,
      usage_flagged: true,
      counted: true
    })
  })

  test("settled on a balance that was changed behind their back answer what was written", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const command = reserveOf(600n)
    yield* accounts.reserve(user, command, ignoreLoss)
    yield* adjustUnheard(user, -400n)
    const settled = yield* accounts.commit(user, commitOf(command.id, 900))
    assert.deepStrictEqual([settled.costMicros, settled.chargedMicros], [900n, 600n])
    assert.strictEqual((yield* usageOf(command.id))?.charged_micros, 600n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 300n })
    const again = yield* accounts.commit(user, commitOf(command.id, 900))
    assert.deepStrictEqual(again.chargedMicros, settled.chargedMicros)
    const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss))
    assert.isTrue(refused._tag === "InsufficientFunds" && refused.owedMicros === 300n)
  })

  test("that expired in another process are settled late, and the caller hears of it", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const other = yield* anotherProcess()
    const user = yield* makeUser(1_000n)
    const command = reserveOf(600n, { leaseSeconds: 3_600 })
    yield* accounts.reserve(user, command, ignoreLoss)
    yield* sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 second' WHERE id = ${command.id}`
    assert.strictEqual(yield* other.sweep, 1)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
    const settled = yield* accounts.commit(user, commitOf(command.id, 450))
    assert.deepStrictEqual([settled.chargedMicros, settled.late], [450n, true])
    assert.deepStrictEqual(yield* countsOf(user), [0, 0n])
    const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(551n), ignoreLoss))
    assert.strictEqual(refused._tag, "InsufficientFunds")
  })
})
