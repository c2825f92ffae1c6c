/**
 * Everything that somebody has to know to decide on a payment event: what came in, what was asked for, what else came in for the same
 * order, what was said of it, and what the buyer has.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { AccountOverview, type Balance } from "../accounts/AccountOverview.ts"
import type { EventId } from "../domain/Ids.ts"
import { attemptsOf } from "../orders/AttemptStore.ts"
import { type Dispute, disputesOfPayment } from "../orders/DisputeStore.ts"
import { clawbackNow } from "../orders/Fulfilment.ts"
import type { Attempt, Order } from "../orders/Order.ts"
import type { EventNotFound } from "../orders/OrderError.ts"
import { findOrder } from "../orders/OrderStore.ts"
import { findPayment, type Payment, paymentsNamed, paymentsOfOrder } from "../orders/Payments.ts"
import { type Refund, refundsOfPayment } from "../orders/RefundStore.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type EventDetails, type EventItem, eventsAbout, PaymentEvents } from "./PaymentEvents.ts"

export interface PaymentReview extends EventDetails {
  /** The payment that it is about; undefined: none is known by its id. */
  readonly payment: Payment | undefined
  /** Of the payment, given back or taken by disputes, in its minor unit. */
  readonly backMinor: bigint
  readonly refunds: ReadonlyArray<Refund>
  readonly disputes: ReadonlyArray<Dispute>
  /** The order that it names, and the attempt that the payment, or else the event, was made through. */
  readonly asked: { readonly order: Order; readonly attempt: Attempt | undefined } | undefined
  /** What else came in for that order, oldest first. */
  readonly otherPayments: ReadonlyArray<Payment>
  /** What else was said of the payment and the order, newest first. */
  readonly otherEvents: ReadonlyArray<EventItem>
  /** What the buyer has and owes now; undefined: there is no buyer. */
  readonly balance: Balance | undefined
}

export class PaymentReviews extends Context.Service<PaymentReviews, {
  find(id: EventId): Effect.Effect<PaymentReview, EventNotFound | DatabaseUnavailable>
}>()("realms/events/PaymentReviews") {
  static readonly layer = Layer.effect(PaymentReviews)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const events = yield* PaymentEvents
    const overview = yield* AccountOverview

    /** By its row, or by the number that the event names where it was not concluded yet. */
    const paymentOf = Effect.fnUntraced(function*({ payment, paymentId, provider }: EventItem) {
      if (paymentId !== null) return yield* findPayment(sql, paymentId)
      const named = payment === null ? [] : yield* paymentsNamed(sql, payment)
      const ofProvider = named.filter((one) => one.provider === provider)
      return ofProvider.length === 1 ? ofProvider[0] : undefined
    })

    const find = Effect.fn("PaymentReviews.find")(function*(id: EventId) {
      const details = yield* events.find(id)
      const { event } = details
      const payment = yield* paymentOf(event)
      const orderId = event.orderId ?? payment?.orderId ?? null
      const order = orderId === null ? undefined : yield* findOrder(sql, orderId)
      const attempts = order === undefined ? [] : yield* attemptsOf(sql, order.id)
      const attempt = attempts.find((one) => one.id === payment?.attemptId) ??
        attempts.find(({ reference }) => reference === event.reference)
      const payments = order === undefined ? [] : yield* paymentsOfOrder(sql, order.id)
      const about = yield* eventsAbout(sql, { orderId, paymentId: payment?.id ?? null })
      const paidMinor = payment?.paidMinor ?? null
      const clawback = payment === undefined || paidMinor === null
        ? undefined
        : yield* clawbackNow(sql, payment, paidMinor)
      const buyerId = details.buyer?.id ?? order?.userId
      return {
        ...details,
        payment,
        backMinor: clawback?.backMinor ?? 0n,
        refunds: payment === undefined ? [] : yield* refundsOfPayment(sql, payment.id),
        disputes: payment === undefined ? [] : yield* disputesOfPayment(sql, payment.id),
        asked: order && { order, attempt },
        otherPayments: payments.filter((one) => one.id !== payment?.id),
        otherEvents: about.filter((one) => one.id !== event.id),
        balance: buyerId === undefined ? undefined : yield* overview.balance(buyerId)
      } satisfies PaymentReview
    }, orUnavailable)

    return PaymentReviews.of({ find })
  }))
}
