/**
 * What refunds and disputes take back, as a pure fold over everything the provider has said about one payment. The fold looks
 * at the whole set each time, so neither the order of arrival nor a repetition changes its result.
 */
import { minimum } from "../domain/Money.ts"

/** One thing said about a payment. Amounts in the payment's minor unit. */
export interface ClawbackFact {
  readonly fact: string
  readonly amountMinor: bigint
  /** When the provider says it happened, seconds since the epoch. */
  readonly atSeconds: bigint
  /** The refund or dispute it is about. */
  readonly subject: string | null
  readonly won: boolean
}

export interface Clawback {
  /** Of the payment, refunded and kept back by disputes open or lost; never above the payment. */
  readonly backMinor: bigint
  readonly isDisputed: boolean
  /** A dispute was lost: the money is gone for good. */
  readonly isLost: boolean
}

/** The latest failure of each refund: two events may report one. */
const failuresOf = (facts: ReadonlyArray<ClawbackFact>): ReadonlyArray<ClawbackFact> => {
  const failures = new Map<string, ClawbackFact>()
  for (const fact of facts) {
    if (fact.fact !== "RefundFailed" || fact.subject === null) continue
    const known = failures.get(fact.subject)
    if (known === undefined || fact.atSeconds < known.atSeconds) failures.set(fact.subject, fact)
  }
  return [...failures.values()]
}

/**
 * A `Refunded` fact carries all refunds so far. The highest counts, each less the refunds that were in it and failed later:
 * after a failure the provider's own sum is lower, so that what it says from then on needs no correction.
 */
const refundedMinor = (facts: ReadonlyArray<ClawbackFact>): bigint => {
  const failures = failuresOf(facts)
  let highest = 0n
  for (const fact of facts) {
    if (fact.fact !== "Refunded") continue
    const failedSince = failures.reduce(
      (sum, failure) => failure.atSeconds >= fact.atSeconds ? sum + failure.amountMinor : sum,
      0n
    )
    const standing = fact.amountMinor - failedSince
    if (standing > highest) highest = standing
  }
  return highest
}

/** Folds what was said of a payment of `paidMinor`. */
export const clawbackOf = (facts: ReadonlyArray<ClawbackFact>, paidMinor: bigint): Clawback => {
  const disputes = new Map<string, { amountMinor: bigint; outcome: "open" | "won" | "lost" }>()
  for (const fact of facts) {
    if (fact.subject === null) continue
    const known = disputes.get(fact.subject)
    if (fact.fact === "DisputeOpened" && known === undefined) {
      disputes.set(fact.subject, { amountMinor: fact.amountMinor, outcome: "open" })
    } else if (fact.fact === "DisputeClosed") {
      disputes.set(fact.subject, { amountMinor: fact.amountMinor, outcome: fact.won ? "won" : "lost" })
    }
  }
  const kept = [...disputes.values()].filter((dispute) => dispute.outcome !== "won")
  const back = kept.reduce((sum, dispute) => sum + dispute.amountMinor, refundedMinor(facts))
  return {
    backMinor: minimum(back, paidMinor),
    isDisputed: kept.some((dispute) => dispute.outcome === "open"),
    isLost: kept.some((dispute) => dispute.outcome === "lost")
  }
}

/** Of a credit, what is to be taken back in all, in micros: rounded down, in the user's favour. */
export const debitOf = (creditMicros: bigint, backMinor: bigint, paidMinor: bigint): bigint =>
  paidMinor === 0n ? 0n : (creditMicros * backMinor) / paidMinor
