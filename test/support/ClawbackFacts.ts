/** What Stripe tells of refunds and disputes, for tests of the settlement, and what became of an effect. */
import { Effect } from "effect"
import { makeReservationId, type UserId } from "../../src/domain/Ids.ts"
import type { PaymentFact, RefundState } from "../../src/payments/PaymentFact.ts"
import { PaymentWorld } from "./PaymentWorld.ts"

export const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onSuccess: () => "done", onFailure: (error) => error._tag })

export const told = (paymentIntent: string) => ({
  provider: "stripe" as const,
  eventKey: makeReservationId(),
  payment: paymentIntent,
  reference: null,
  atSeconds: 2_000,
  amountMinor: 1_200n,
  currency: "cny"
})

export const refund = (paymentIntent: string, state: RefundState, more: object = {}): PaymentFact => ({
  ...told(paymentIntent),
  _tag: "Refund",
  kind: "refund.updated",
  refund: `re_of_${paymentIntent}`,
  own: null,
  state,
  ...more
})

export const dispute = (paymentIntent: string, status: string, kind: string, more: object = {}): PaymentFact => ({
  ...told(paymentIntent),
  _tag: "Dispute",
  kind: `charge.dispute.${kind}`,
  dispute: `du_of_${paymentIntent}`,
  status,
  takenMinor: null,
  reason: "product_not_received",
  dueBySeconds: 1_800_000_000,
  ...more
})

export const settle = Effect.fnUntraced(function*(fact: PaymentFact) {
  return yield* (yield* PaymentWorld).settlement.settle(fact)
})

/** Root credits a payment that is in review to this user. */
export const creditTo = (userId: UserId, amountMicros: bigint) =>
  ({ resolution: "credited", note: "n", user: String(userId), amountMicros }) as const
