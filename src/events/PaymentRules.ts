/**
 * What a verified fact means for the attempt and order it names. Pure: the settlement reads and locks, asks here, and does as
 * it is told. Money moves only on `Fulfil` and `TakeBack`.
 */
import { TRADE_FINISHED } from "../payments/EpayNotify.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import type { EventOutcome } from "../orders/Settlement.ts"

export type Verdict =
  /** Credit it, or activate the subscription. */
  | { readonly _tag: "Fulfil" }
  /** Compute anew what refunds and disputes of the payment take back. */
  | { readonly _tag: "TakeBack" }
  /** The money is on its way. */
  | { readonly _tag: "Process" }
  /** This attempt will not be paid. */
  | { readonly _tag: "Close" }
  | { readonly _tag: "Note"; readonly outcome: EventOutcome; readonly note: string }

const note = (outcome: EventOutcome, text: string): Verdict => ({ _tag: "Note", outcome, note: text })

type Of<Tag extends PaymentFact["_tag"]> = Extract<PaymentFact, { _tag: Tag }>

/** Root named this payment when the order was completed, and the provider tells of it later, by an attempt of the order. */
const isNamedBefore = (fact: Of<"Paid">, attempt: Attempt, attempts: ReadonlyArray<Attempt>): boolean =>
  attempt.completedBy !== null && attempt.payment === fact.payment &&
  attempts.some(({ reference }) => reference === fact.reference)

const judgePaid = (
  fact: Of<"Paid">,
  attempt: Attempt | undefined,
  order: Order | undefined,
  attempts: ReadonlyArray<Attempt>
): Verdict => {
  if (fact.payment === null) return note("exception", "paid, without saying by which payment")
  if (attempt === undefined || order === undefined) {
    return note("exception", `paid for an order that is not known: ${fact.reference ?? "no reference"}`)
  }
  if (isNamedBefore(fact, attempt, attempts)) return note("duplicate", "the order was completed with this payment")
  if (attempt.reference !== fact.reference) {
    return note("exception", "a payment that has paid one order comes again for another")
  }
  if (fact.merchant !== null && fact.merchant !== attempt.merchant) {
    return note("exception", `paid to merchant ${fact.merchant}, asked for ${attempt.merchant}`)
  }
  if (fact.amountMinor !== attempt.amountMinor || fact.currency !== attempt.currency) {
    const paid = `${fact.amountMinor} ${fact.currency}`
    return note("exception", `paid ${paid}, asked for ${attempt.amountMinor} ${attempt.currency} (minor units)`)
  }
  if (attempt.payment === fact.payment) return note("duplicate", "this payment has been settled")
  if (isFulfilled(order.state)) return note("exception", `a second payment of an order that is ${order.state}`)
  return { _tag: "Fulfil" }
}

const judgeTakeBack = (
  fact: Of<"Refunded" | "RefundFailed" | "DisputeOpened" | "DisputeClosed">,
  attempt: Attempt | undefined,
  order: Order | undefined
): Verdict => {
  if (fact.payment === null) return note("ignored", "about no payment")
  if (attempt === undefined || order === undefined) {
    return fact._tag === "Refunded" && fact.reference === null
      ? note("ignored", "not a payment of ours")
      : note("parked", "its payment is not known yet")
  }
  if (attempt.payment !== fact.payment) {
    return isFulfilled(order.state)
      ? note("ignored", "about a payment that was never credited")
      : note("parked", "its payment is not settled yet")
  }
  if (fact.currency !== attempt.currency) {
    return note("exception", `in ${fact.currency}, the payment was in ${attempt.currency}`)
  }
  return { _tag: "TakeBack" }
}

/** A gateway says that a trade is over which was settled when it was paid. */
const isEndOfSettled = (fact: PaymentFact, attempt: Attempt | undefined): boolean =>
  fact.provider === "epay" && fact.kind === TRADE_FINISHED && fact.payment !== null && attempt?.payment === fact.payment

/** True for facts that take money back, or give back what was taken. */
export const isTakeBack = (fact: PaymentFact): boolean =>
  fact._tag === "Refunded" || fact._tag === "RefundFailed" || fact._tag === "DisputeOpened" ||
  fact._tag === "DisputeClosed"

/** Judges a fact against the attempt it names, its order and all the order's attempts, which are locked. */
export const judge = (
  fact: PaymentFact,
  attempt: Attempt | undefined,
  order: Order | undefined,
  attempts: ReadonlyArray<Attempt> = []
): Verdict => {
  switch (fact._tag) {
    case "Paid":
      return judgePaid(fact, attempt, order, attempts)
    case "Processing":
      return attempt?.state === "open" ? { _tag: "Process" } : note("ignored", "nothing waits for it")
    case "Ended":
      return attempt !== undefined && attempt.state !== "paid" && (attempt.state !== "closed" || attempt.payable)
        ? { _tag: "Close" }
        : note("ignored", "nothing waits for it")
    case "Refunded":
    case "RefundFailed":
    case "DisputeOpened":
    case "DisputeClosed":
      return judgeTakeBack(fact, attempt, order)
    case "Nothing":
      return note("ignored", fact.why)
    case "Unreadable":
      return isEndOfSettled(fact, attempt)
        ? note("duplicate", "this payment has been settled")
        : note("exception", fact.why)
  }
}
