/**
 * Answers `/api/admin/orders` by the same use cases as the pages.
 */
import { Effect } from "effect"
import type { OrderId, RefundId } from "../../domain/Ids.ts"
import { ManualPayments } from "../../events/ManualPayments.ts"
import { OrderHistory, type OrderRecord } from "../../events/OrderHistory.ts"
import type { Order } from "../../orders/Order.ts"
import { RefundNotFound } from "../../orders/OrderError.ts"
import { Orders } from "../../orders/Orders.ts"
import { type FoundOrder, OrderSearch } from "../../orders/OrderSearch.ts"
import { Refunds } from "../../orders/Refunds.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { periodOf } from "./ApiError.ts"
import { answersOf } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"
import { shownRefund } from "./RefundSchema.ts"

interface RefundParams {
  readonly id: OrderId
  readonly refund_id: RefundId
}

const shownOrder = ({ email, order }: FoundOrder) => ({ ...order, email, planCode: order.terms?.code ?? null })

const shownRecord = ({ refundable, refunds, ...record }: OrderRecord) => ({
  ...record,
  ...shownOrder(record),
  refundableMinor: refundable?.leftMinor ?? null,
  refunds: refunds.map(shownRefund)
})

export const OrdersHandlers = answersOf(
  "orders",
  Effect.gen(function*() {
    const search = yield* OrderSearch
    const history = yield* OrderHistory
    const orders = yield* Orders
    const manual = yield* ManualPayments
    const refunds = yield* Refunds

    const show = ({ id }: Pick<Order, "id">) => Effect.map(history.show(id), shownRecord)

    /** The refund, if it is of that order. */
    const refundOf = Effect.fnUntraced(function*({ id, refund_id }: RefundParams) {
      const record = yield* history.show(id)
      return record.refunds.some((refund) => refund.id === refund_id)
        ? refund_id
        : yield* new RefundNotFound({ id: refund_id })
    })

    return {
      listOrders: Effect.fnUntraced(function*({ query: { kind, provider, q, state, user, ...query } }) {
        const filter = { text: q, user, state, kind, provider, ...(yield* periodOf(query)) }
        return { items: (yield* search.list(filter, rangeOf(query))).map(shownOrder) }
      }),
      getOrder: ({ params }) => show(params),
      completeOrder: Effect.fnUntraced(function*({ params, payload }) {
        return yield* show(yield* manual.complete(yield* CurrentAdmin, { orderId: params.id, ...payload }))
      }),
      cancelOrder: Effect.fnUntraced(function*({ params }) {
        return yield* show(yield* orders.cancel(params.id, undefined, yield* CurrentAdmin))
      }),
      refundOrder: Effect.fnUntraced(function*({ params, payload: { amountMinor, key, note } }) {
        const asked = { orderId: params.id, amountMinor, note, key }
        return shownRefund(yield* refunds.request(yield* CurrentAdmin, asked))
      }),
      retryRefund: Effect.fnUntraced(function*({ params }) {
        return shownRefund(yield* refunds.retry(yield* CurrentAdmin, yield* refundOf(params)))
      }),
      settleRefund: Effect.fnUntraced(function*({ params, payload: { note, outcome } }) {
        const found = { isDone: outcome === "done", note }
        return shownRefund(yield* refunds.conclude(yield* CurrentAdmin, yield* refundOf(params), found))
      })
    }
  })
)
