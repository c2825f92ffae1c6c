/**
 * Ledger entries, as PostgreSQL makes them: each once, a strict debit never below zero, a debit that owes, credits that pay
 * what is owed first, and the account's actor hearing of all of them.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { voidOf } from "../support/AccountsProcess.ts"
import { adjust, audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

layer(TestAccounts, { excludeTestServices: true })("Ledger entries", (it) => {
  const test = audited(it)

  test("are posted once however often they are sent, and take no more than there is unless they may owe", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(100n)
    const hold = reserveOf(50n)
    const post = (refId: string, amountMicros: bigint, mode: "strict" | "owe") =>
      Effect.map(
        adjust(user, { refId: `${user}:${refId}`, amountMicros, mode }),
        ({ outcome, owedMicros, usdMicros }) => [outcome, usdMicros, owedMicros] as const
      )
    const table = [
      ["d1", -101n, "strict", "short", 100n, 0n],
      ["d2", -40n, "strict", "posted", 60n, 0n],
      ["d2", -40n, "strict", "repeated", 60n, 0n],
      ["hold", 50n, "strict", "", 10n, 0n],
      ["d3", -30n, "owe", "posted", 0n, 20n],
      ["d4", -5n, "owe", "posted", 0n, 25n],
      ["d5", -1n, "strict", "short", 0n, 25n],
      ["c1", 10n, "strict", "posted", 0n, 15n],
      ["void", 50n, "strict", "", 35n, 0n],
      ["c2", 5n, "strict", "posted", 40n, 0n]
    ] as const
    for (const [refId, amount, mode, outcome, usd, owed] of table) {
      if (refId === "hold") yield* accounts.reserve(user, hold, ignoreLoss)
      else if (refId === "void") yield* accounts.void(user, voidOf(hold.id))
      else assert.deepStrictEqual(yield* post(refId, amount, mode), [outcome, usd, owed], refId)
      assert.deepStrictEqual(yield* balanceOf(user), { usd, owed }, refId)
    }
  })

  test("sent at once, are one", function*() {
    const user = yield* makeUser(100n)
    const sent = yield* Effect.forEach(
      Array.from({ length: 20 }),
      () => adjust(user, { refId: `${user}:once`, amountMicros: 50n }),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(sent.filter(({ outcome }) => outcome === "posted").length, 1)
    assert.isTrue(sent.every(({ usdMicros }) => usdMicros === 150n))
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 150n, owed: 0n })
  })

  it.effect("are heard of by an actor that was told of none", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(0n)
      const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(70n), ignoreLoss))
      assert.strictEqual(refused._tag, "InsufficientFunds")
      yield* adjust(user, { amountMicros: 100n })
      assert.strictEqual((yield* accounts.reserve(user, reserveOf(70n), ignoreLoss)).reservedMicros, 70n)
      yield* eventually(
        "a debt is heard of",
        Effect.andThen(adjust(user, { amountMicros: -40n, mode: "owe" }), balanceOf(user)),
        ({ owed }) => (owed ?? 0n) > 0n
      )
      const indebted = yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss))
      assert.strictEqual(indebted._tag, "InsufficientFunds")
    }))
})
