/**
 * What is sent to the payment callbacks and cannot be verified: counted each time, and logged once a minute and provider at most,
 * so that a stranger who sends a lot fills no disk, and a wrong key is seen.
 */
import { Effect, Metric } from "effect"
import type { NotVerified } from "../../payments/PaymentError.ts"
import type { Provider } from "../../payments/PaymentFact.ts"
import { makeSparingLog } from "../../platform/SparingLog.ts"

const unverifiedTotal = Metric.counter("realms_payment_unverified_total", {
  description: "Payment callbacks that could not be verified, by provider and reason",
  incremental: true
})

type Doubt = Pick<NotVerified, "reason" | "why">

/** Notes one callback that was refused. */
export type NoteUnverified = (provider: Provider, doubt: Doubt) => Effect.Effect<void>

/** Of one server. */
export const makeNoteUnverified: Effect.Effect<NoteUnverified> = Effect.map(
  makeSparingLog<Provider>("payment callbacks could not be verified"),
  (noteLine) => (provider, { reason, why }) =>
    Effect.andThen(
      Metric.update(Metric.withAttributes(unverifiedTotal, { provider, reason }), 1),
      noteLine(provider, { provider, reason, why })
    )
)
