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

/**
 * The same for all that is known under a payment's id. What root wrote down as received under any name is the same money; two
 * providers, or two gateways, may have the same number for different money.
 */
export const checkMoneyUnused = (
  payment: Payment,
  known: ReadonlyArray<Payment>
): Effect.Effect<void, PaymentUsed> =>
  Effect.forEach(
    known.filter((other) => other.id === payment.id || other.manual || payment.manual),
    checkUnused,
    { discard: true }
  )
