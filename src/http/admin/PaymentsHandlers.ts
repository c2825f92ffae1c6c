/**
 * Answers `/api/admin/payments` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { EventId } from "../../domain/Ids.ts"
import { Corrections } from "../../events/Corrections.ts"
import { EventResolutions, type Resolve } from "../../events/EventResolutions.ts"
import { type EventDetails, type EventItem, PaymentEvents } from "../../events/PaymentEvents.ts"
import type { ResolutionRefused } from "../../orders/OrderError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, millisOf, orApiAnswer, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf, momentOrNull, rangeOf } from "./ApiSchema.ts"
import { shownRefund } from "./RefundSchema.ts"

const textOrNull = (value: bigint | null | undefined): string | null => value?.toString() ?? null

export const eventJson = (event: EventItem) => ({
  id: event.id.toString(),
  provider: event.provider,
  kind: event.kind,
  fact: event.fact,
  outcome: event.outcome,
  note: event.note,
  reason: event.reason === undefined ? null : { code: event.reason.code, values: event.reason.values },
  payment_reference: event.payment,
  merchant_reference: event.reference,
  amount_minor: textOrNull(event.amountMinor),
  currency: event.currency,
  deliveries: event.deliveries,
  received_at: momentOf(event.receivedAt),
  order_id: textOrNull(event.orderId),
  is_open: event.isOpen,
  resolution: event.resolution,
  resolution_note: event.resolutionNote,
  resolved_by: event.resolvedBy,
  resolved_at: momentOrNull(event.resolvedAt),
  credited_user_id: textOrNull(event.creditedUserId),
  credited_micros: textOrNull(event.creditedMicros)
})

const detailsJson = ({ buyer, event, evidence, suggestedMicros }: EventDetails) => ({
  ...eventJson(event),
  evidence,
  buyer: buyer === undefined ? null : { id: buyer.id.toString(), email: buyer.email },
  suggested_micros: textOrNull(suggestedMicros)
})

/** The field that an administrator filled in wrongly, as the API calls it. */
const fieldOf = { amount: "amount_micros", note: "note", user: "user", reference: "reference" } as const

/** A refusal under the field's name. */
export const refusedBy = ({ message, reason }: ResolutionRefused) =>
  refusedField(reason === "key" ? "idempotency_key" : reason === "resolution" ? "id" : fieldOf[reason], message)

/** What it is in no state for, or what somebody else did first. */
export const conflictOf = ({ message }: { readonly message: string }) => Effect.fail(new ApiConflict({ message }))

const noEvent = new ApiNotFound({ message: "There is no such payment event." })

export const PaymentsHandlers = HttpApiBuilder.group(
  AdminApi,
  "payments",
  Effect.fn(function*(handlers) {
    const events = yield* PaymentEvents
    const resolutions = yield* EventResolutions
    const corrections = yield* Corrections

    const details = (id: EventId) => Effect.map(events.find(id), detailsJson)

    const resolve = Effect.fnUntraced(
      function*(id: EventId, asked: Resolve) {
        yield* resolutions.resolve(yield* CurrentAdmin, id, asked)
        return yield* details(id)
      },
      Effect.catchTags({
        EventNotFound: () => Effect.fail(noEvent),
        EventClosed: conflictOf,
        PaymentUsed: conflictOf,
        ResolutionRefused: (error) => Effect.fail(refusedBy(error))
      }),
      orApiAnswer
    )

    return handlers.handleAll({
      listPayments: Effect.fnUntraced(
        function*({ query: { from, open, outcome, provider, reference, to, ...range } }) {
          const fromMs = yield* millisOf("from", from)
          const toMs = yield* millisOf("to", to)
          const filter = { open: open === "true", outcome, provider, text: reference, fromMs, toMs }
          return { items: (yield* events.list(filter, rangeOf(range))).map(eventJson) }
        },
        orApiUnavailable
      ),
      getPayment: ({ params }) =>
        details(params.id).pipe(Effect.catchTag("EventNotFound", () => Effect.fail(noEvent)), orApiUnavailable),
      acceptPayment: ({ params, payload: { in_proportion, note } }) =>
        resolve(params.id, { resolution: "accepted", note, inProportion: in_proportion }),
      creditPayment: ({ params, payload: { amount_micros, note, user } }) =>
        resolve(params.id, { resolution: "credited", note, user, amountMicros: BigInt(amount_micros) }),
      markPaymentRefunded: ({ params, payload }) => resolve(params.id, { resolution: "refunded", note: payload.note }),
      refundPayment: Effect.fnUntraced(
        function*({ params, payload: { idempotency_key: key, note } }) {
          return shownRefund(yield* resolutions.refund(yield* CurrentAdmin, params.id, { note, key }))
        },
        Effect.catchTags({
          EventNotFound: () => Effect.fail(noEvent),
          EventClosed: conflictOf,
          PaymentUsed: conflictOf,
          RefundNotPossible: conflictOf,
          RefundReused: conflictOf,
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiAnswer
      ),
      correctPayment: Effect.fnUntraced(
        function*({ params, payload: { note } }) {
          const made = yield* corrections.correct(yield* CurrentAdmin, params.id, note)
          return { user_id: made.userId.toString(), amount_micros: made.amountMicros.toString() }
        },
        Effect.catchTags({
          EventNotFound: () => Effect.fail(noEvent),
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiUnavailable
      ),
      dismissPayment: ({ params, payload }) => resolve(params.id, { resolution: "dismissed", note: payload.note })
    })
  })
)
