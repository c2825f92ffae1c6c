/**
 * What can be done about a payment event, and what each of it would do to which balance: by what the provider says, by what has become
 * of the payment, and by the state of its order. Pure; what is really done is decided again, with everything locked.
 */
import type { Balance } from "../accounts/AccountOverview.ts"
import type { SoldPlan } from "../domain/Plan.ts"
import { minimum } from "../domain/Money.ts"
import { debitOf } from "../orders/Clawback.ts"
import { isFulfilled, type Order } from "../orders/Order.ts"
import { isAboutMoneyIn, isCreditable, isRefundable } from "./EventResolutions.ts"
import type { PaymentReview } from "./PaymentReviews.ts"

export const eventActions = ["accept", "accept_part", "credit", "refund", "refunded", "dismiss"] as const
export type EventAction = typeof eventActions[number]

/** What decides on it. */
export type Reviewed = Pick<PaymentReview, "asked" | "backMinor" | "balance" | "event" | "payment" | "suggestedMicros">

/** Whether somebody has paid, and a user may get it. */
export const isPayment = ({ fact, payment }: Reviewed["event"]): boolean => isCreditable(fact) && payment !== null

/** An order that the payment may pay: nothing has paid it, and it was asked for in this currency, at this provider. */
interface Payable {
  readonly order: Order
  readonly askedMinor: bigint
  readonly paidMinor: bigint
}

const payableOf = ({ asked, payment }: Reviewed): Payable | undefined => {
  const paidMinor = payment?.paidMinor ?? null
  if (payment === undefined || asked?.attempt === undefined || paidMinor === null) return undefined
  const { attempt, order } = asked
  const isIts = attempt.id === payment.attemptId && attempt.provider === payment.provider &&
    attempt.currency === payment.currency
  return isIts && !isFulfilled(order.state) ? { order, askedMinor: attempt.amountMinor, paidMinor } : undefined
}

/** Of a top-up, the credit that was paid for: rounded down, as it is given. */
const partOf = ({ askedMinor, order, paidMinor }: Payable): bigint => (order.creditMicros * paidMinor) / askedMinor

/** What is left of the payment to give back, in its minor unit. */
const leftMinor = ({ backMinor, payment }: Reviewed): bigint => (payment?.paidMinor ?? 0n) - backMinor

/** A payment that nothing has come of: neither an order, nor a credit, nor a refund. */
const isUnused = ({ payment }: Reviewed): boolean => payment?.state === "in_review" || payment?.state === "dismissed"

/** What is possible, the likeliest first. */
export const possibleActions = (review: Reviewed): ReadonlyArray<EventAction> => {
  const { event } = review
  const isOpenPayment = isPayment(event) && isUnused(review)
  const payable = isOpenPayment ? payableOf(review) : undefined
  const isPart = payable?.order.kind === "topup" && payable.paidMinor !== payable.askedMinor
  const isPossible: Readonly<Record<EventAction, boolean>> = {
    accept: payable !== undefined && (payable.order.terms !== null || payable.order.creditMicros > 0n),
    accept_part: isPart && partOf(payable) > 0n,
    credit: isOpenPayment,
    refund: isRefundable(event) && isUnused(review) && leftMinor(review) > 0n,
    refunded: isAboutMoneyIn(event.fact) && isUnused(review),
    dismiss: true
  }
  return event.isOpen ? eventActions.filter((action) => isPossible[action]) : []
}

/** What an action would do to a balance. Amounts in USD micros. */
export interface CreditEffect {
  readonly _tag: "Credit"
  readonly micros: bigint
  /** The part of it that is taken off again at once, because that much of the payment has gone back already. */
  readonly debitMicros: bigint
  /** Of the rest, what pays debts first. */
  readonly recoveredMicros: bigint
  /** Undefined: nobody is known who would get it. */
  readonly before: Balance | undefined
  readonly after: Balance | undefined
}

export type ActionEffect =
  | CreditEffect
  /** The buyer's plan begins; no balance changes. */
  | { readonly _tag: "Plan"; readonly terms: SoldPlan }
  /** The money goes back through its provider; no balance changes. */
  | { readonly _tag: "GiveBack"; readonly minor: bigint; readonly currency: string }
  /** No balance changes. `keeps`: the books go on to show the money as received and not allocated. */
  | { readonly _tag: "None"; readonly keeps: boolean }

/** A credit pays what is owed first; a debit that the balance does not cover is owed. */
export const balanceAfter = ({ owedMicros, usdMicros }: Balance, changeMicros: bigint): Balance => {
  if (changeMicros >= 0n) {
    const recovered = minimum(owedMicros, changeMicros)
    return { usdMicros: usdMicros + changeMicros - recovered, owedMicros: owedMicros - recovered }
  }
  const taken = minimum(usdMicros, -changeMicros)
  return { usdMicros: usdMicros - taken, owedMicros: owedMicros - changeMicros - taken }
}

const creditEffect = ({ backMinor, balance, payment }: Reviewed, micros: bigint): CreditEffect => {
  const paidMinor = payment?.paidMinor ?? 0n
  const debitMicros = minimum(debitOf({ creditMicros: micros, backMinor, paidMinor }), micros)
  const credited = balance === undefined ? undefined : balanceAfter(balance, micros)
  return {
    _tag: "Credit",
    micros,
    debitMicros,
    recoveredMicros: balance === undefined || credited === undefined ? 0n : balance.owedMicros - credited.owedMicros,
    before: balance,
    after: credited && balanceAfter(credited, -debitMicros)
  }
}

/** What an action would do now. Of a credit: with the amount that is suggested, to the buyer. Undefined: that is not known. */
export const effectOf = (review: Reviewed, action: EventAction): ActionEffect | undefined => {
  const { event, payment, suggestedMicros } = review
  const payable = payableOf(review)
  switch (action) {
    case "accept":
    case "accept_part": {
      if (payable === undefined) return undefined
      const { order } = payable
      if (order.terms !== null) return { _tag: "Plan", terms: order.terms }
      return creditEffect(review, action === "accept" ? order.creditMicros : partOf(payable))
    }
    case "credit":
      return suggestedMicros === undefined ? undefined : creditEffect(review, suggestedMicros)
    case "refund": {
      const currency = payment?.currency ?? null
      return currency === null ? undefined : { _tag: "GiveBack", minor: leftMinor(review), currency }
    }
    case "refunded":
      return { _tag: "None", keeps: false }
    case "dismiss":
      return { _tag: "None", keeps: isAboutMoneyIn(event.fact) && event.amountMinor !== null && isUnused(review) }
  }
}

/** How what came in compares with what was asked for. */
export type Difference =
  /** In the minor unit of the currency, signed: below 0 is missing. */
  | { readonly _tag: "Amount"; readonly minor: bigint; readonly currency: string }
  | { readonly _tag: "Currency"; readonly asked: string; readonly paid: string }

export const differenceOf = ({ asked, event }: Pick<Reviewed, "asked" | "event">): Difference | undefined => {
  const { amountMinor, currency } = event
  if (asked?.attempt === undefined || amountMinor === null || currency === null || !isCreditable(event.fact)) {
    return undefined
  }
  const { attempt } = asked
  return attempt.currency === currency
    ? { _tag: "Amount", minor: amountMinor - attempt.amountMinor, currency }
    : { _tag: "Currency", asked: attempt.currency, paid: currency }
}
