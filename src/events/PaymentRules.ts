/**
 * What follows from a verified fact for the payment, attempt and order that it names. Pure: the settlement reads and locks, asks
 * here, and carries the decision out. Money moves only on `Fulfil` and `ClawBack`.
 */
import { DateTime } from "effect"
import { isCounted } from "../orders/Clawback.ts"
import { askedOf, standingOf } from "../orders/DisputeFold.ts"
import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import type { Payment } from "../orders/Payments.ts"
import { type Reason, reason, type ReasonCode } from "../orders/Reason.ts"
import type { EventOutcome } from "../orders/Settlement.ts"
import { TRADE_FINISHED } from "../payments/EpayNotify.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"

export type Decision =
  /** Credit it, or activate the subscription. */
  | { readonly _tag: "Fulfil" }
  /** Compute what refunds and disputes of the payment claw back; `attention`: what people have to see of it all the same. */
  | { readonly _tag: "ClawBack"; readonly attention: Reason | undefined }
  /** What was given back of a payment that was never settled has come again. */
  | { readonly _tag: "Reopen" }
  /** The money is on its way. */
  | { readonly _tag: "Process" }
  /** This attempt will not be paid. */
  | { readonly _tag: "Close" }
  | { readonly _tag: "Note"; readonly outcome: EventOutcome; readonly reason: Reason }

/** What an event names, as it is now, locked. */
export interface Named {
  /** The attempt with the event's reference; for a clawback that of its payment. */
  readonly attempt: Attempt | undefined
  /** The order of that attempt, with all its attempts. */
  readonly order: Order | undefined
  readonly attempts: ReadonlyArray<Attempt>
  /** The payment that the event is about. */
  readonly payment: Payment | undefined
  /** A manual payment under the same id that has another identity: it may be the same money under another name. */
  readonly manual: Payment | undefined
}

const note = (outcome: EventOutcome, code: ReasonCode, values?: Readonly<Record<string, string>>): Decision => ({
  _tag: "Note",
  outcome,
  reason: reason(code, values)
})

const seen = (attention: Reason): Decision => ({ _tag: "Note", outcome: "needs_review", reason: attention })

type Of<Tag extends PaymentFact["_tag"]> = Extract<PaymentFact, { _tag: Tag }>

/** What a payment that has been settled or resolved makes of a paid event; undefined: it is open. */
const decideRepeated = (payment: Payment, order: Order | undefined): Decision | undefined => {
  switch (payment.state) {
    case "fulfilled":
      if (order !== undefined && order.id !== payment.orderId) {
        return note("needs_review", "used_for_other")
      }
      return note(
        "duplicate",
        payment.manual ? "completed_with" : "was_settled"
      )
    case "credited":
      return note("duplicate", "was_credited")
    case "refunded":
      return note("duplicate", "was_refunded")
    case "in_review":
    case "dismissed":
      return undefined
  }
}

const decidePaid = (fact: Of<"Paid">, { attempt, manual, order, payment }: Named): Decision => {
  if (fact.payment === null) return note("needs_review", "no_payment")
  if (manual !== undefined && manual.state === "fulfilled") {
    return order !== undefined && order.id === manual.orderId
      ? note("duplicate", "completed_with")
      : note("needs_review", "completed_other")
  }
  const repeated = payment === undefined ? undefined : decideRepeated(payment, order)
  if (repeated !== undefined) return repeated
  if (attempt === undefined || order === undefined) {
    // Other shops may use the same account.
    if (fact.provider === "stripe" && payment === undefined) return note("ignored", "not_ours")
    return note("needs_review", "unknown_order", { reference: fact.reference ?? "no reference" })
  }
  if (fact.provider !== attempt.provider) {
    return note("needs_review", "other_provider", { paid: fact.provider, asked: attempt.provider })
  }
  if (fact.merchant !== null && fact.merchant !== attempt.merchant) {
    return note("needs_review", "other_merchant", { paid: fact.merchant, asked: attempt.merchant })
  }
  if (fact.amountMinor !== attempt.amountMinor || fact.currency !== attempt.currency) {
    return note("needs_review", "other_amount", {
      paid_minor: String(fact.amountMinor),
      paid_currency: fact.currency,
      asked_minor: String(attempt.amountMinor),
      asked_currency: attempt.currency
    })
  }
  if (isFulfilled(order.state)) return note("needs_review", "second_payment", { state: order.state })
  return { _tag: "Fulfil" }
}

