/**
 * Answers `/api/admin/orders` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { OrderId, RefundId } from "../../domain/Ids.ts"
import { ManualPayments } from "../../events/ManualPayments.ts"
import { OrderHistory, type OrderRecord } from "../../events/OrderHistory.ts"
import type { Order } from "../../orders/Order.ts"
import { Orders } from "../../orders/Orders.ts"
import { type FoundOrder, OrderSearch } from "../../orders/OrderSearch.ts"
import { Refunds } from "../../orders/Refunds.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, millisOf, orApiAnswer, orApiUnavailable } from "./ApiError.ts"
import { rangeOf } from "./ApiSchema.ts"
import { conflictOf, refusedBy } from "./PaymentsHandlers.ts"
import { shownRefund } from "./RefundSchema.ts"

const shownOrder = ({ email, order }: FoundOrder) => ({ ...order, email, planCode: order.terms?.code ?? null })

const shownRecord = ({ refundable, refunds, ...record }: OrderRecord) => ({
  ...record,
  ...shownOrder(record),
  refundableMinor: refundable?.leftMinor ?? null,
  refunds: refunds.map(shownRefund)
})

const noOrder = () => Effect.fail(new ApiNotFound({ message: "There is no such order." }))
const noRefund = () => Effect.fail(new ApiNotFound({ message: "There is no such refund of this order." }))

export const OrdersHandlers = HttpApiBuilder.group(
  AdminApi,
  "orders",
  Effect.fn(function*(handlers) {
    const search = yield* OrderSearch
    const history = yield* OrderHistory
    const orders = yield* Orders
    const manual = yield* ManualPayments
    const refunds = yield* Refunds

    const show = ({ id }: Pick<Order, "id">) => Effect.map(history.show(id), shownRecord)

    /** The refund, if it is of that order. */
    const refundOf = Effect.fnUntraced(function*(params: { readonly id: OrderId; readonly refund_id: RefundId }) {
      const record = yield* history.show(params.id)
      const id = params.refund_id
      return record.refunds.some((refund) => refund.id === id) ? id : yield* noRefund()
    })

    return handlers.handleAll({
      listOrders: Effect.fnUntraced(
        function*({ query: { from, kind, provider, q, state, to, user, ...range } }) {
          const fromMs = yield* millisOf("from", from)
          const toMs = yield* millisOf("to", to)
          const found = yield* search.list({ text: q, user, state, kind, provider, fromMs, toMs }, rangeOf(range))
          return { items: found.map(shownOrder) }
        },
        orApiUnavailable
      ),
      getOrder: ({ params }) =>
        show({ id: params.id }).pipe(Effect.catchTag("OrderNotFound", noOrder), orApiUnavailable),
      completeOrder: Effect.fnUntraced(
        function*({ params, payload }) {
          const admin = yield* CurrentAdmin
          return yield* show(yield* manual.complete(admin, { orderId: params.id, ...payload }))
        },
        Effect.catchTags({
          OrderNotFound: noOrder,
          OrderClosed: conflictOf,
          OrderProcessing: conflictOf,
          PaymentUsed: conflictOf,
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiAnswer
      ),
      cancelOrder: Effect.fnUntraced(
        function*({ params }) {
          return yield* show(yield* orders.cancel(params.id, undefined, yield* CurrentAdmin))
        },
        Effect.catchTags({ OrderNotFound: noOrder, OrderClosed: conflictOf, OrderProcessing: conflictOf }),
        orApiUnavailable
      ),
      refundOrder: Effect.fnUntraced(
        function*({ params, payload: { amountMinor, key, note } }) {
          const asked = { orderId: params.id, amountMinor, note, key }
          return shownRefund(yield* refunds.request(yield* CurrentAdmin, asked))
        },
        Effect.catchTags({
          OrderNotFound: noOrder,
          RefundNotPossible: conflictOf,
          RefundReused: conflictOf,
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiAnswer
      ),
      retryRefund: Effect.fnUntraced(
        function*({ params }) {
          return shownRefund(yield* refunds.retry(yield* CurrentAdmin, yield* refundOf(params)))
        },
        Effect.catchTags({ OrderNotFound: noOrder, RefundNotFound: noRefund, RefundNotPossible: conflictOf }),
        orApiUnavailable
      ),
      settleRefund: Effect.fnUntraced(
        function*({ params, payload: { note, outcome } }) {
          const found = { isDone: outcome === "done", note }
          return shownRefund(yield* refunds.conclude(yield* CurrentAdmin, yield* refundOf(params), found))
        },
        Effect.catchTags({
          OrderNotFound: noOrder,
          RefundNotFound: noRefund,
          RefundNotPossible: conflictOf,
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiAnswer
      )
    })
  })
)
