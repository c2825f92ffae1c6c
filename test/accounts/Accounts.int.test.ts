import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Option, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { makeReservationId, UserId } from "../../src/domain/Ids.ts"
import { anotherProcess, commitOf, proxied, usageOf, voidOf } from "../support/AccountsProcess.ts"
import {
  adjust,
  audited,
  balanceOf,
  ChargingPolicyLayer,
  ignoreLoss,
  makeUser,
  reserveOf,
  TestAccounts
} from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

layer(TestAccounts, { excludeTestServices: true })("Accounts", (it) => {
  const test = audited(it)

  test("holds, settles, repeats and returns", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const first = reserveOf(600n)
    const held = yield* accounts.reserve(user, first, ignoreLoss)
    assert.strictEqual(held.reservedMicros, 600n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 400n, owed: 0n })
    const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(600n), ignoreLoss))
    assert.deepInclude({ ...refused }, { _tag: "FundsHeld", neededMicros: 600n, availableMicros: 400n, openHolds: 1 })
    const never = yield* Effect.flip(accounts.reserve(user, reserveOf(1_001n), ignoreLoss))
    assert.strictEqual(never._tag, "InsufficientFunds")
    const settled = yield* accounts.commit(user, commitOf(first.id, 450))
    assert.strictEqual(settled.chargedMicros, 450n)
    const again = yield* accounts.commit(user, commitOf(first.id, 450))
    assert.strictEqual(again.chargedMicros, 450n)
    assert.strictEqual((yield* accounts.void(user, voidOf(first.id))).state, "committed")
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
  })

  test("50 concurrent reserves of 100 on 1,000 admit exactly 10", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const results = yield* Effect.forEach(
      Array.from({ length: 50 }),
      () => Effect.result(accounts.reserve(user, reserveOf(100n), ignoreLoss)),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(results.filter((result) => result._tag === "Success").length, 10)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 0n })
  })

  test("two processes over one balance admit no more than it has", function*() {
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(1_000n)
    const results = yield* Effect.forEach(
      Array.from({ length: 60 }, (_, index) => index % 2 === 0 ? one : two),
      (accounts) => Effect.result(accounts.reserve(user, reserveOf(100n), ignoreLoss)),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(results.filter((result) => result._tag === "Success").length, 10)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 0n })
  })

  test("an over-run is collected, the rest owed, and every inflow pays it first", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const first = reserveOf(600n)
    const second = reserveOf(300n)
    yield* accounts.reserve(user, first, ignoreLoss)
    yield* accounts.reserve(user, second, ignoreLoss)
    const settled = yield* accounts.commit(user, commitOf(first.id, 900))
    assert.strictEqual(settled.costMicros, 900n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 200n })
    assert.strictEqual(
      (yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss)))._tag,
      "InsufficientFunds"
    )
    yield* accounts.void(user, voidOf(second.id))
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 100n, owed: 0n })
    const debit = yield* adjust(user, { amountMicros: -500n, mode: "owe" })
    assert.strictEqual(debit.owedMicros, 400n)
    const credit = yield* adjust(user, { amountMicros: 1_000n })
    assert.strictEqual(credit.usdMicros, 600n)
  })

  test("a void of an id that was never written leaves a tombstone that a straggling reserve finds", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const late = reserveOf(600n)
    assert.strictEqual((yield* accounts.void(user, voidOf(late.id))).state, "voided")
    const refused = yield* Effect.flip(accounts.reserve(user, late, ignoreLoss))
    assert.strictEqual(refused._tag, "ReservationLost")
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
  })

  test("an expired hold is returned by the sweep, and a late commit is still charged, once", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const orphan = reserveOf(600n)
    // As another process would leave it: written, and held open by nobody here.
    const scope = yield* Scope.make()
    const dying = yield* Scope.provide(anotherProcess(), scope)
    yield* dying.reserve(user, orphan, ignoreLoss)
    yield* Scope.close(scope, Exit.void)
    yield* sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 second' WHERE id = ${orphan.id}`
    assert.strictEqual(yield* accounts.sweep, 1)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
    const settled = yield* accounts.commit(user, commitOf(orphan.id, 500))
    assert.isTrue(settled.late)
    yield* accounts.commit(user, commitOf(orphan.id, 500))
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 500n, owed: 0n })
  })

  test("what a process leaves open is ended by another one, with other settings, at the terms of its reserve", function*() {
    const sql = yield* SqlClient.SqlClient
    const user = yield* makeUser(10_000n)
    const terms = { billingMultiplier: 1_500_000n, leaseSeconds: 1 }
    const [swept, late, free] = [
      reserveOf(600n, terms),
      reserveOf(400n, terms),
      reserveOf(500n, { ...terms, billingEnabled: false })
    ]
    const scope = yield* Scope.make()
    const dying = yield* Scope.provide(anotherProcess(), scope)
    for (const command of [swept, late, free]) yield* dying.reserve(user, command, ignoreLoss)
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 8_500n, owed: 0n })
    // Its price is of no account any more, and what has expired is charged from now on.
    yield* sql`INSERT INTO models (id, input_micros_per_1m, cached_input_micros_per_1m, output_micros_per_1m,
        max_output_tokens) VALUES ('m', 90000000, 90000000, 90000000, 1000)`
    const other = yield* anotherProcess(ChargingPolicyLayer)
    yield* eventually(
      "all have expired",
      Effect.andThen(other.sweep, Effect.forEach([swept, late, free], ({ id }) => usageOf(id))),
      (rows) => rows.every((row) => row?.state === "expired")
    )
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 8_500n, owed: 0n })
    const settled = yield* other.commit(user, commitOf(late.id, 300))
    assert.deepStrictEqual([settled.late, settled.costMicros, settled.chargedMicros], [true, 450n, 450n])
    assert.strictEqual((yield* other.commit(user, commitOf(free.id, 300))).chargedMicros, 0n)
    const rows = yield* Effect.forEach([swept, late, free], ({ id }) => usageOf(id))
    assert.deepStrictEqual(
      rows.map((row) => [row?.state, row?.funding, row?.cost_micros, row?.charged_micros]),
      [["expired", "balance", 900n, 900n], ["committed", "balance", 450n, 450n], ["committed", "free", 450n, 0n]]
    )
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 10_000n - 900n - 450n, owed: 0n })
  })

  test("an outage beyond a lease: the first sweep behind it renews, and ends nothing of its own", function*() {
    const sql = yield* SqlClient.SqlClient
    const user = yield* makeUser(1_000n)
    const { accounts, proxy } = yield* proxied
    const command = reserveOf(600n, { leaseSeconds: 1 })
    yield* accounts.reserve(user, command, () => assert.fail("it was not lost"))
    const isOver = sql<{ over: boolean }>`SELECT lease_expires_at < now() AS over FROM open_holds
        WHERE id = ${command.id}`
    proxy.cut()
    yield* eventually("the lease is over", isOver, ([row]) => row?.over === true)
    proxy.mend()
    yield* eventually("a sweep comes through", Effect.option(accounts.sweep), Option.isSome)
    assert.strictEqual((yield* usageOf(command.id))?.state, "reserved")
    const settled = yield* accounts.commit(user, commitOf(command.id, 450))
    assert.deepStrictEqual([settled.chargedMicros, settled.late], [450n, false])
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
  })

  it.effect("a user that does not exist is said to be unknown", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      assert.strictEqual(
        (yield* Effect.flip(accounts.reserve(UserId.make(999_999n), reserveOf(1n), ignoreLoss)))._tag,
        "UnknownAccount"
      )
    }))

  test("an interrupted reserve leaves a void behind", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const ids = Array.from({ length: 30 }, makeReservationId)
    yield* Effect.forEach(
      ids,
      (id) => Effect.race(accounts.reserve(user, reserveOf(10n, { id }), ignoreLoss), Effect.succeed(undefined)),
      {
        concurrency: "unbounded"
      }
    )
    // Whatever was abandoned is settled before a later command of the same account is answered.
    const last = reserveOf(1n)
    yield* accounts.reserve(user, last, ignoreLoss)
    yield* accounts.void(user, voidOf(last.id))
    yield* accounts.drain(5_000)
  })
})
