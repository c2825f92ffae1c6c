/**
 * Answers `/api/admin/payments` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { EventId } from "../../domain/Ids.ts"
import { Corrections } from "../../events/Corrections.ts"
import { EventResolutions, type Resolve } from "../../events/EventResolutions.ts"
import { type EventDetails, PaymentEvents } from "../../events/PaymentEvents.ts"
import type { ResolutionRefused } from "../../orders/OrderError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, millisOf, orApiAnswer, orApiUnavailable, refusedField } from "./ApiError.ts"
import { rangeOf } from "./ApiSchema.ts"
import { shownRefund } from "./RefundSchema.ts"

const shownDetails = ({ event, ...more }: EventDetails) => ({ ...event, ...more })

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

    const details = (id: EventId) => Effect.map(events.find(id), shownDetails)

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
          return { items: yield* events.list(filter, rangeOf(range)) }
        },
        orApiUnavailable
      ),
      getPayment: ({ params }) =>
        details(params.id).pipe(Effect.catchTag("EventNotFound", () => Effect.fail(noEvent)), orApiUnavailable),
      acceptPayment: ({ params, payload }) => resolve(params.id, { resolution: "accepted", ...payload }),
      creditPayment: ({ params, payload }) => resolve(params.id, { resolution: "credited", ...payload }),
      markPaymentRefunded: ({ params, payload }) => resolve(params.id, { resolution: "refunded", ...payload }),
      refundPayment: Effect.fnUntraced(
        function*({ params, payload }) {
          return shownRefund(yield* resolutions.refund(yield* CurrentAdmin, params.id, payload))
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
          return yield* corrections.correct(yield* CurrentAdmin, params.id, note)
        },
        Effect.catchTags({
          EventNotFound: () => Effect.fail(noEvent),
          ResolutionRefused: (error) => Effect.fail(refusedBy(error))
        }),
        orApiUnavailable
      ),
      dismissPayment: ({ params, payload }) => resolve(params.id, { resolution: "dismissed", ...payload })
    })
  })
)
