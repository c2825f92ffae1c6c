/**
 * What follows from a verified fact for the payment, attempt and order that it names. Pure: the settlement reads and locks, asks
 * here, and carries the decision out. Money moves only on `Fulfil` and `ClawBack`.
 */
import { DateTime } from "effect"
import { isCounted } from "../orders/Clawback.ts"
import { standingOf } from "../orders/DisputeFold.ts"
import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import type { Payment } from "../orders/Payments.ts"
import type { EventOutcome } from "../orders/Settlement.ts"
import { TRADE_FINISHED } from "../payments/EpayNotify.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"

export type Decision =
  /** Credit it, or activate the subscription. */
  | { readonly _tag: "Fulfil" }
  /** Compute what refunds and disputes of the payment claw back; `attention`: what people have to see of it all the same. */
  | { readonly _tag: "ClawBack"; readonly attention: string | undefined }
  /** What was given back of a payment that was never settled has come again. */
  | { readonly _tag: "Reopen" }
  /** The money is on its way. */
  | { readonly _tag: "Process" }
  /** This attempt will not be paid. */
  | { readonly _tag: "Close" }
  | { readonly _tag: "Note"; readonly outcome: EventOutcome; readonly note: string }

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

const note = (outcome: EventOutcome, text: string): Decision => ({ _tag: "Note", outcome, note: text })

type Of<Tag extends PaymentFact["_tag"]> = Extract<PaymentFact, { _tag: Tag }>

/** What a payment that has been settled or resolved makes of a paid event; undefined: it is open. */
const decideRepeated = (payment: Payment, order: Order | undefined): Decision | undefined => {
  switch (payment.state) {
    case "fulfilled":
      if (order !== undefined && order.id !== payment.orderId) {
        return note("needs_review", "a payment that has paid one order comes again for another")
      }
      return note(
        "duplicate",
        payment.manual ? "the order was completed with this payment" : "this payment has been settled"
      )
    case "credited":
      return note("duplicate", "this payment was credited")
    case "refunded":
      return note("duplicate", "this payment was refunded")
    case "in_review":
    case "dismissed":
      return undefined
  }
}

const decidePaid = (fact: Of<"Paid">, { attempt, manual, order, payment }: Named): Decision => {
  if (fact.payment === null) return note("needs_review", "paid, without saying by which payment")
  if (manual !== undefined && manual.state === "fulfilled") {
    return order !== undefined && order.id === manual.orderId
      ? note("duplicate", "the order was completed with this payment")
      : note("needs_review", "another order was completed with a payment of this number")
  }
  const repeated = payment === undefined ? undefined : decideRepeated(payment, order)
  if (repeated !== undefined) return repeated
  if (attempt === undefined || order === undefined) {
    // Other shops may use the same account.
    if (fact.provider === "stripe" && payment === undefined) return note("ignored", "not a payment of ours")
    return note("needs_review", `paid for an order that is not known: ${fact.reference ?? "no reference"}`)
  }
  if (fact.provider !== attempt.provider) {
    return note("needs_review", `paid through ${fact.provider}, asked for through ${attempt.provider}`)
  }
  if (fact.merchant !== null && fact.merchant !== attempt.merchant) {
    return note("needs_review", `paid to merchant ${fact.merchant}, asked for ${attempt.merchant}`)
  }
  if (fact.amountMinor !== attempt.amountMinor || fact.currency !== attempt.currency) {
    const paid = `${fact.amountMinor} ${fact.currency}`
    return note("needs_review", `paid ${paid}, asked for ${attempt.amountMinor} ${attempt.currency} (minor units)`)
  }
  if (isFulfilled(order.state)) return note("needs_review", `a second payment of an order that is ${order.state}`)
  return { _tag: "Fulfil" }
}

type ClawbackFact = Of<"Refund" | "Refunded" | "Dispute">

/** What people have to answer, to know or to find out of a dispute. */
const attentionTo = (fact: ClawbackFact): string | undefined => {
  if (fact._tag !== "Dispute" || fact.status === "warning_closed") return undefined
  const { dueBySeconds, status } = fact
  const reason = fact.reason === "" ? "no reason" : fact.reason
  const due = dueBySeconds === null
    ? ""
    : `, answer before ${DateTime.formatIso(DateTime.makeUnsafe(dueBySeconds * 1_000))}`
  switch (standingOf(status)) {
    case "unknown":
      return `a dispute in a state that is not known (${status})`
    case "inquiry":
      return `an inquiry of the payer's bank (${status}, ${reason}${due}); no money has moved`
    case "open":
      return status === "needs_response" ? `a dispute to be answered at the provider (${reason}${due})` : undefined
    case "closed":
      return undefined
  }
}

const decideClawback = (fact: ClawbackFact, { attempt, payment }: Named): Decision => {
  if (fact.payment === null) return note("ignored", "about no payment")
  const attention = attentionTo(fact)
  switch (payment?.state) {
    case undefined:
      return attempt === undefined
        ? note("ignored", "not a payment of ours")
        : note("deferred", "its payment is not known yet")
    case "in_review":
      return attention === undefined
        ? note("deferred", "its payment is not settled yet")
        : note("needs_review", attention)
    case "dismissed":
      return attention === undefined
        ? note("applied", "about a payment that was dismissed")
        : note("needs_review", attention)
    case "refunded":
      if (fact._tag === "Refund" && !isCounted(fact.state)) return { _tag: "Reopen" }
      return fact._tag === "Dispute"
        ? note("needs_review", attention ?? "a dispute of a payment that was refunded")
        : note("applied", "about a payment that was refunded")
    case "fulfilled":
    case "credited":
      return fact.currency === payment?.currency
        ? { _tag: "ClawBack", attention }
        : note("needs_review", `in ${fact.currency}, the payment was in ${payment?.currency ?? "an unknown currency"}`)
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
      return attempt?.state === "open" ? { _tag: "Process" } : note("ignored", "nothing waits for it")
    case "Ended":
      return attempt !== undefined && attempt.state !== "paid" && (attempt.state !== "closed" || attempt.payable)
        ? { _tag: "Close" }
        : note("ignored", "nothing waits for it")
    case "Refund":
    case "Refunded":
    case "Dispute":
      return decideClawback(fact, named)
    case "FraudWarning":
    case "UnreadableClawback":
      return named.payment === undefined && (fact.payment === null || named.attempt === undefined)
        ? note("ignored", `not a payment of ours: ${fact.why}`)
        : note("needs_review", fact.why)
    case "TestMode":
      return named.attempt === undefined ? note("ignored", fact.why) : note("needs_review", fact.why)
    case "Nothing":
      return note("ignored", fact.why)
    case "Unreadable":
      if (isEndOfSettled(fact, named.payment)) return note("duplicate", "this payment has been settled")
      return fact.provider === "stripe" && named.attempt === undefined && named.payment === undefined
        ? note("ignored", `not a payment of ours: ${fact.why}`)
        : note("needs_review", fact.why)
  }
}
