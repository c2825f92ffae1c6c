/**
 * A payment pays an order, inside the transaction under way: its attempt is paid, the others are closed, what was bought is given,
 * and what waited for the payment is concluded with it. Everything about the payment, the order and its attempts are locked.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { EventId } from "../domain/Ids.ts"
import { moveAttempt } from "../orders/AttemptStore.ts"
import { fulfil } from "../orders/Fulfilment.ts"
import type { Attempt, Order } from "../orders/Order.ts"
import { type Payment, type PaymentIdentity, writePayment } from "../orders/Payments.ts"
import { takeDeferred } from "./Deferred.ts"
import { type Resolved, resolveReviews } from "./EventStore.ts"

export interface OrderPayment {
  readonly identity: PaymentIdentity
  readonly paid: { readonly minor: bigint; readonly currency: string }
  /** How it was paid, where that is known. */
  readonly method: string | null
  readonly attempt: Attempt
  readonly attempts: ReadonlyArray<Attempt>
  readonly order: Order
  /** What a top-up credits, in USD micros: the order's credit, or a part of it. */
  readonly creditMicros: bigint
  /** The event that it is done on. */
  readonly eventId: EventId
  /** How events that waited for people are resolved by it. */
  readonly resolved: Resolved
}

export const payOrder = (sql: SqlClient.SqlClient, asked: OrderPayment): Effect.Effect<Payment, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { attempt, creditMicros, identity, order } = asked
    for (const other of asked.attempts) {
      const isOpen = other.id !== attempt.id && (other.state === "open" || other.state === "processing")
      if (isOpen) yield* moveAttempt(sql, other, { _tag: "OtherPaid" }, { askSoon: true })
    }
    const notes = { payment: identity.payment, method: asked.method, askSoon: true }
    yield* moveAttempt(sql, attempt, { _tag: "Paid" }, notes)
    const fulfilled = yield* fulfil(sql, order, creditMicros)
    const payment = yield* writePayment(sql, identity, {
      state: "fulfilled",
      manual: attempt.completedBy !== null,
      paid: asked.paid,
      attemptId: attempt.id,
      ...(order.kind === "topup" ? { credited: { userId: order.userId, micros: creditMicros } } : {})
    })
    yield* resolveReviews(sql, identity, asked.resolved)
    yield* takeDeferred(sql, payment, fulfilled, asked.eventId)
    return payment
  })
