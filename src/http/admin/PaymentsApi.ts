/**
 * `/api/admin/payments`: what payment providers said, and what an administrator makes of payments that fit nothing.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { idJson } from "../../domain/Fields.ts"
import { EventId } from "../../domain/Ids.ts"
import { eventOutcomes, resolutions } from "../../events/PaymentEvents.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment, pageQuery } from "./ApiSchema.ts"
import { Refund } from "./RefundSchema.ts"

/** `manual`: received past both providers, which only root says. */
export const Source = Schema.Literals(["epay", "stripe", "manual"])

/** Amounts in the minor unit of the currency, such as fen of CNY. */
export const PaymentEvent = Schema.Struct({
  id: ApiId,
  provider: Source,
  kind: Schema.String,
  fact: Schema.String,
  outcome: Schema.Literals(["received", ...eventOutcomes]),
  note: Schema.String,
  /** Why it has its outcome, as a code and the values of its words; null where only the note is known. */
  reason: Schema.NullOr(Schema.Struct({ code: Schema.String, values: Schema.Record(Schema.String, Schema.String) })),
  payment_reference: Schema.NullOr(Schema.String),
  merchant_reference: Schema.NullOr(Schema.String),
  amount_minor: Schema.NullOr(ApiAmount),
  currency: Schema.NullOr(Schema.String),
  deliveries: Schema.Int,
  received_at: ApiMoment,
  order_id: Schema.NullOr(ApiId),
  is_open: Schema.Boolean,
  resolution: Schema.NullOr(Schema.Literals(resolutions)),
  resolution_note: Schema.NullOr(Schema.String),
  resolved_by: Schema.NullOr(Schema.String),
  resolved_at: Schema.NullOr(ApiMoment),
  credited_user_id: Schema.NullOr(ApiId),
  credited_micros: Schema.NullOr(ApiAmount)
}).annotate({ identifier: "PaymentEvent" })

const PaymentEventDetails = Schema.Struct({
  ...PaymentEvent.fields,
  evidence: Schema.Record(Schema.String, Schema.Unknown),
  buyer: Schema.NullOr(Schema.Struct({ id: ApiId, email: Schema.String })),
  suggested_micros: Schema.NullOr(ApiAmount)
}).annotate({
  identifier: "PaymentEventDetails",
  description:
    "`suggested_micros`: what the payment is worth at its order's rate, or today's where no order is known. `evidence`: what is " +
    "kept of the provider's verified message, without secrets, cards and addresses."
})

const Credit = Schema.Struct({ user: Schema.String, amount_micros: ApiAmount, note: Schema.String }).annotate({
  identifier: "PaymentCredit",
  description: "`user`: an id or an e-mail address."
})

const Note = Schema.Struct({ note: Schema.String }).annotate({ identifier: "PaymentNote" })

const Accept = Schema.Struct({ note: Schema.String, in_proportion: Schema.Boolean }).annotate({
  identifier: "PaymentAccept",
  description:
    "The payment pays its order although it is not what was asked for. `in_proportion`: a top-up gives the part of its credit that was paid; else all that was ordered is given."
})

const GiveBack = Schema.Struct({ note: Schema.String, idempotency_key: Schema.String }).annotate({
  identifier: "PaymentRefund",
  description:
    "All of the payment goes back through its provider. `idempotency_key`: 8 to 100 letters, digits and _ . : - of the caller's " +
    "choosing, another one for every refund. A refund that fails puts the payment back in review."
})

const Correction = Schema.Struct({ user_id: ApiId, amount_micros: ApiAmount }).annotate({
  identifier: "PaymentCorrection",
  description:
    "For books in which a payment counted twice, as `realms audit` says: what was given for it a second time is taken off the account " +
    "again, once. What the balance does not have is owed."
})

const params = { id: idJson(EventId) }
const resolved = {
  success: PaymentEventDetails,
  error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
} as const

export class PaymentsApi extends HttpApiGroup.make("payments").add(
  HttpApiEndpoint.get("listPayments", "/payments", {
    query: {
      ...pageQuery,
      /** `true`: only what waits for somebody. */
      open: Schema.optionalKey(Schema.Literals(["true", "false"])),
      outcome: Schema.optionalKey(Schema.Literals(eventOutcomes)),
      provider: Schema.optionalKey(Source),
      reference: Schema.optionalKey(Schema.String),
      from: Schema.optionalKey(ApiMoment),
      to: Schema.optionalKey(ApiMoment)
    },
    success: Schema.Struct({ items: Schema.Array(PaymentEvent) }),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getPayment", "/payments/:id", {
    params,
    success: PaymentEventDetails,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("acceptPayment", "/payments/:id/accept", { params, payload: Accept, ...resolved }),
  HttpApiEndpoint.post("creditPayment", "/payments/:id/credit", { params, payload: Credit, ...resolved }),
  HttpApiEndpoint.post("markPaymentRefunded", "/payments/:id/refunded", { params, payload: Note, ...resolved }),
  HttpApiEndpoint.post("refundPayment", "/payments/:id/refund", {
    params,
    payload: GiveBack,
    success: Refund,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("correctPayment", "/payments/:id/correct", {
    params,
    payload: Note,
    success: Correction,
    error: [ApiNotFound, ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.post("dismissPayment", "/payments/:id/dismiss", { params, payload: Note, ...resolved })
).annotateMerge(
  OpenApi.annotations({
    title: "Payments",
    description: "Events of payment providers, and what to do with those that need a review."
  })
) {}
