/** A refund as the administration's API shows it. */
import { Schema } from "effect"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { isUnanswered, type Refund as StoredRefund } from "../../orders/Refunds.ts"
import { refundStates } from "../../payments/PaymentFact.ts"
import { documented } from "./ApiSchema.ts"

export const Refund = Json({
  id: IdJson,
  /** Null: of a payment that paid no order. */
  orderId: Schema.NullOr(IdJson),
  state: Schema.Literals(refundStates),
  /** Root asked for it, and the provider has not said what became of it. */
  isUnanswered: Schema.Boolean,
  amountMinor: AmountJson,
  currency: Schema.String,
  note: Schema.String,
  /** Null: made past this server. */
  requestedBy: Schema.NullOr(Schema.String),
  providerRefund: Schema.NullOr(Schema.String),
  problem: Schema.String,
  createdAt: MomentJson,
  updatedAt: MomentJson
}).pipe(
  documented("Refund", {
    description:
      "In the minor unit of the payment's currency. `pending`, `requires_action` and `succeeded` count as given back; `failed` " +
      "and `canceled` are final. While one is unanswered, the next refund of the payment waits."
  })
)

export const shownRefund = (refund: StoredRefund) => ({ ...refund, isUnanswered: isUnanswered(refund) })
