/**
 * Orders that root completes because they were paid in a way that no provider will tell of in time: the same settlement, with
 * a fact that is root's word. Whoever names the provider's own reference makes its later callback a duplicate; a payment pays
 * one order only, however many administrators and callbacks say so at once.
 */
import { lockPayment } from "../orders/Payments.ts"
import { insertAttempt, lockAttempts, type NewAttempt } from "../orders/AttemptStore.ts"
import { Settlement, settling } from "../orders/Settlement.ts"
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { PaymentFact, PaymentSource } from "../payments/PaymentFact.ts"
import { StripeClient } from "../payments/StripeClient.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote } from "../platform/Notes.ts"
import { Settings, type SettingsValues } from "../settings/Settings.ts"
import { makeReference, minorOf } from "../orders/Checkout.ts"

import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import {
  OrderClosed,
  OrderNotFound,
  OrderProcessing,
  type PaymentUsed,
  ResolutionRefused,
  type SettlementUnavailable
} from "../orders/OrderError.ts"
import { settingsNow } from "../orders/Orders.ts"
import { findOrder, lockOrder } from "../orders/OrderStore.ts"
import { checkUnused } from "./PaymentUse.ts"

export interface OutsidePayment {
  readonly orderId: bigint
  /** Whose reference it is: a provider's own, or any other proof. */
  readonly provider: PaymentSource
  /** Stripe's payment intent, EPay's trade number, or what a bank or a receipt calls it. */
  readonly reference: string
  readonly note: string
}

export class OutsidePayments extends Context.Service<OutsidePayments, {
  /**
   * Fulfils a pending, cancelled or expired order. The same again, by the same administrator, changes nothing.
   * `OrderProcessing` while money is on its way by a provider: its outcome comes first.
   */
  complete(
    actor: Actor,
    payment: OutsidePayment
  ): Effect.Effect<
    Order,
    OrderNotFound | OrderClosed | OrderProcessing | PaymentUsed | ResolutionRefused | SettlementUnavailable
  >
}>()("realms/events/OutsidePayments") {
  static readonly layer = Layer.effect(OutsidePayments, Effect.suspend(() => make))
}

/** Printable and of one line: some gateways' numbers have more than letters and digits. */
const references: Readonly<Record<PaymentSource, RegExp>> = {
  stripe: /^pi_\w{1,200}$/,
  epay: /^[\x21-\x7e]{1,200}$/,
  outside: /^[^\p{Cc}]{1,200}$/u
}

const checkReference = (provider: PaymentSource, text: string): string | undefined => {
  const reference = text.trim()
  return references[provider].test(reference) && reference.isWellFormed() ? reference : undefined
}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const settings = yield* Settings
  const stripe = yield* StripeClient
  const settlement = yield* Settlement

  /** What the payment was of: as the order's last attempt at this provider was asked for, else as one would be now. */
  const termsOf = (
    provider: PaymentSource,
    order: Order,
    attempts: ReadonlyArray<Attempt>,
    { payment }: SettingsValues
  ): Pick<NewAttempt, "amountMinor" | "currency" | "merchant" | "minorPerFen" | "method"> => {
    const last = attempts.findLast((attempt) => attempt.provider === provider)
    if (last !== undefined) return last
    const inFen = { amountMinor: order.amountFen, currency: "cny", minorPerFen: "1", method: null }
    if (provider === "outside") return { ...inFen, merchant: "" }
    if (provider === "epay") return { ...inFen, merchant: payment.epay.partnerId }
    const { currency, minorPerFen } = payment.stripe
    return {
      amountMinor: minorOf(order.amountFen, minorPerFen),
      currency,
      minorPerFen,
      method: null,
      merchant: stripe.accountOf(payment.stripe)
    }
  }

  const pay = Effect.fnUntraced(function*(
    actor: Actor,
    { note, provider, reference: payment }: OutsidePayment,
    order: Order,
    terms: ReturnType<typeof termsOf>
  ) {
    const reference = makeReference(order)
    const { amountMinor, currency, merchant, method, minorPerFen } = terms
    yield* insertAttempt(sql, {
      order,
      provider,
      method,
      amountMinor,
      currency,
      merchant,
      minorPerFen,
      reference,
      sessionExpiresAt: null,
      completedBy: actor.name
    })
    const fact: PaymentFact = {
      _tag: "Paid",
      provider,
      // An order is completed so once.
      eventKey: `root:order:${order.id}`,
      kind: "order.completed",
      payment,
      reference,
      atSeconds: Math.floor((yield* Clock.currentTimeMillis) / 1_000),
      merchant: null,
      method: null,
      amountMinor,
      currency
    }
    const settled = yield* settlement.settleWithin(fact)
    if (settled.outcome !== "applied") return yield* Effect.die(new Error(`order ${order.id} was not completed`))
    yield* sql`UPDATE payment_events SET resolution = 'completed', resolution_note = ${note}, resolved_by = ${actor.name},
        resolved_at = now()
      WHERE provider = ${provider} AND payment_reference = ${payment} AND outcome = 'exception'
        AND fact IN ('Paid', 'Unreadable') AND resolved_at IS NULL`
    yield* recordChange(sql, actor, {
      action: "order.completed",
      target: `order:${order.id}`,
      before: { state: order.state },
      after: { provider, payment, amount_minor: amountMinor, currency, note }
    })
    return { fact, settled }
  })

  const completeWithin = Effect.fnUntraced(function*(actor: Actor, asked: OutsidePayment, values: SettingsValues) {
    const { orderId: id, provider, reference } = asked
    const known = yield* findOrder(sql, id)
    if (known === undefined) return yield* new OrderNotFound({ id })
    yield* lockPayment(sql, provider, reference)
    const order = (yield* lockOrder(sql, known.kind, id)) ?? known
    const attempts = yield* lockAttempts(sql, id)
    if (isFulfilled(order.state)) {
      const isSame = attempts.some((attempt) =>
        attempt.completedBy === actor.name && attempt.provider === provider && attempt.payment === reference
      )
      return isSame ? undefined : yield* new OrderClosed({ id, state: order.state })
    }
    if (attempts.some(({ state }) => state === "processing")) return yield* new OrderProcessing({ id })
    yield* checkUnused(sql, provider, reference)
    return yield* pay(actor, asked, order, termsOf(provider, order, attempts, values))
  })

  return OutsidePayments.of({
    complete: Effect.fn("OutsidePayments.complete")(function*(actor: Actor, asked: OutsidePayment) {
      const reference = checkReference(asked.provider, asked.reference)
      if (reference === undefined) return yield* new ResolutionRefused({ reason: "reference" })
      const note = checkNote(asked.note)
      if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
      const values = yield* settingsNow(settings)
      const done = yield* settling(sql, completeWithin(actor, { ...asked, reference, note }, values))
      if (done !== undefined) yield* settlement.concluded(done.fact, done.settled)
      const order = yield* settling(sql, findOrder(sql, asked.orderId))
      return order ?? (yield* new OrderNotFound({ id: asked.orderId }))
    })
  })
})
