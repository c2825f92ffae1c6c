import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import {
  type Adjustment,
  ADJUSTMENT_MICROS_MAX,
  type AdjustmentRefused,
  Adjustments
} from "../../src/accounts/Adjustments.ts"
import { audit } from "../../src/accounts/Audit.ts"
import { LedgerList } from "../../src/accounts/LedgerList.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { insertUser } from "../../src/identity/UserStore.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { onePerson } from "../support/OnePerson.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { outcome } from "../support/TestIdentity.ts"

const root: Actor = { name: "user:1", userId: UserId.make(1n), address: "192.0.2.1" }

let users = 0
const account = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return (yield* insertUser(sql, { email: `u${users++}@example.com`, role: "user", passwordHash: null })).id
})

const adjust = (userId: UserId, more: Partial<Adjustment>) =>
  Effect.flatMap(
    Adjustments,
    (adjustments) =>
      adjustments.adjust(root, { userId, amountMicros: 1_000_000n, note: "why", key: "key-00000000", ...more })
  )

const entries = (userId: UserId) => Effect.flatMap(LedgerList, (list) => list.page(userId, { limit: 100 }))

const recorded = (userId: UserId) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{ actor: string; after: unknown }>`
      SELECT actor, after FROM audit_log WHERE target = ${`user:${userId}`} AND action = 'balance.adjusted' ORDER BY id`
  })

const services = Layer.mergeAll(Adjustments.layer, LedgerList.layer).pipe(
  Layer.provide(onePerson),
  Layer.provideMerge(TestDatabase.layer)
)

layer(services, { excludeTestServices: true })("Adjustments", (it) => {
  it.effect("are one entry and one record, however often and at once they are sent", () =>
    Effect.gen(function*() {
      const userId = yield* account
      const sent = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => adjust(userId, { key: "double-click", note: "  welcome " }),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(sent.filter(({ repeated }) => !repeated).length, 1)
      assert.isTrue(sent.every(({ usdMicros }) => usdMicros === 1_000_000n))
      const [entry, ...rest] = yield* entries(userId)
      assert.deepStrictEqual(rest, [])
      assert.deepInclude(entry, {
        kind: "adjustment",
        amountMicros: 1_000_000n,
        actor: "user:1",
        note: "welcome",
        refId: "double-click"
      })
      assert.deepStrictEqual(yield* recorded(userId), [{
        actor: "user:1",
        after: {
          amount_micros: "1000000",
          usd_micros: "1000000",
          owed_micros: "0",
          note: "welcome",
          key: "double-click"
        }
      }])
    }))

  it.effect("refuse a key that stood for something else, for two users at once as well", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* account, yield* account]
      const key = "used-before"
      const ends = yield* Effect.forEach([one, two], (userId) => outcome(adjust(userId, { key })), {
        concurrency: "unbounded"
      })
      assert.sameMembers([...ends], ["ok", "AdjustmentReused"])
      const first = ends[0] === "ok" ? one : two
      assert.strictEqual(yield* outcome(adjust(first, { key, amountMicros: 2n })), "AdjustmentReused")
      assert.strictEqual(yield* outcome(adjust(first, { key, note: "other" })), "AdjustmentReused")
      assert.strictEqual(yield* outcome(adjust(first, { key })), "ok")
      assert.strictEqual((yield* entries(one)).length + (yield* entries(two)).length, 1)
    }))

  it.effect("take a balance down to zero and no further, telling what is there", () =>
    Effect.gen(function*() {
      const userId = yield* account
      yield* adjust(userId, { key: "in-00000001", amountMicros: 5_000_000n })
      const short = yield* Effect.flip(adjust(userId, { key: "out-0000001", amountMicros: -5_000_001n }))
      assert.deepInclude(short, { _tag: "DebitRefused", neededMicros: 5_000_001n, availableMicros: 5_000_000n })
      const empty = yield* adjust(userId, { key: "out-0000001", amountMicros: -5_000_000n })
      assert.deepInclude(empty, { usdMicros: 0n, repeated: false })
      const again = yield* adjust(userId, { key: "out-0000001", amountMicros: -5_000_000n })
      assert.deepInclude(again, { usdMicros: 0n, repeated: true })
      assert.deepStrictEqual((yield* entries(userId)).map(({ amountMicros }) => amountMicros), [
        -5_000_000n,
        5_000_000n
      ])
      assert.strictEqual((yield* recorded(userId)).length, 2)
    }))

  it.effect("of no sense change nothing", () =>
    Effect.gen(function*() {
      const userId = yield* account
      const table: ReadonlyArray<readonly [Partial<Adjustment>, AdjustmentRefused["reason"]]> = [
        [{ amountMicros: 0n }, "amount"],
        [{ amountMicros: ADJUSTMENT_MICROS_MAX + 1n }, "amount"],
        [{ amountMicros: -ADJUSTMENT_MICROS_MAX - 1n }, "amount"],
        [{ note: "  " }, "note"],
        [{ note: "x".repeat(501) }, "note"],
        [{ note: "a\nb" }, "note"],
        [{ key: "" }, "key"],
        [{ key: "short" }, "key"],
        [{ key: "x".repeat(101) }, "key"],
        [{ key: "with spaces" }, "key"]
      ]
      for (const [more, reason] of table) {
        const error = yield* Effect.flip(adjust(userId, more))
        assert.deepInclude(error, { _tag: "AdjustmentRefused", reason })
      }
      assert.strictEqual(yield* outcome(adjust(UserId.make(999n), { key: "nobody-0000" })), "UnknownAccount")
      assert.deepStrictEqual([yield* entries(userId), yield* recorded(userId)], [[], []])
      assert.deepInclude(yield* adjust(userId, { key: "most-000001", amountMicros: ADJUSTMENT_MICROS_MAX }), {
        usdMicros: ADJUSTMENT_MICROS_MAX
      })
      assert.deepStrictEqual((yield* audit({ checks: [] })).problems, [])
    }))

  it.effect("are listed page by page", () =>
    Effect.gen(function*() {
      const userId = yield* account
      for (const n of [1, 2, 3]) yield* adjust(userId, { key: `paged-00${n}`, note: String(n) })
      const list = yield* LedgerList
      const first = yield* list.page(userId, { limit: 2 })
      const second = yield* list.page(userId, { limit: 2, before: first.at(-1)?.id })
      assert.deepStrictEqual([...first, ...second].map(({ note }) => note), ["3", "2", "1"])
    }))
})
