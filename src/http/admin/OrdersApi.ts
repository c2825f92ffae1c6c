/**
 * `/api/admin/orders`: the orders of all users, and what an administrator does to them: completing, cancelling, refunding.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { idJson } from "../../domain/Fields.ts"
import { OrderId, RefundId } from "../../domain/Ids.ts"
import { orderStates } from "../../orders/OrderSearch.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment, pageQuery } from "./ApiSchema.ts"
import { PaymentEvent, Source } from "./PaymentsApi.ts"
import { Refund } from "./RefundSchema.ts"

const Kind = Schema.Literals(["topup", "subscription"])
const State = Schema.Literals(orderStates)

const summary = {
  id: ApiId,
  kind: Kind,
  user_id: ApiId,
  email: Schema.String,
  state: State,
  amount_fen: ApiAmount,
  credit_micros: ApiAmount,
  plan_code: Schema.NullOr(Schema.String),
  subscription_id: Schema.NullOr(ApiId),
  created_at: ApiMoment,
  expires_at: ApiMoment,
  settled_at: Schema.NullOr(ApiMoment)
}

const OrderSummary = Schema.Struct(summary).annotate({ identifier: "OrderSummary" })

const Attempt = Schema.Struct({
  id: ApiId,
  provider: Source,
  method: Schema.NullOr(Schema.String),
  state: Schema.Literals(["open", "processing", "paid", "closed"]),
  amount_minor: ApiAmount,
  currency: Schema.String,
  merchant_reference: Schema.String,
  payment_reference: Schema.NullOr(Schema.String),
  completed_by: Schema.NullOr(Schema.String),
  debited_micros: ApiAmount,
  created_at: ApiMoment
}).annotate({ identifier: "PaymentAttempt" })

const Dispute = Schema.Struct({
  id: ApiId,
  provider_dispute: Schema.String,
  status: Schema.String,
  reason: Schema.String,
  due_at: Schema.NullOr(ApiMoment),
  amount_minor: ApiAmount,
  taken_minor: ApiAmount,
  currency: Schema.String,
  updated_at: ApiMoment
}).annotate({
  identifier: "Dispute",
  description: "`status` and `reason` are the provider's own words. `taken_minor`: what it has taken of the payment."
})

const Order = Schema.Struct({
  ...summary,
  credit_usd_per_cny: Schema.NullOr(Schema.String),
  /** What its provider could still give back; null where nothing can be. */
  refundable_minor: Schema.NullOr(ApiAmount),
  attempts: Schema.Array(Attempt),
  events: Schema.Array(PaymentEvent),
  refunds: Schema.Array(Refund),
  disputes: Schema.Array(Dispute)
}).annotate({ identifier: "Order" })

const Completion = Schema.Struct({ provider: Source, reference: Schema.String, note: Schema.String }).annotate({
  identifier: "OrderCompletion",
  description:
    "`reference`: Stripe's payment intent, EPay's trade number, or what a bank calls it. The provider's later word on that " +
    "payment is a duplicate."
})

const NewRefund = Schema.Struct({
  /** Absent: all that is left. */
  amount_minor: Schema.optionalKey(ApiAmount),
  note: Schema.String,
  idempotency_key: Schema.String
}).annotate({
  identifier: "NewRefund",
  description:
    "`idempotency_key`: 8 to 100 letters, digits and _ . : - of the caller's choosing, another one for every refund."
})

const Settlement = Schema.Struct({ outcome: Schema.Literals(["done", "failed"]), note: Schema.String }).annotate({
  identifier: "RefundSettlement",
  description: "What somebody found out at the provider."
})

const params = { id: idJson(OrderId) }
const refundParams = { id: idJson(OrderId), refund_id: idJson(RefundId) }

export class OrdersApi extends HttpApiGroup.make("orders").add(
  HttpApiEndpoint.get("listOrders", "/orders", {
    query: {
      ...pageQuery,
      q: Schema.optionalKey(Schema.String),
      user: Schema.optionalKey(Schema.String),
      state: Schema.optionalKey(State),
      kind: Schema.optionalKey(Kind),
      provider: Schema.optionalKey(Source),
      from: Schema.optionalKey(ApiMoment),
      to: Schema.optionalKey(ApiMoment)
    },
    success: Schema.Struct({ items: Schema.Array(OrderSummary) }),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getOrder", "/orders/:id", { params, success: Order, error: [ApiNotFound, ApiUnavailable] }),
  HttpApiEndpoint.post("completeOrder", "/orders/:id/complete", {
    params,
    payload: Completion,
    success: Order,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("cancelOrder", "/orders/:id/cancel", {
    params,
    success: Order,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("refundOrder", "/orders/:id/refunds", {
    params,
    payload: NewRefund,
    success: Refund,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("retryRefund", "/orders/:id/refunds/:refund_id/retry", {
    params: refundParams,
    success: Refund,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("settleRefund", "/orders/:id/refunds/:refund_id/settle", {
    params: refundParams,
    payload: Settlement,
    success: Refund,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({ title: "Orders", description: "The orders of all users and their refunds." })) {}
