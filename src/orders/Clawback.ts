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

/** Of two tellings of one thing the one that stands: the later; of one second, the one that takes more back. */
const standing = (known: ClawbackFact | undefined, told: ClawbackFact): ClawbackFact => {
  if (known === undefined || told.atSeconds > known.atSeconds) return told
  if (told.atSeconds < known.atSeconds) return known
  if (told.won !== known.won) return told.won ? known : told
  return told.amountMinor > known.amountMinor ? told : known
}

/**
 * One failure of each refund, the first: two events may report one. A refund that was never seen to be made was in no sum either,
 * so that its failure gives nothing back.
 */
const failuresOf = (facts: ReadonlyArray<ClawbackFact>): ReadonlyArray<ClawbackFact> => {
  const failures = new Map<string, ClawbackFact>()
  const made = new Set(facts.flatMap(({ fact, subject }) => fact === "RefundMade" && subject !== null ? [subject] : []))
  for (const fact of facts) {
    if (fact.fact !== "RefundFailed" || fact.subject === null || !made.has(fact.subject)) continue
    const known = failures.get(fact.subject)
    const isFirst = known === undefined || fact.atSeconds < known.atSeconds ||
      (fact.atSeconds === known.atSeconds && fact.amountMinor < known.amountMinor)
    if (isFirst) failures.set(fact.subject, fact)
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
    const stands = fact.amountMinor - failedSince
    if (stands > highest) highest = stands
  }
  return highest
}

/** What stands of each dispute: its end, once that is told, else its beginning. */
const disputesOf = (facts: ReadonlyArray<ClawbackFact>): ReadonlyArray<ClawbackFact> => {
  const disputes = new Map<string, ClawbackFact>()
  for (const kind of ["DisputeClosed", "DisputeOpened"]) {
    const told = new Map<string, ClawbackFact>()
    for (const fact of facts) {
      if (fact.fact !== kind || fact.subject === null || disputes.has(fact.subject)) continue
      told.set(fact.subject, standing(told.get(fact.subject), fact))
    }
    for (const [subject, fact] of told) disputes.set(subject, fact)
  }
  return [...disputes.values()]
}

/** Folds what was said of a payment of `paidMinor`. */
export const clawbackOf = (facts: ReadonlyArray<ClawbackFact>, paidMinor: bigint): Clawback => {
  const kept = disputesOf(facts).filter((dispute) => dispute.fact === "DisputeOpened" || !dispute.won)
  const back = kept.reduce((sum, dispute) => sum + dispute.amountMinor, refundedMinor(facts))
  return {
    backMinor: minimum(back, paidMinor),
    isDisputed: kept.some((dispute) => dispute.fact === "DisputeOpened"),
    isLost: kept.some((dispute) => dispute.fact === "DisputeClosed")
  }
}

/** Of a credit, what is to be taken back in all, in micros: rounded down, in the user's favour. */
export const debitOf = (creditMicros: bigint, backMinor: bigint, paidMinor: bigint): bigint =>
  paidMinor === 0n ? 0n : (creditMicros * backMinor) / paidMinor
