/**
 * `/api/admin/payments`: what payment providers said, and what an administrator makes of payments that fit nothing.
 */
import { Effect, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { AmountJson, IdJson, idJson } from "../../domain/Fields.ts"
import { EventId } from "../../domain/Ids.ts"
import { Json, orUndefined } from "../../domain/Row.ts"
import { Corrections } from "../../events/Corrections.ts"
import { EventResolutions, type Resolve } from "../../events/EventResolutions.ts"
import { type EventDetails, EventItem, eventOutcomes, PaymentEvents } from "../../events/PaymentEvents.ts"
import { isUnanswered, Refund as RefundRow } from "../../orders/Refunds.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, confirmedErrors, periodOf } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { documented, itemsOf, jsonFields, pageQuery, periodQuery, rangeOf } from "./ApiSchema.ts"

export const Refund = Json({
  ...jsonFields(Struct.omit(RefundRow.fields, ["provider", "paymentId", "key", "isNamed"])),
  /** Root asked for it, and the provider has not said what became of it. */
  isUnanswered: Schema.Boolean
}).pipe(
  documented("Refund", {
    description:
      "In the minor unit of the payment's currency. `pending`, `requires_action` and `succeeded` count as given back; `failed` " +
      "and `canceled` are final. While one is unanswered, the next refund of the payment waits."
  })
)

export const shownRefund = (refund: RefundRow) => ({ ...refund, isUnanswered: isUnanswered(refund) })

/** `manual`: received past both providers, which only root says. */
export const Source = Schema.Literals(["epay", "stripe", "manual"])

/** Amounts in the minor unit of the currency, such as fen of CNY. */
const event = {
  ...jsonFields(EventItem.fields),
  deliveries: Schema.Int,
  /** Why it has its outcome, as a code and the values of its words; null where only the note is known. */
  reason: orUndefined(Schema.Struct({ code: Schema.String, values: Schema.Record(Schema.String, Schema.String) }))
}

const references = { payment: "payment_reference", reference: "merchant_reference" }

export const PaymentEvent = Json(event, references).pipe(documented("PaymentEvent"))

const PaymentEventDetails = Json({
  ...event,
  evidence: Schema.Record(Schema.String, Schema.Unknown),
  buyer: orUndefined(Schema.Struct({ id: IdJson, email: Schema.String })),
  suggestedMicros: orUndefined(AmountJson)
}, references).pipe(
  documented("PaymentEventDetails", {
    description:
      "`suggested_micros`: what the payment is worth at its order's rate, or today's where no order is known. `evidence`: what is " +
      "kept of the provider's verified message, without secrets, cards and addresses."
  })
)

const Credit = Json({ user: Schema.String, amountMicros: AmountJson, note: Schema.String }).pipe(
  documented("PaymentCredit", { description: "`user`: an id or an e-mail address." })
)

const Note = Schema.Struct({ note: Schema.String }).pipe(documented("PaymentNote"))

const Accept = Json({ note: Schema.String, inProportion: Schema.Boolean }).pipe(
  documented("PaymentAccept", {
    description:
      "The payment pays its order although it is not what was asked for. `in_proportion`: a top-up gives the part of its credit that was paid; else all that was ordered is given."
  })
)

const GiveBack = Json({ note: Schema.String, key: Schema.String }, { key: "idempotency_key" }).pipe(
  documented("PaymentRefund", {
    description:
      "All of the payment goes back through its provider. `idempotency_key`: 8 to 100 letters, digits and _ . : - of the caller's " +
      "choosing, another one for every refund. A refund that fails puts the payment back in review."
  })
)

const Correction = Json({ userId: IdJson, amountMicros: AmountJson }).pipe(
  documented("PaymentCorrection", {
    description:
      "For books in which a payment counted twice, as `realms audit` says: what was given for it a second time is taken off the account " +
      "again, once. What the balance does not have is owed."
  })
)

const params = { id: idJson(EventId) }
const resolved = {
  success: PaymentEventDetails,
  error: confirmedErrors
} as const

const { get, post } = HttpApiEndpoint

export class PaymentsApi extends area(
  "payments",
  "Payments",
  "Events of payment providers, and what to do with those that need a review."
).add(
  get("listPayments", "/payments", {
    query: {
      ...pageQuery,
      ...periodQuery,
      /** `true`: only what waits for somebody. */
      open: Schema.optionalKey(Schema.Literals(["true", "false"])),
      outcome: Schema.optionalKey(Schema.Literals(eventOutcomes)),
      provider: Schema.optionalKey(Source),
      reference: Schema.optionalKey(Schema.String)
    },
    success: itemsOf(PaymentEvent),
    error: ApiRefused
  }),
  get("getPayment", "/payments/:id", { params, success: PaymentEventDetails, error: ApiNotFound }),
  post("acceptPayment", "/payments/:id/accept", { params, payload: Accept, ...resolved }),
  post("creditPayment", "/payments/:id/credit", { params, payload: Credit, ...resolved }),
  post("markPaymentRefunded", "/payments/:id/refunded", { params, payload: Note, ...resolved }),
  post("refundPayment", "/payments/:id/refund", { params, payload: GiveBack, success: Refund, error: confirmedErrors }),
  post("correctPayment", "/payments/:id/correct", {
    params,
    payload: Note,
    success: Correction,
    error: [ApiNotFound, ApiRefused]
  }),
  post("dismissPayment", "/payments/:id/dismiss", { params, payload: Note, ...resolved })
) {}

const shownDetails = ({ event, ...more }: EventDetails) => ({ ...event, ...more })

export const PaymentsHandlers = answersOf(PaymentsApi)(
  Effect.all({ events: PaymentEvents, resolutions: EventResolutions, corrections: Corrections }),
  ({ corrections, events, resolutions }) => {
    const details = (id: EventId) => Effect.map(events.find(id), shownDetails)

    const resolve = (admin: Administrator, id: EventId, asked: Resolve) =>
      Effect.andThen(resolutions.resolve(admin, id, asked), details(id))

    return {
      listPayments: ({ query: { open, outcome, provider, reference, ...query } }) =>
        Effect.flatMap(periodOf(query), (period) => {
          const filter = { open: open === "true", outcome, provider, text: reference, ...period }
          return listed(events.list(filter, rangeOf(query)))
        }),
      getPayment: ({ params }) => details(params.id),
      acceptPayment: ({ params, payload }, admin) => resolve(admin, params.id, { resolution: "accepted", ...payload }),
      creditPayment: ({ params, payload }, admin) => resolve(admin, params.id, { resolution: "credited", ...payload }),
      markPaymentRefunded: ({ params, payload }, admin) =>
        resolve(admin, params.id, { resolution: "refunded", ...payload }),
      refundPayment: ({ params, payload }, admin) =>
        Effect.map(resolutions.refund(admin, params.id, payload), shownRefund),
      correctPayment: ({ params, payload: { note } }, admin) => corrections.correct(admin, params.id, note),
      dismissPayment: ({ params, payload }, admin) => resolve(admin, params.id, { resolution: "dismissed", ...payload })
    }
  }
)
