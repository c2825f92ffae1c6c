/**
 * What is sent to the payment callbacks and cannot be verified: counted each time, and logged once a minute and provider at most,
 * so that a stranger who sends a lot fills no disk, and a wrong key is seen.
 */
import { Clock, Effect, Metric } from "effect"
import type { NotVerified } from "../../payments/PaymentError.ts"
import type { Provider } from "../../payments/PaymentFact.ts"

const unverifiedTotal = Metric.counter("realms_payment_unverified_total", {
  description: "Payment callbacks that could not be verified, by provider and reason",
  incremental: true
})

/** Between two lines about one provider, at least. */
const LINE_MS_MIN = 60_000

/** Notes one callback that was refused. */
export type NoteUnverified = (provider: Provider, doubt: Pick<NotVerified, "reason" | "why">) => Effect.Effect<void>

/** Of one server. */
export const makeNoteUnverified: Effect.Effect<NoteUnverified> = Effect.sync(() => {
  /** When the last line was written, and how many were refused since without a line. */
  const lines = new Map<Provider, { readonly atMs: number; readonly silent: number }>()
  return Effect.fnUntraced(function*(provider, { reason, why }) {
    yield* Metric.update(Metric.withAttributes(unverifiedTotal, { provider, reason }), 1)
    const nowMs = yield* Clock.currentTimeMillis
    const last = lines.get(provider)
    const count = (last?.silent ?? 0) + 1
    if (last !== undefined && nowMs - last.atMs < LINE_MS_MIN) {
      lines.set(provider, { atMs: last.atMs, silent: count })
      return
    }
    lines.set(provider, { atMs: nowMs, silent: 0 })
    yield* Effect.logWarning("payment callbacks could not be verified", { provider, count, reason, why })
  })
})
