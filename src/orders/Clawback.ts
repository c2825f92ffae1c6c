/**
 * What refunds and disputes have clawed back of one payment, and what follows from it for its order. Pure: it looks at all of them
 * as they are, so neither the order in which they were told nor a repetition changes its result.
 */
import type { PaymentId } from "../domain/Ids.ts"
import { minimum } from "../domain/Money.ts"
import type { Provider, RefundState } from "../payments/PaymentFact.ts"
import type { DisputeStanding } from "./DisputeFold.ts"

/** Whose refund or dispute it is. */
export interface ClawbackOf {
  readonly provider: Provider
  /** The provider's id of the payment. */
  readonly payment: string
  /** Null while the payment is not known here. */
  readonly paymentId: PaymentId | null
}

export interface RefundNow {
  readonly state: RefundState
  /** In the payment's minor unit. */
  readonly amountMinor: bigint
}

export interface DisputeNow {
  readonly standing: DisputeStanding
  /** What it has taken, in the payment's minor unit. */
  readonly takenMinor: bigint
}

export interface Clawback {
  /** Of the payment, refunded and taken by disputes; never above the payment. */
  readonly backMinor: bigint
  readonly refundedMinor: bigint
  readonly takenMinor: bigint
  /** A dispute is open that is neither an inquiry nor prevented. */
  readonly isDisputed: boolean
  /**
   * What is left of a plan that the payment bought: it runs while a part of the price is there; it is suspended while all of it is
   * away and may come back.
   */
  readonly plan: "runs" | "suspended" | "ended"
}

/** True while a refund counts as given back. */
export const isCounted = (state: RefundState): boolean => state !== "failed" && state !== "canceled"

/** What was given back by refunds that count, in the payment's minor unit. */
export const countedMinor = (refunds: ReadonlyArray<RefundNow>): bigint =>
  refunds.reduce((sum, { amountMinor, state }) => isCounted(state) ? sum + amountMinor : sum, 0n)

/** Folds the refunds and disputes, in its currency, of a payment of `paidMinor`. */
export const clawbackOf = (
  { disputes, refunds }: { readonly refunds: ReadonlyArray<RefundNow>; readonly disputes: ReadonlyArray<DisputeNow> },
  paidMinor: bigint
): Clawback => {
  const refundedMinor = minimum(countedMinor(refunds), paidMinor)
  const taken = disputes.reduce((sum, { takenMinor }) => sum + takenMinor, 0n)
  const takenMinor = minimum(taken, paidMinor - refundedMinor)
  const backMinor = refundedMinor + takenMinor
  // One in a state that is not known stays as it was.
  const isDisputed = disputes.some(({ standing, takenMinor: took }) =>
    standing === "open" || (standing === "unknown" && took > 0n)
  )
  const mayComeBack = isDisputed || refunds.some(({ state }) => isCounted(state) && state !== "succeeded")
  return {
    backMinor,
    refundedMinor,
    takenMinor,
    isDisputed,
    plan: backMinor < paidMinor ? "runs" : mayComeBack ? "suspended" : "ended"
  }
}

/** Of a credit, what is to be clawed back in all, in micros: rounded down, in the user's favour. */
export const debitOf = ({ backMinor, creditMicros, paidMinor }: {
  readonly creditMicros: bigint
  readonly backMinor: bigint
  readonly paidMinor: bigint
}): bigint => paidMinor === 0n ? 0n : (creditMicros * backMinor) / paidMinor
