/**
 * All there is to know of one order: what was ordered and by whom, how it was to be paid, what providers said, what
 * administrators did, and what was given back.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { OrderId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { attemptsOf } from "../orders/AttemptStore.ts"
import { type Dispute, disputesOfOrder } from "../orders/DisputeStore.ts"
import type { Attempt, Order } from "../orders/Order.ts"
import { OrderNotFound } from "../orders/OrderError.ts"
import { findOrder } from "../orders/OrderStore.ts"
import { type PaidAttempt, paidAttempt, paymentOf, refundableMinor } from "../orders/Refundable.ts"
import { type Refund, refundsOfOrder } from "../orders/RefundStore.ts"
import { type AuditItem, AuditTrail } from "../platform/AuditTrail.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { type EventItem, eventsAbout } from "./PaymentEvents.ts"

export type { PaidAttempt } from "../orders/Refundable.ts"

export interface OrderRecord {
  readonly order: Order
  readonly email: string
  /** USD for one CNY, as decimal text, when the order was placed; null for a subscription. */
  readonly creditUsdPerCny: string | null
  /** Oldest first. */
  readonly attempts: ReadonlyArray<Attempt>
  /** Newest first, the newest 200. */
  readonly events: ReadonlyArray<EventItem>
  /** What administrators did to it, newest first, the newest 200. */
  readonly changes: ReadonlyArray<AuditItem>
  readonly refunds: ReadonlyArray<Refund>
  readonly disputes: ReadonlyArray<Dispute>
  /** What a provider could give back; undefined where nothing can be. */
  readonly refundable: { readonly attempt: PaidAttempt; readonly leftMinor: bigint } | undefined
}

const BuyerAndRate = Row({ email: Schema.String, rate: Schema.NullOr(Schema.String) })

export class OrderHistory extends Context.Service<OrderHistory, {
  show(id: OrderId): Effect.Effect<OrderRecord, OrderNotFound | DatabaseUnavailable>
}>()("realms/events/OrderHistory") {
  static readonly layer = Layer.effect(OrderHistory)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const trail = yield* AuditTrail

    const refundableOf = Effect.fnUntraced(function*(order: Order, attempts: ReadonlyArray<Attempt>) {
      const attempt = yield* paidAttempt(order, attempts)
      return { attempt, leftMinor: yield* refundableMinor(sql, yield* paymentOf(sql, attempt)) }
    }, Effect.catchTag("RefundNotPossible", () => Effect.undefined))

    return OrderHistory.of({
      show: Effect.fn("OrderHistory.show")(function*(id: OrderId) {
        const order = yield* findOrder(sql, id)
        if (order === undefined) return yield* new OrderNotFound({ id })
        const more = yield* rowOf(
          BuyerAndRate,
          sql`SELECT u.email, (SELECT credit_usd_per_cny FROM topup_orders t WHERE t.id = ${id}) AS rate
          FROM users u WHERE u.id = ${order.userId}`
        )
        const attempts = yield* attemptsOf(sql, id)
        return {
          order,
          email: more?.email ?? "",
          creditUsdPerCny: more?.rate ?? null,
          attempts,
          events: yield* eventsAbout(sql, { orderId: id, paymentId: null }),
          changes: yield* trail.page({ target: `order:${id}` }, { limit: CHANGES_MAX }),
          refunds: yield* refundsOfOrder(sql, id),
          disputes: yield* disputesOfOrder(sql, id),
          refundable: yield* refundableOf(order, attempts)
        } satisfies OrderRecord
      }, orUnavailable)
    })
  }))
}

const CHANGES_MAX = 200
