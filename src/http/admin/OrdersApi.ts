/**
 * `/api/admin/orders`: the orders of all users, and what an administrator does to them: completing, cancelling, refunding.
 */
import { Effect, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { AmountJson, idJson } from "../../domain/Fields.ts"
import { OrderId, RefundId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { ManualPayments } from "../../events/ManualPayments.ts"
import { OrderHistory, type OrderRecord } from "../../events/OrderHistory.ts"
import { Dispute as DisputeRow } from "../../orders/DisputeStore.ts"
import { Attempt as AttemptRow, Order as OrderRow } from "../../orders/Order.ts"
import { RefundNotFound } from "../../orders/OrderError.ts"
import { Orders } from "../../orders/Orders.ts"
import { type FoundOrder, OrderSearch, orderStates } from "../../orders/OrderSearch.ts"
import { Refunds } from "../../orders/Refunds.ts"
import { ApiNotFound, ApiRefused, changeErrors, confirmedErrors, periodOf } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, itemsOf, jsonFields, pageQuery, periodQuery, rangeOf } from "./ApiSchema.ts"
import { PaymentEvent, Refund, shownRefund, Source } from "./PaymentsApi.ts"

const Kind = Schema.Literals(["topup", "subscription"])
const State = Schema.Literals(orderStates)

const summary = {
  ...jsonFields(Struct.omit(OrderRow.fields, ["terms"])),
  email: Schema.String,
  planCode: Schema.NullOr(Schema.String)
}

const OrderSummary = Json(summary).pipe(documented("OrderSummary"))

const Attempt = Json(
  jsonFields(Struct.pick(AttemptRow.fields, [
    "id",
    "provider",
    "method",
    "state",
    "amountMinor",
    "currency",
    "reference",
    "payment",
    "completedBy",
    "debitedMicros",
    "createdAt"
  ])),
  { reference: "merchant_reference", payment: "payment_reference" }
).pipe(documented("PaymentAttempt"))

const Dispute = Json(jsonFields(Struct.omit(DisputeRow.fields, ["provider", "orderId"])), {
  dispute: "provider_dispute"
}).pipe(
  documented("Dispute", {
    description: "`status` and `reason` are the provider's own words. `taken_minor`: what it has taken of the payment."
  })
)

const Order = Json({
  ...summary,
  creditUsdPerCny: Schema.NullOr(Schema.String),
  /** What its provider could still give back; null where nothing can be. */
  refundableMinor: Schema.NullOr(AmountJson),
  attempts: Schema.Array(Attempt),
  events: Schema.Array(PaymentEvent),
  refunds: Schema.Array(Refund),
  disputes: Schema.Array(Dispute)
}).pipe(documented("Order"))

const Completion = Schema.Struct({ provider: Source, reference: Schema.String, note: Schema.String }).pipe(
  documented("OrderCompletion", {
    description:
      "`reference`: Stripe's payment intent, EPay's trade number, or what a bank calls it. The provider's later word on that " +
      "payment is a duplicate."
  })
)

const NewRefund = Json({
  /** Absent: all that is left. */
  amountMinor: Schema.optionalKey(AmountJson),
  note: Schema.String,
  key: Schema.String
}, { key: "idempotency_key" }).pipe(
  documented("NewRefund", {
    description:
      "`idempotency_key`: 8 to 100 letters, digits and _ . : - of the caller's choosing, another one for every refund."
  })
)

const Settlement = Schema.Struct({ outcome: Schema.Literals(["done", "failed"]), note: Schema.String }).pipe(
  documented("RefundSettlement", { description: "What somebody found out at the provider." })
)

const params = { id: idJson(OrderId) }
const refundParams = { id: idJson(OrderId), refund_id: idJson(RefundId) }

const { get, post } = HttpApiEndpoint

export class OrdersApi extends area(
  "orders",
  "Orders",
  "The orders of all users and their refunds."
).add(
  get("listOrders", "/orders", {
    query: {
      ...pageQuery,
      ...periodQuery,
      q: Schema.optionalKey(Schema.String),
      user: Schema.optionalKey(Schema.String),
      state: Schema.optionalKey(State),
      kind: Schema.optionalKey(Kind),
      provider: Schema.optionalKey(Source)
    },
    success: itemsOf(OrderSummary),
    error: ApiRefused
  }),
  get("getOrder", "/orders/:id", { params, success: Order, error: ApiNotFound }),
  post("completeOrder", "/orders/:id/complete", {
    params,
    payload: Completion,
    success: Order,
    error: confirmedErrors
  }),
  post("cancelOrder", "/orders/:id/cancel", { params, success: Order, error: changeErrors }),
  post("refundOrder", "/orders/:id/refunds", { params, payload: NewRefund, success: Refund, error: confirmedErrors }),
  post("retryRefund", "/orders/:id/refunds/:refund_id/retry", {
    params: refundParams,
    success: Refund,
    error: changeErrors
  }),
  post("settleRefund", "/orders/:id/refunds/:refund_id/settle", {
    params: refundParams,
    payload: Settlement,
    success: Refund,
    error: confirmedErrors
  })
) {}

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

export const OrdersHandlers = answersOf(OrdersApi)(
  Effect.all({ search: OrderSearch, history: OrderHistory, orders: Orders, manual: ManualPayments, refunds: Refunds }),
  ({ history, manual, orders, refunds, search }) => {
    const show = ({ id }: { readonly id: OrderId }) => Effect.map(history.show(id), shownRecord)

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
      completeOrder: ({ params, payload }, admin) =>
        Effect.flatMap(manual.complete(admin, { orderId: params.id, ...payload }), show),
      cancelOrder: ({ params }, admin) => Effect.flatMap(orders.cancel(params.id, undefined, admin), show),
      refundOrder: ({ params, payload: { amountMinor, key, note } }, admin) =>
        Effect.map(refunds.request(admin, { orderId: params.id, amountMinor, note, key }), shownRefund),
      retryRefund: Effect.fnUntraced(function*({ params }, admin) {
        return shownRefund(yield* refunds.retry(admin, yield* refundOf(params)))
      }),
      settleRefund: Effect.fnUntraced(function*({ params, payload: { note, outcome } }, admin) {
        const found = { isDone: outcome === "done", note }
        return shownRefund(yield* refunds.conclude(admin, yield* refundOf(params), found))
      })
    }
  }
)
