/**
 * Orders that root completes because they were paid in a way that no provider will report in time. They are settled like any other
 * payment, on root's word. When root names the provider's own reference, a later callback with it is a duplicate. A payment pays
 * one order only, however many administrators and callbacks say so at once.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { OrderId } from "../domain/Ids.ts"
import { insertAttempt, lockAttempts, type NewAttempt } from "../orders/AttemptStore.ts"
import { makeReference, minorOf } from "../orders/Checkout.ts"
import { orderFacts, orderWorth } from "../orders/Fulfilment.ts"
import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import {
  type DecisionError,
  OrderClosed,
  OrderNotFound,
  OrderProcessing,
  type PaymentUsed,
  ResolutionRefused
} from "../orders/OrderError.ts"
import { findOrder, lockOrder } from "../orders/OrderStore.ts"
import { epayScope, lockPayment, paymentsNamed } from "../orders/Payments.ts"
import { Settlement, settling } from "../orders/Settlement.ts"
import { hostOf } from "../payments/EpayGateway.ts"
import type { PaymentFact, PaymentSource } from "../payments/PaymentFact.ts"
import { stripeAccountOf } from "../payments/StripeClient.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote } from "../platform/Notes.ts"
import { SecondPerson } from "../platform/SecondPerson.ts"
import { Settings, type SettingsValues } from "../settings/Settings.ts"
import { resolveReviews } from "./EventStore.ts"
import { checkUnused } from "./PaymentUse.ts"

export interface ManualPayment {
  readonly orderId: OrderId
  /** Whose reference it is: a provider's own, or any other proof. */
  readonly provider: PaymentSource
  /** Stripe's payment intent, EPay's trade number, or what a bank or a receipt calls it. */
  readonly reference: string
  readonly note: string
}

