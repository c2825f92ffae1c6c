/**
 * Whether a payment may still pay something by root's word: nothing has been settled with it, credited for it or given back of it.
 * Asked while everything about the payment is locked.
 *
 * @internal
 */
import { Effect } from "effect"
import { PaymentUsed } from "../orders/OrderError.ts"
import type { Payment, PaymentState } from "../orders/Payments.ts"

const uses: Readonly<Record<PaymentState, PaymentUsed["why"] | undefined>> = {
  in_review: undefined,
  dismissed: undefined,
  fulfilled: "order",
  credited: "credited",
  refunded: "refunded"
}

/** Fails with how the payment was used, if it was. */
export const checkUnused = (payment: Pick<Payment, "payment" | "state">): Effect.Effect<void, PaymentUsed> => {
  const why = uses[payment.state]
  return why === undefined ? Effect.void : Effect.fail(new PaymentUsed({ payment: payment.payment, why }))
}
