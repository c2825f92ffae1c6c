/**
 * What is sent to the payment callbacks and cannot be verified: counted each time, and logged once a minute and provider at most,
 * so that a stranger who sends a lot fills no disk, and a wrong key is seen.
 */
import { Effect, Metric } from "effect"
import { type NotVerified, unverifiedReasons } from "../../payments/PaymentError.ts"
import { Provider } from "../../payments/PaymentFact.ts"
import { makeSparingLog } from "../../platform/SparingLog.ts"

const unverifiedTotal = Metric.counter("realms_payment_unverified_total", {
  description: "Payment callbacks that could not be verified, by provider and reason",
  incremental: true
})

const count = (labels: { readonly provider: Provider; readonly reason: NotVerified["reason"] }, by: number) =>
  Metric.update(Metric.withAttributes(unverifiedTotal, labels), by)

/** Every count is there from the start, so that the first callback is seen as an increase. */
const startCounting = Effect.forEach(
  Provider.literals,
  (provider) => Effect.forEach(unverifiedReasons, (reason) => count({ provider, reason }, 0), { discard: true }),
  { discard: true }
)

type Doubt = Pick<NotVerified, "reason" | "why">

/** Notes one callback that was refused. */
export type NoteUnverified = (provider: Provider, doubt: Doubt) => Effect.Effect<void>

/** Of one server. */
export const makeNoteUnverified: Effect.Effect<NoteUnverified> = Effect.map(
  Effect.andThen(startCounting, makeSparingLog<Provider>("payment callbacks could not be verified")),
  (noteLine) => (provider, { reason, why }) =>
    Effect.andThen(count({ provider, reason }, 1), noteLine(provider, { provider, reason, why }))
)
