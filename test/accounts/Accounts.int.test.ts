import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { makeReservationId } from "../../src/domain/Ids.ts"
import {
  AccountsOver,
  balanceOf,
  entry,
  ignoreLoss,
  makeUser,
  problems,
  reserveOf,
  TestAccounts,
  used
} from "../support/TestAccounts.ts"

const commit = (id: string, tokens: number) => ({ _tag: "Commit" as const, id, outcome: used(tokens), atMs: 2_000 })
const voidOf = (id: string) => ({ _tag: "Void" as const, id, outcome: used(0) })

/** A second process over the same database, as long as the scope. */
const another = Effect.gen(function*() {
  const context = yield* Layer.build(Layer.fresh(AccountsOver))
  return Context.get(context, Accounts)
})

layer(TestAccounts, { excludeTestServices: true })("Accounts", (it) => {
  it.effect("holds, settles, repeats and returns", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const first = reserveOf(600n)
      const held = yield* accounts.reserve(user, first, ignoreLoss)
      assert.strictEqual(held.reservedMicros, 600n)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 400n, owed: 0n })
      const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(600n), ignoreLoss))
      assert.strictEqual(refused._tag, "InsufficientFunds")
      const settled = yield* accounts.commit(user, commit(first.id, 450))
      assert.strictEqual(settled.chargedMicros, 450n)
      const again = yield* accounts.commit(user, commit(first.id, 450))
      assert.strictEqual(again.chargedMicros, 450n)
      assert.strictEqual((yield* accounts.void(user, voidOf(first.id))).state, "committed")
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("50 concurrent reserves of 100 on 1,000 admit exactly 10", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const results = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.result(accounts.reserve(user, reserveOf(100n), ignoreLoss)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter((result) => result._tag === "Success").length, 10)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("two processes over one balance admit no more than it has", () =>
    Effect.gen(function*() {
      const one = yield* Accounts
      const two = yield* another
      const user = yield* makeUser(1_000n)
      const results = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => index % 2 === 0 ? one : two),
        (accounts) => Effect.result(accounts.reserve(user, reserveOf(100n), ignoreLoss)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter((result) => result._tag === "Success").length, 10)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("an over-run is collected, the rest owed, and every inflow pays it first", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const first = reserveOf(600n)
      const second = reserveOf(300n)
      yield* accounts.reserve(user, first, ignoreLoss)
      yield* accounts.reserve(user, second, ignoreLoss)
      const settled = yield* accounts.commit(user, commit(first.id, 900))
      assert.strictEqual(settled.costMicros, 900n)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 200n })
      assert.strictEqual(
        (yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss)))._tag,
        "InsufficientFunds"
      )
      yield* accounts.void(user, voidOf(second.id))
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 100n, owed: 0n })
      const debit = yield* accounts.post(user, entry({ amountMicros: -500n, mode: "owe", kind: "dispute" }))
      assert.strictEqual(debit.owedMicros, 400n)
      const credit = yield* accounts.post(user, entry({ amountMicros: 1_000n, kind: "topup" }))
      assert.strictEqual(credit.usdMicros, 600n)
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a ledger entry is posted once, a strict debit never below zero", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(100n)
      const credit = entry({ amountMicros: 50n })
      const results = yield* Effect.forEach(Array.from({ length: 20 }), () => accounts.post(user, credit), {
        concurrency: "unbounded"
      })
      assert.strictEqual(results.filter((result) => !result.repeated).length, 1)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 150n, owed: 0n })
      const refused = yield* Effect.flip(accounts.post(user, entry({ amountMicros: -151n })))
      assert.strictEqual(refused._tag, "DebitRefused")
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a void of an id that was never written leaves a tombstone that a straggling reserve finds", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const late = reserveOf(600n)
      assert.strictEqual((yield* accounts.void(user, voidOf(late.id))).state, "voided")
      const refused = yield* Effect.flip(accounts.reserve(user, late, ignoreLoss))
      assert.strictEqual(refused._tag, "ReservationLost")
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("an expired hold is returned by the sweep, and a late commit is still charged, once", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const orphan = reserveOf(600n)
      // As another process would leave it: written, and held open by nobody here.
      const scope = yield* Scope.make()
      const dying = yield* Scope.provide(another, scope)
      yield* dying.reserve(user, orphan, ignoreLoss)
      yield* Scope.close(scope, Exit.void)
      yield* sql`UPDATE usage_events SET lease_expires_at = now() - interval '1 second' WHERE id = ${orphan.id}`
      assert.strictEqual(yield* accounts.sweep, 1)
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
      const settled = yield* accounts.commit(user, commit(orphan.id, 500))
      assert.isTrue(settled.late)
      yield* accounts.commit(user, commit(orphan.id, 500))
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 500n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a user that does not exist is said to be unknown", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      assert.strictEqual(
        (yield* Effect.flip(accounts.reserve(999_999n, reserveOf(1n), ignoreLoss)))._tag,
        "UnknownAccount"
      )
    }))

  it.effect("an interrupted reserve leaves a void behind", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const ids = Array.from({ length: 30 }, makeReservationId)
      yield* Effect.forEach(ids, (id) =>
        Effect.race(accounts.reserve(user, reserveOf(10n, { id }), ignoreLoss), Effect.succeed(undefined)), {
        concurrency: "unbounded"
      })
      // Whatever was abandoned is settled before a later command of the same account is answered.
      const last = reserveOf(1n)
      yield* accounts.reserve(user, last, ignoreLoss)
      yield* accounts.void(user, voidOf(last.id))
      yield* accounts.drain(5_000)
      assert.deepStrictEqual(yield* problems, [])
    }))
})
