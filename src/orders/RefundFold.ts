/**
 * What is known of one refund after its provider has said something more of it. Pure; told in any order, the same is known in the end.
 */
import { type RefundState, refundStates } from "../payments/PaymentFact.ts"
import { isCounted } from "./Clawback.ts"

export interface KnownRefund {
  readonly state: RefundState
  /** Its provider has said something of it; else only we have. */
  readonly isTold: boolean
}

/** The provider's first word takes the place of ours. From then on a refund only goes further, and one that came to nothing stays so. */
export const refundAfter = (known: KnownRefund, told: RefundState): RefundState => {
  if (!known.isTold) return told
  if (!isCounted(known.state)) return known.state
  return refundStates.indexOf(told) > refundStates.indexOf(known.state) ? told : known.state
}
