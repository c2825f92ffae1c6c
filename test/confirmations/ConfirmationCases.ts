/**
 * Everything that is done by hand and moves money, as requests of the administration's API: above the limits of
 * {@link confirmationLimits}, or just below.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { postInTransaction } from "../../src/accounts/Ledger.ts"
import { basicPlan } from "../../src/cli/DemoConfig.ts"
import { EventId, type UserId } from "../../src/domain/Ids.ts"
import { cliActor, recordChange } from "../../src/platform/AuditLog.ts"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { staff } from "../support/StaffClients.ts"

export const confirmationLimits = { confirm_above_usd: "5", confirm_above_cny: "20" }

/** A small plan, which one person may give: its strictest limit is 4 USD in thirty days. */
export const smallPlan = {
  ...basicPlan,
  code: "small",
  price_cny: "1.00",
  limit_5h_usd: "0",
  limit_7d_usd: "0",
  limit_30d_usd: "4"
}

/** One thing that is done by hand: a request for it, and how what it changes is read. */
export interface Case {
  /** Of the administration's API. */
  readonly path: string
  readonly body: object
  /** Whatever changes when it is done; compared as JSON. */
  readonly state: Effect.Effect<unknown>
}

let keys = 0
const keyed = (more: object = {}) => ({ note: "why", idempotency_key: `key-${++keys}-000`, ...more })

const balanceState = (userId: UserId) =>
  Effect.flatMap(PaymentWorld, (world) => Effect.map(world.balance(userId), ({ owed, usd }) => `${usd} ${owed}`))

/** A payment in review: of an order of 30.00 CNY that was paid with another sum. */
const inReview = Effect.fnUntraced(function*(money: string, amountFen = 3_000n) {
  const world = yield* PaymentWorld
  const userId = yield* world.user()
  const order = yield* Effect.orDie(world.orders.topup(userId, amountFen))
  const reference = yield* world.openEpay(order)
  world.epay.pay(reference, { money })
  yield* world.idle
  const [event] = yield* Effect.orDie(world.sql<{ id: EventId }>`SELECT e.id FROM payment_events e
    JOIN payments p ON p.id = e.payment_id JOIN payment_attempts a ON a.id = p.attempt_id
    WHERE a.order_id = ${order.id} AND e.outcome = 'needs_review'`)
  return { userId, order, reference, eventId: event?.id ?? EventId.make(0n) }
})

const paidOrder = Effect.fnUntraced(function*(amountFen: bigint) {
  const world = yield* PaymentWorld
  const userId = yield* world.user()
  const order = yield* Effect.orDie(world.orders.topup(userId, amountFen))
  const reference = yield* world.openEpay(order)
  world.epay.pay(reference)
  yield* world.idle
  assert.strictEqual(yield* world.stateOf(order), "paid")
  return { userId, order, reference }
})

/** 10 USD, and the record of it. */
const owe = (sql: SqlClient.SqlClient, userId: UserId) =>
  Effect.orDie(sql.withTransaction(Effect.gen(function*() {
    const [amountMicros, key] = [-10_000_000n, `debt-of-${userId}`]
    yield* postInTransaction(sql, userId, {
      kind: "adjustment",
      amountMicros,
      refType: "adjustment",
      refId: key,
      actor: "cli",
      note: "n",
      mode: "owe"
    })
    yield* recordChange(sql, cliActor, {
      action: "balance.adjusted",
      target: `user:${userId}`,
      before: null,
      after: { amount_micros: amountMicros, key }
    })
  })))

/** What the gateway was asked to give back of an order, each time, and what it gave. */
const gatewayState = (reference: string) =>
  Effect.map(PaymentWorld, ({ epay }) => ({
    asked: epay.requests.filter(({ act, outTradeNo }) => act === "refund" && outTradeNo === reference).length,
    fen: epay.orders.get(reference)?.refundedFen
  }))

const subscriptionsOf = (userId: UserId) =>
  Effect.flatMap(
    PaymentWorld,
    ({ sql }) => Effect.orDie(sql`SELECT plan_code FROM user_subscriptions WHERE user_id = ${userId}`)
  )

type Made = Effect.Effect<Case, never, PaymentWorld>

const provided = <A>(effect: Effect.Effect<A, never, PaymentWorld>) =>
  Effect.map(PaymentWorld, (world) => Effect.provideService(effect, PaymentWorld, world))

/** A request that changes what this user has. */
const moving = (userId: UserId, path: string, body: object): Made =>
  Effect.map(provided(balanceState(userId)), (state) => ({ path, body, state }))

const batchOf = (terms: object): Made =>
  Effect.map(PaymentWorld, ({ sql }) => {
    const name = `batch ${++keys}`
    return {
      path: "/redemption-batches",
      body: { name, ...terms },
      state: Effect.orDie(sql`SELECT codes FROM redemption_batches WHERE name = ${name}`)
    }
  })