type ClawbackFact = Of<"Refund" | "Refunded" | "Dispute">

/** What people have to answer, to know or to find out of a dispute. */
const attentionTo = (fact: ClawbackFact): Reason | undefined => {
  if (fact._tag !== "Dispute" || askedOf(fact.status) === "nothing") return undefined
  const { dueBySeconds, status } = fact
  const due_at = dueBySeconds === null ? undefined : DateTime.formatIso(DateTime.makeUnsafe(dueBySeconds * 1_000))
  const values = { status, reason: fact.reason === "" ? "no reason" : fact.reason }
  switch (standingOf(status)) {
    case "unknown":
      return reason("dispute_unknown", { status })
    case "inquiry":
      return due_at === undefined ? reason("inquiry", values) : reason("inquiry_due", { ...values, due_at })
    case "open":
      return due_at === undefined ? reason("dispute_open", values) : reason("dispute_open_due", { ...values, due_at })
    case "closed":
      return undefined
  }
}

const decideClawback = (fact: ClawbackFact, { attempt, payment }: Named): Decision => {
  if (fact.payment === null) return note("ignored", "about_no_payment")
  const attention = attentionTo(fact)
  switch (payment?.state) {
    case undefined:
      return attempt === undefined
        ? note("ignored", "not_ours")
        : note("deferred", "payment_unknown")
    case "in_review":
      return attention === undefined
        ? note("deferred", "payment_open")
        : seen(attention)
    case "dismissed":
      return attention === undefined
        ? note("applied", "payment_dismissed")
        : seen(attention)
    case "refunded":
      if (fact._tag === "Refund" && !isCounted(fact.state)) return { _tag: "Reopen" }
      return fact._tag === "Dispute"
        ? seen(attention ?? reason("refunded_disputed"))
        : note("applied", "payment_refunded")
    case "fulfilled":
    case "credited":
      return fact.currency === payment?.currency
        ? { _tag: "ClawBack", attention }
        : note("needs_review", "other_currency", {
          told: fact.currency,
          paid: payment?.currency ?? "an unknown currency"
        })
  }
}

/** A gateway says that a trade is over whose payment was settled or decided on before. */
const isEndOfSettled = (fact: PaymentFact, payment: Payment | undefined): boolean =>
  fact.provider === "epay" && fact.kind === TRADE_FINISHED &&
  (payment?.state === "fulfilled" || payment?.state === "credited" || payment?.state === "refunded")

/** True for facts about refunds and disputes: they name a payment, not an order. */
export const isClawback = (fact: PaymentFact): fact is PaymentFact & ClawbackFact =>
  fact._tag === "Refund" || fact._tag === "Refunded" || fact._tag === "Dispute"

/** Decides on a fact by what it names. */
export const decide = (fact: PaymentFact, named: Named): Decision => {
  // What a provider says of a page of its own is about attempts of its own.
  const attempt = named.attempt?.provider === fact.provider ? named.attempt : undefined
  switch (fact._tag) {
    case "Paid":
      return decidePaid(fact, named)
    case "Processing":
      return attempt?.state === "open" ? { _tag: "Process" } : note("ignored", "nothing_waits")
    case "Ended":
      return attempt !== undefined && attempt.state !== "paid" && (attempt.state !== "closed" || attempt.payable)
        ? { _tag: "Close" }
        : note("ignored", "nothing_waits")
    case "Refund":
    case "Refunded":
    case "Dispute":
      return decideClawback(fact, named)
    case "FraudWarning":
      return named.payment === undefined && (fact.payment === null || named.attempt === undefined)
        ? note("ignored", "not_ours")
        : note("needs_review", "fraud_warning", { type: fact.fraudType })
    case "UnreadableClawback":
      return named.payment === undefined && (fact.payment === null || named.attempt === undefined)
        ? note("ignored", "not_ours_because", { text: fact.why })
        : note("needs_review", "told", { text: fact.why })
    case "TestMode":
      return note(named.attempt === undefined ? "ignored" : "needs_review", "test_mode")
    case "Nothing":
      return note("ignored", "told", { text: fact.why })
    case "Unreadable":
      if (isEndOfSettled(fact, named.payment)) return note("duplicate", "was_settled")
      return fact.provider === "stripe" && named.attempt === undefined && named.payment === undefined
        ? note("ignored", "not_ours_because", { text: fact.why })
        : note("needs_review", "told", { text: fact.why })
  }
}
