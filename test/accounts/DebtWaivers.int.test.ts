import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { DebtWaivers, type Waiver, type WaiverRefused } from "../../src/accounts/DebtWaivers.ts"
import { LedgerList } from "../../src/accounts/LedgerList.ts"
import { UserId } from "../../src/domain/Ids.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { onePerson } from "../support/OnePerson.ts"
import { adjust, audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { outcome } from "../support/TestIdentity.ts"

const root: Actor = { name: "user:1", userId: UserId.make(1n), address: "192.0.2.1" }

/** A user who owes 500 micros, from a call that cost more than its hold and the balance. */
const debtor = Effect.gen(function*() {
  const accounts = yield* Accounts
  const user = yield* makeUser(1_000n)
  const call = reserveOf(1_000n)
  yield* accounts.reserve(user, call, ignoreLoss)
  yield* accounts.commit(user, commitOf(call.id, 1_500))
  return user
})

const waive = (userId: UserId, more: Partial<Waiver>) =>
  Effect.flatMap(
    DebtWaivers,
    (waivers) => waivers.waive(root, { userId, amountMicros: 500n, note: "why", key: `key-${userId}-0000`, ...more })
  )

const recorded = (userId: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{ actor: string; before: unknown; after: unknown }>`
      SELECT actor, before, after FROM audit_log WHERE target = ${`user:${userId}`} AND action = 'debt.waived' ORDER BY id`
  })

const Services = Layer.mergeAll(DebtWaivers.layer, LedgerList.layer).pipe(
  Layer.provide(onePerson),
  Layer.provideMerge(TestAccounts)
)

layer(Services, { excludeTestServices: true })("Debt waivers", (it) => {
  const test = audited(it)

  test("are one entry and one record, however often and at once they are sent; the balance stays as it is", function*() {
    const user = yield* debtor
    const key = "double-click"
    const sent = yield* Effect.forEach(
      Array.from({ length: 8 }),
      () => waive(user, { key, amountMicros: 200n, note: " goodwill " }),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(sent.filter(({ repeated }) => !repeated).length, 1)
    assert.isTrue(sent.every(({ owedMicros, usdMicros }) => usdMicros === 0n && owedMicros === 300n))
    const [entry] = yield* (yield* LedgerList).page(user, { limit: 1 })
    assert.deepInclude(entry, {
      kind: "waiver",
      amountMicros: 0n,
      owedMicros: -200n,
      refType: "waiver",
      refId: key,
      actor: "user:1",
      note: "goodwill"
    })
    assert.deepStrictEqual(yield* recorded(user), [{
      actor: "user:1",
      before: { owed_micros: "500" },
      after: { waived_micros: "200", owed_micros: "300", note: "goodwill", key }
    }])
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 300n })
  })

  test("of all that is owed let the account pay again", function*() {
    const accounts = yield* Accounts
    const user = yield* debtor
    assert.strictEqual(
      (yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss)))._tag,
      "InsufficientFunds"
    )
    yield* waive(user, {})
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 0n })
    // What comes in now pays no debt.
    yield* adjust(user, { amountMicros: 70n })
    assert.strictEqual((yield* accounts.reserve(user, reserveOf(70n), ignoreLoss)).reservedMicros, 70n)
  })

  test("of more than is owed, of a used key, or of no sense change nothing", function*() {
    const [user, other] = [yield* debtor, yield* debtor]
    const exceeded = yield* Effect.flip(waive(user, { amountMicros: 501n }))
    assert.deepInclude({ ...exceeded }, { _tag: "DebtExceeded", owedMicros: 500n })
    const table: ReadonlyArray<readonly [Partial<Waiver>, WaiverRefused["reason"]]> = [
      [{ amountMicros: 0n }, "amount"],
      [{ amountMicros: -1n }, "amount"],
      [{ amountMicros: 10n ** 15n }, "amount"],
      [{ note: " " }, "note"],
      [{ key: "short" }, "key"]
    ]
    for (const [more, reason] of table) {
      assert.deepInclude({ ...yield* Effect.flip(waive(user, more)) }, { _tag: "WaiverRefused", reason })
    }
    assert.strictEqual(yield* outcome(waive(UserId.make(999_999n), {})), "UnknownAccount")
    assert.deepStrictEqual([yield* recorded(user), yield* balanceOf(user)], [[], { usd: 0n, owed: 500n }])
    yield* waive(user, { key: "used-before", amountMicros: 100n })
    assert.strictEqual(yield* outcome(waive(other, { key: "used-before", amountMicros: 100n })), "WaiverReused")
    assert.strictEqual(yield* outcome(waive(user, { key: "used-before", amountMicros: 50n })), "WaiverReused")
    assert.strictEqual(
      yield* outcome(waive(user, { key: "used-before", amountMicros: 100n, note: "other" })),
      "WaiverReused"
    )
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 0n, owed: 400n })
  })
})
