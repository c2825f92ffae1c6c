import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { SubscriptionId, UserId } from "../../src/domain/Ids.ts"
import { insertUser } from "../../src/identity/UserStore.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { inTransaction } from "../../src/postgres/Transaction.ts"
import { type Grant, type GrantRefused, Grants } from "../../src/subscriptions/Grants.ts"
import { SubscriptionList } from "../../src/subscriptions/SubscriptionList.ts"
import { setStanding } from "../../src/subscriptions/Subscriptions.ts"
import { onePerson } from "../support/OnePerson.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { outcome, recordedOf } from "../support/TestIdentity.ts"

const root: Actor = { name: "user:1", userId: UserId.make(1n), address: "192.0.2.1" }

let users = 0
const user = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO subscription_plans (code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros,
      limit_7d_micros, limit_30d_micros, disabled_at)
    VALUES ('basic', 'Basic', 100, 30, 5, 0, 0, 0, NULL), ('gift', 'Gift', 0, 7, 0, 0, 0, 0, NULL),
      ('old', 'Old', 100, 30, 0, 0, 0, 0, now()) ON CONFLICT DO NOTHING`
  return (yield* insertUser(sql, { email: `u${users++}@example.com`, role: "user", passwordHash: null })).id
})

const grant = (userId: UserId, more: Partial<Grant>) =>
  Effect.flatMap(
    Grants,
    (grants) => grants.grant(root, { userId, planCode: "basic", note: "sorry", key: "key-00000000", ...more })
  )

const end = (userId: UserId, subscriptionId: SubscriptionId, note = "abuse") =>
  Effect.flatMap(Grants, (grants) => grants.end(root, { userId, subscriptionId, note }))

const listed = (userId: UserId) => Effect.flatMap(SubscriptionList, (list) => list.page(userId, { limit: 10 }))

const services = Layer.mergeAll(Grants.layer, SubscriptionList.layer).pipe(
  Layer.provide(onePerson),
  Layer.provideMerge(TestDatabase.layer)
)

layer(services, { excludeTestServices: true })("Grants", (it) => {
  it.effect("are made once for a key, however often and at once they are sent", () =>
    Effect.gen(function*() {
      const [userId, other] = [yield* user, yield* user]
      const key = "double-click"
      const ids = yield* Effect.forEach(Array.from({ length: 6 }), () => grant(userId, { key }), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(ids).size, 1)
      const [item, ...rest] = yield* listed(userId)
      assert.deepStrictEqual(rest, [])
      assert.strictEqual(item?.id, ids[0])
      assert.deepInclude(item, { state: "running", orderId: null, note: "sorry", planName: "Basic" })
      for (const more of [{ key, note: "x" }, { key, planCode: "gift" }]) {
        assert.strictEqual(yield* outcome(grant(userId, more)), "GrantReused")
      }
      assert.strictEqual(yield* outcome(grant(other, { key })), "GrantReused")
      assert.deepStrictEqual(yield* recordedOf(userId), ["user:1 subscription.granted"])
      assert.deepStrictEqual(yield* listed(other), [])
    }))

  it.effect("are of plans that there are, to users that there are, with a note", () =>
    Effect.gen(function*() {
      const userId = yield* user
      const table: ReadonlyArray<readonly [Partial<Grant>, GrantRefused["reason"]]> = [
        [{ planCode: "old" }, "plan"],
        [{ planCode: "none" }, "plan"],
        [{ userId: UserId.make(999n) }, "user"],
        [{ note: " " }, "note"],
        [{ key: "short" }, "key"]
      ]
      for (const [more, reason] of table) {
        assert.deepInclude(yield* Effect.flip(grant(userId, { key: "bad-0000000", ...more })), {
          _tag: "GrantRefused",
          reason
        })
      }
      assert.deepStrictEqual([yield* listed(userId), yield* recordedOf(userId)], [[], []])
      assert.deepStrictEqual((yield* (yield* Grants).plans).map(({ code }) => code), ["basic", "gift"])
    }))

  it.effect("are ended for good, and what was to follow follows at once", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const [userId, other] = [yield* user, yield* user]
      const first = yield* grant(userId, { key: "first-00000" })
      const second = yield* grant(userId, { key: "second-0000" })
      assert.deepStrictEqual((yield* listed(userId)).map(({ state }) => state), ["coming", "running"])
      assert.strictEqual(yield* outcome(end(other, first)), "SubscriptionNotFound")
      assert.strictEqual(yield* outcome(end(userId, SubscriptionId.make(999n))), "SubscriptionNotFound")
      assert.strictEqual(yield* outcome(end(userId, first, "")), "GrantRefused")
      const ends = yield* Effect.forEach([1, 2], () => outcome(end(userId, first)), { concurrency: "unbounded" })
      assert.sameMembers([...ends], ["ok", "SubscriptionOver"])
      assert.deepStrictEqual((yield* listed(userId)).map(({ id, state }) => [id, state]), [
        [second, "running"],
        [first, "over"]
      ])
      yield* inTransaction(sql, setStanding(sql, userId, first, "runs"))
      assert.strictEqual((yield* listed(userId))[1]?.state, "over", "a provider's later word does not bring it back")
      assert.deepStrictEqual(yield* recordedOf(userId), [
        "user:1 subscription.granted",
        "user:1 subscription.granted",
        "user:1 subscription.ended"
      ])
    }))
})
