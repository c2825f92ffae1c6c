/** A fact by what it says alone: what is kept of its message has tests of its own. */
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"

export const withoutEvidence = (fact: PaymentFact): PaymentFact => {
  const { evidence, ...rest } = fact
  if (evidence === undefined || Object.keys(evidence).length === 0) throw new Error("nothing is kept of the message")
  return rest
}
