/**
 * Stripe checkout sessions that must not be paid any more: those of orders that are fulfilled, cancelled or expired, and of closed
 * attempts. Closing them is tried at once; where Stripe does not answer, the reconciliation tries again. A payment that comes all
 * the same is honoured or shown to root, never lost.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { AttemptId, type OrderId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { StripeClient } from "../payments/StripeClient.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"
import { askSoon, moveAttemptById } from "./AttemptStore.ts"

const OpenSession = Row({ attemptId: AttemptId, session: Schema.String }, {
  attemptId: "id",
  session: "provider_reference"
})

export class CheckoutSessions extends Context.Service<CheckoutSessions, {
  /** Closes the sessions of an order that must not be paid any more. Never fails: what does not work stays open. */
  closeOf(orderId: OrderId): Effect.Effect<void>
}>()("realms/orders/CheckoutSessions") {
  static readonly layer = Layer.effect(CheckoutSessions)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const stripe = yield* StripeClient
    const settings = yield* Settings

    const close = Effect.fnUntraced(function*(orderId: OrderId, attemptId: AttemptId, session: string) {
      const ended = yield* stripe.expire((yield* settings.fresh).payment.stripe, session)
      // A session that is complete has been paid or will be: it stays payable, and what came of it is asked about next.
      yield* ended === "expired"
        ? moveAttemptById(sql, attemptId, { _tag: "SessionExpired" }, { askSoon: true })
        : askSoon(sql, [orderId])
    }, (effect, _, attemptId) =>
      effect.pipe(
        Effect.catch((error) =>
          Effect.logWarning("a session stays open for now; it is closed later", error).pipe(
            Effect.annotateLogs({ attemptId: String(attemptId) })
          )
        )
      ))

    const closeOf = Effect.fn("CheckoutSessions.closeOf")(function*(orderId: OrderId) {
      const open = yield* rowsOf(
        OpenSession,
        sql`SELECT a.id, a.provider_reference FROM payment_attempts a JOIN orders o ON o.id = a.order_id
      WHERE a.order_id = ${orderId} AND a.provider = 'stripe' AND a.payable AND a.provider_reference IS NOT NULL
        AND (o.state <> 'pending' OR a.state = 'closed') ORDER BY a.id`
      )
      yield* Effect.forEach(open, ({ attemptId, session }) => close(orderId, attemptId, session), { discard: true })
    }, (effect, orderId) =>
      effect.pipe(
        Effect.catch((error) =>
          Effect.logWarning("sessions of an order stay open for now; they are closed later", error).pipe(
            Effect.annotateLogs({ orderId: String(orderId) })
          )
        )
      ))

    return CheckoutSessions.of({ closeOf })
  }))
}
