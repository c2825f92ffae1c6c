/** What a lane does when a delivery breaks off, or none can be taken: its places and its endpoints are free again. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Deferred, Effect } from "effect"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import type { DueDelivery } from "../../src/notices/DeliveryStore.ts"
import { makeLane } from "../../src/notices/NoticeLane.ts"

const AT_ONCE = 8

const deliveryOf = (id: bigint, endpointId: bigint | null): DueDelivery => ({
  id,
  uid: `uid-${id}`,
  channel: endpointId === null ? "mail" : "webhook",
  attempts: 1,
  isLast: false,
  kind: "low_balance",
  data: {},
  at: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
  noticeUserId: null,
  email: null,
  language: "en",
  endpointId,
  url: null
})

/** A queue as the table is one: each delivery is taken once, and none of a busy endpoint. */
const queueOf = (due: ReadonlyArray<DueDelivery>) => {
  let waiting = due
  return (limit: number, busy: ReadonlyArray<bigint>) =>
    Effect.sync(() => {
      const endpoints = new Set(busy)
      const taken: Array<DueDelivery> = []
      for (const delivery of waiting) {
        const { endpointId } = delivery
        if (taken.length === limit || (endpointId !== null && endpoints.has(endpointId))) continue
        taken.push(delivery)
        if (endpointId !== null) endpoints.add(endpointId)
      }
      waiting = waiting.filter((delivery) => !taken.includes(delivery))
      return taken
    })
}

const isAway = Effect.fail(
  new SqlError({ reason: new UnknownError({ cause: "away", message: "the database is away" }) })
)

describe("a lane of deliveries", () => {
  it.effect("goes on with an endpoint whose delivery died or was interrupted from inside", () =>
    Effect.gen(function*() {
      const seen: Array<bigint> = []
      const { idle, look, missed, tried } = yield* makeLane({
        claim: queueOf([deliveryOf(1n, 7n), deliveryOf(2n, 7n), deliveryOf(3n, 7n)]),
        deliver: ({ id }) =>
          Effect.suspend(() => {
            seen.push(id)
            if (id === 1n) return Effect.die(new Error("the row has no such column"))
            return id === 2n ? Effect.interrupt : Effect.succeed(true)
          }),
        stopMs: 0
      })
      yield* look
      yield* idle
      assert.deepStrictEqual(seen, [1n, 2n, 3n])
      assert.deepStrictEqual([tried(), missed()], [3, 2])
    }).pipe(Effect.scoped))

  it.effect("goes on after a look, or a delivery, that could take nothing", () =>
    Effect.gen(function*() {
      const claim = queueOf([deliveryOf(1n, 7n), deliveryOf(2n, 7n), deliveryOf(3n, null)])
      const answers = ["fails", "takes", "dies", "takes", "takes", "takes"]
      const { idle, look, tried } = yield* makeLane({
        claim: (limit, busy) => {
          const answer = answers.shift()
          if (answer === "dies") return Effect.die(new Error("no such row"))
          return answer === "fails" ? isAway : claim(Math.min(limit, 1), busy)
        },
        deliver: () => Effect.succeed(true),
        stopMs: 0
      })
      assert.strictEqual((yield* Effect.flip(look))._tag, "SqlError")
      yield* look
      yield* idle
      assert.strictEqual(tried(), 1)
      yield* look
      yield* idle
      assert.strictEqual(tried(), 3)
    }).pipe(Effect.scoped))

  it.effect("has so many deliveries under way, and takes the next when one ends", () =>
    Effect.gen(function*() {
      const ends = yield* Deferred.make<void>()
      const began: Array<bigint> = []
      const due = Array.from({ length: 3 * AT_ONCE }, (_, index) => deliveryOf(BigInt(index), null))
      const { idle, look, tried } = yield* makeLane({
        claim: queueOf(due),
        deliver: ({ id }) =>
          Effect.suspend(() => {
            began.push(id)
            return Effect.as(Deferred.await(ends), true)
          }),
        stopMs: 0
      })
      yield* look
      yield* look
      yield* Effect.yieldNow
      assert.strictEqual(began.length, AT_ONCE)
      yield* Deferred.succeed(ends, undefined)
      yield* idle
      assert.strictEqual(tried(), 3 * AT_ONCE)
    }).pipe(Effect.scoped))
})