/** What is at the limit of one person, and a micro above it. */
const dollars = (isAbove: boolean, sign: "" | "-" = "") => ({
  amount_micros: `${sign}${isAbove ? 5_000_001 : 5_000_000}`
})

/** Above the limit, and just below it. */
export const cases = {
  "balance.adjust": (isAbove) =>
    Effect.gen(function*() {
      const userId = yield* (yield* PaymentWorld).user()
      return yield* moving(userId, `/users/${userId}/adjustments`, keyed(dollars(isAbove)))
    }),
  "balance.adjust down": (isAbove) =>
    Effect.gen(function*() {
      const { order, userId } = yield* paidOrder(10_000n)
      assert.strictEqual(order.creditMicros, 14_000_000n)
      return yield* moving(userId, `/users/${userId}/adjustments`, keyed(dollars(isAbove, "-")))
    }),
  "debt.waive": (isAbove) =>
    Effect.gen(function*() {
      const { sql, user } = yield* PaymentWorld
      const userId = yield* user()
      yield* owe(sql, userId)
      return yield* moving(userId, `/users/${userId}/waive`, keyed(dollars(isAbove)))
    }),
  "codes.create": (isAbove) => batchOf({ usd_micros: "2500000", codes: isAbove ? 3 : 2 }),
  "codes.create of a plan": (isAbove) => batchOf({ plan_code: "small", codes: 1, uses_max: isAbove ? 2 : 1 }),
  "plan.grant": (isAbove) =>
    Effect.gen(function*() {
      const userId = yield* (yield* PaymentWorld).user()
      return {
        path: `/users/${userId}/subscriptions`,
        body: keyed({ plan_code: isAbove ? "basic" : "small" }),
        state: yield* provided(subscriptionsOf(userId))
      }
    }),
  // 36.00 CNY are 5.04 USD.
  "payment.accept": (isAbove) =>
    Effect.gen(function*() {
      const { eventId, userId } = yield* inReview("10.01", isAbove ? 3_600n : 3_500n)
      return yield* moving(userId, `/payments/${eventId}/accept`, { note: "why", in_proportion: false })
    }),
  "payment.credit": (isAbove) =>
    Effect.gen(function*() {
      const { eventId, userId } = yield* inReview("10.01")
      return yield* moving(userId, `/payments/${eventId}/credit`, {
        note: "why",
        user: String(userId),
        ...dollars(isAbove)
      })
    }),
  "payment.refund": (isAbove) =>
    Effect.gen(function*() {
      const { sql } = yield* PaymentWorld
      const { eventId, reference } = yield* inReview(isAbove ? "20.01" : "20.00")
      return {
        path: `/payments/${eventId}/refund`,
        body: keyed(),
        state: Effect.all([
          yield* provided(gatewayState(reference)),
          Effect.orDie(sql`SELECT r.state, r.amount_minor::text FROM payment_refunds r
          JOIN payment_events e ON e.payment_id = r.payment_id WHERE e.id = ${eventId}`)
        ])
      }
    }),
  "order.complete": (isAbove) =>
    Effect.gen(function*() {
      const { orders, user } = yield* PaymentWorld
      const userId = yield* user()
      const order = yield* Effect.orDie(orders.topup(userId, isAbove ? 2_001n : 2_000n))
      const completion = { provider: "manual", reference: `bank ${order.id}`, note: "why" }
      return yield* moving(userId, `/orders/${order.id}/complete`, completion)
    }),
  "order.refund": (isAbove) =>
    Effect.gen(function*() {
      const { order, reference, userId } = yield* paidOrder(3_000n)
      return {
        path: `/orders/${order.id}/refunds`,
        // All of it, or a part.
        body: keyed(isAbove ? {} : { amount_minor: "2000" }),
        state: yield* provided(Effect.all([balanceState(userId), gatewayState(reference)]))
      }
    }),
  "refund.fail": (isAbove) =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const { order, userId } = yield* paidOrder(3_000n)
      const [first, second] = [yield* staff("root"), yield* staff("root")]
      // The gateway does it, and nobody hears of it.
      world.epay.next({ dropConnection: true, takesEffect: true })
      const asked = yield* first.post(`/orders/${order.id}/refunds`, keyed({ amount_minor: isAbove ? "2001" : "2000" }))
      const id = isAbove
        ? yield* Effect.gen(function*() {
          yield* second.post(`/confirmations/${asked.json.confirmation_id}/confirm`)
          return (yield* first.get(`/orders/${order.id}`)).json.refunds[0].id
        })
        : asked.json.id
      return yield* moving(userId, `/orders/${order.id}/refunds/${id}/settle`, { outcome: "failed", note: "why" })
    })
} satisfies Readonly<Record<string, (isAbove: boolean) => Made>>
