/** A refund as the administration's API shows it. */
import { Schema } from "effect"
import { isUnanswered, type Refund as StoredRefund } from "../../orders/Refunds.ts"
import { refundStates } from "../../payments/PaymentFact.ts"
import { ApiAmount, ApiId, ApiMoment, momentOf } from "./ApiSchema.ts"

export const Refund = Schema.Struct({
  id: ApiId,
  /** Null: of a payment that paid no order. */
  order_id: Schema.NullOr(ApiId),
  state: Schema.Literals(refundStates),
  /** Root asked for it, and the provider has not said what became of it. */
  is_unanswered: Schema.Boolean,
  amount_minor: ApiAmount,
  currency: Schema.String,
  note: Schema.String,
  /** Null: made past this server. */
  requested_by: Schema.NullOr(Schema.String),
  provider_refund: Schema.NullOr(Schema.String),
  problem: Schema.String,
  created_at: ApiMoment,
  updated_at: ApiMoment
}).annotate({
  identifier: "Refund",
  description:
    "In the minor unit of the payment's currency. `pending`, `requires_action` and `succeeded` count as given back; `failed` " +
    "and `canceled` are final. While one is unanswered, the next refund of the payment waits."
})

export const refundJson = (refund: StoredRefund) => ({
  id: refund.id.toString(),
  order_id: refund.orderId?.toString() ?? null,
  state: refund.state,
  is_unanswered: isUnanswered(refund),
  amount_minor: refund.amountMinor.toString(),
  currency: refund.currency,
  note: refund.note,
  requested_by: refund.requestedBy,
  provider_refund: refund.providerRefund,
  problem: refund.problem,
  created_at: momentOf(refund.createdAt),
  updated_at: momentOf(refund.updatedAt)
})