export class ManualPayments extends Context.Service<ManualPayments, {
  /**
   * Fulfils a pending, cancelled or expired order. The same again, by the same administrator, changes nothing.
   * `OrderProcessing` while money is on its way by a provider: its outcome comes first.
   */
  complete(
    actor: Actor,
    payment: ManualPayment
  ): Effect.Effect<
    Order,
    OrderNotFound | OrderClosed | OrderProcessing | PaymentUsed | DecisionError
  >
}>()("realms/events/ManualPayments") {
  static readonly layer = Layer.effect(ManualPayments)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const settlement = yield* Settlement
    const secondPerson = yield* SecondPerson

    /** What the payment was of: as the order's last attempt at this provider was asked for, else as one would be now. */
    const termsOf = (
      provider: PaymentSource,
      order: Order,
      attempts: ReadonlyArray<Attempt>,
      { payment }: SettingsValues
    ): Pick<NewAttempt, "amountMinor" | "currency" | "gateway" | "merchant" | "minorPerFen" | "method"> => {
      const last = attempts.findLast((attempt) => attempt.provider === provider)
      if (last !== undefined) return last
      const inFen = { amountMinor: order.amountFen, currency: "cny", minorPerFen: "1", method: null }
      if (provider === "manual") return { ...inFen, gateway: "", merchant: "" }
      if (provider === "epay") return { ...inFen, gateway: hostOf(payment.epay), merchant: payment.epay.partnerId }
      const { currency, minorPerFen } = payment.stripe
      return {
        amountMinor: minorOf(order.amountFen, minorPerFen),
        currency,
        minorPerFen,
        method: null,
        gateway: "",
        merchant: stripeAccountOf(payment.stripe)
      }
    }

    const pay = Effect.fnUntraced(function*(
      actor: Actor,
      { note, provider, reference: payment }: ManualPayment,
      order: Order,
      terms: ReturnType<typeof termsOf>
    ) {
      const reference = makeReference(order)
      const { amountMinor, currency, gateway, merchant, method, minorPerFen } = terms
      yield* insertAttempt(sql, {
        order,
        provider,
        method,
        amountMinor,
        currency,
        gateway,
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
      const scope = provider === "epay" ? epayScope(gateway, merchant) : ""
      yield* resolveReviews(sql, { provider, scope, payment }, { resolution: "completed", note, by: actor.name })
      const settled = yield* settlement.settleWithin(fact)
      if (settled.outcome !== "applied") return yield* Effect.die(new Error(`order ${order.id} was not completed`))
      yield* recordChange(sql, actor, {
        action: "order.completed",
        target: `order:${order.id}`,
        before: { state: order.state },
        after: { provider, payment, amount_minor: amountMinor, currency, note }
      })
      return { fact, settled }
    })

    const completeWithin = Effect.fnUntraced(function*(actor: Actor, asked: ManualPayment, values: SettingsValues) {
      const { orderId: id, provider, reference } = asked
      const found = yield* findOrder(sql, id)
      if (found === undefined) return yield* new OrderNotFound({ id })
      yield* lockPayment(sql, reference)
      const order = (yield* lockOrder(sql, found.kind, id)) ?? found
      const attempts = yield* lockAttempts(sql, id)
      if (isFulfilled(order.state)) {
        const isSame = attempts.some((attempt) => attempt.completedBy === actor.name && attempt.payment === reference)
        return isSame ? undefined : yield* new OrderClosed({ id, state: order.state })
      }
      if (attempts.some(({ state }) => state === "processing")) return yield* new OrderProcessing({ id })
      const known = yield* paymentsNamed(sql, reference)
      for (const payment of known) yield* checkUnused(payment)
      // Money that is in review under that id is this money, whatever root calls its provider.
      const [inReview] = known
      const terms = termsOf(inReview?.provider ?? provider, order, attempts, values)
      const [gateway, merchant] = inReview?.provider === "epay" ? inReview.scope.split("|") : []
      // What the provider has said was paid is what was paid.
      const paid = inReview === undefined || inReview.paidMinor === null || inReview.currency === null
        ? undefined
        : { amountMinor: inReview.paidMinor, currency: inReview.currency }
      const by = inReview?.provider ?? provider
      const taken = { ...terms, ...paid, gateway: gateway ?? terms.gateway, merchant: merchant ?? terms.merchant }
      const done = yield* pay(actor, { ...asked, provider: by }, order, taken)
      yield* secondPerson.check(actor, {
        action: "order.complete",
        // It is money that nobody but root has seen, and credit that nobody has paid: both limits count.
        worth: { fen: order.amountFen, usd: orderWorth(order, order.creditMicros) },
        asked: { order_id: String(id), provider, reference },
        facts: {
          ...orderFacts(order, order.creditMicros),
          provider: by,
          payment: reference,
          paid_minor: String(taken.amountMinor),
          currency: taken.currency,
          in_review: inReview !== undefined
        },
        note: asked.note
      })
      return done
    })

    return ManualPayments.of({
      complete: Effect.fn("ManualPayments.complete")(function*(actor: Actor, asked: ManualPayment) {
        const reference = checkReference(asked.provider, asked.reference)
        if (reference === undefined) return yield* new ResolutionRefused({ reason: "reference" })
        const note = checkNote(asked.note)
        if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
        const values = yield* settings.fresh
        const completed = settling(sql, completeWithin(actor, { ...asked, reference, note }, values))
        const done = yield* secondPerson.asking(actor, completed)
        if (done !== undefined) yield* settlement.concluded(done.fact, done.settled)
        const order = yield* settling(sql, findOrder(sql, asked.orderId))
        return order ?? (yield* new OrderNotFound({ id: asked.orderId }))
      })
    })
  }))
}

/** Ids of Stripe's own objects: under another name the same money could count twice. */
const stripeIds = /^(?:pi|ch|py|cs)_/

/** Printable and of one line: some gateways' numbers have more than letters and digits. */
const references: Readonly<Record<PaymentSource, RegExp>> = {
  stripe: /^pi_\w{1,200}$/,
  epay: /^[\x21-\x7e]{1,200}$/,
  manual: /^[^\p{Cc}]{1,200}$/u
}

const checkReference = (provider: PaymentSource, text: string): string | undefined => {
  const reference = text.trim()
  const isForeign = provider !== "stripe" && stripeIds.test(reference)
  return references[provider].test(reference) && !isForeign && reference.isWellFormed() ? reference : undefined
}
