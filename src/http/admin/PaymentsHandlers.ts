/**
 * Answers `/api/admin/payments` by the same use cases as the pages.
 */
import { Effect } from "effect"
import type { EventId } from "../../domain/Ids.ts"
import { Corrections } from "../../events/Corrections.ts"
import { EventResolutions, type Resolve } from "../../events/EventResolutions.ts"
import { type EventDetails, PaymentEvents } from "../../events/PaymentEvents.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { periodOf } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"
import { shownRefund } from "./RefundSchema.ts"

const shownDetails = ({ event, ...more }: EventDetails) => ({ ...event, ...more })

export const PaymentsHandlers = answersOf(
  "payments",
  Effect.gen(function*() {
    const events = yield* PaymentEvents
    const resolutions = yield* EventResolutions
    const corrections = yield* Corrections

    const details = (id: EventId) => Effect.map(events.find(id), shownDetails)

    const resolve = Effect.fnUntraced(function*(id: EventId, asked: Resolve) {
      yield* resolutions.resolve(yield* CurrentAdmin, id, asked)
      return yield* details(id)
    })

    return {
      listPayments: ({ query: { open, outcome, provider, reference, ...query } }) =>
        Effect.flatMap(periodOf(query), (period) => {
          const filter = { open: open === "true", outcome, provider, text: reference, ...period }
          return listed(events.list(filter, rangeOf(query)))
        }),
      getPayment: ({ params }) => details(params.id),
      acceptPayment: ({ params, payload }) => resolve(params.id, { resolution: "accepted", ...payload }),
      creditPayment: ({ params, payload }) => resolve(params.id, { resolution: "credited", ...payload }),
      markPaymentRefunded: ({ params, payload }) => resolve(params.id, { resolution: "refunded", ...payload }),
      refundPayment: Effect.fnUntraced(function*({ params, payload }) {
        return shownRefund(yield* resolutions.refund(yield* CurrentAdmin, params.id, payload))
      }),
      correctPayment: ({ params, payload: { note } }) =>
        Effect.flatMap(CurrentAdmin, (admin) => corrections.correct(admin, params.id, note)),
      dismissPayment: ({ params, payload }) => resolve(params.id, { resolution: "dismissed", ...payload })
    }
  })
)
