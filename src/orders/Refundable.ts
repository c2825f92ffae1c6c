/**
 * What can be given back of an order through the provider that took the payment, and how much of it is left.
 */
import { clawbacksOf, paymentsNamed } from "./Payments.ts"
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Provider } from "../payments/PaymentFact.ts"
import { clawbackOf } from "./Clawback.ts"

import { type Attempt, isFulfilled, type Order } from "./Order.ts"
import { RefundNotPossible } from "./OrderError.ts"

/** The attempt that paid an order, at a provider. */
export interface PaidAttempt extends Attempt {
  readonly provider: Provider
  readonly payment: string
}

/** Whether it is an attempt that paid, and at a provider. */
export const isPaidAttempt = (attempt: Attempt): attempt is PaidAttempt =>
  attempt.state === "paid" && attempt.payment !== null && attempt.provider !== "manual"

/** The payment of an order that a provider could give back. */
export const paidAttempt = (
  order: Order,
  attempts: ReadonlyArray<Attempt>
): Effect.Effect<PaidAttempt, RefundNotPossible> => {
  const paid = attempts.find(({ state }) => state === "paid")
  if (paid === undefined || !isFulfilled(order.state) || order.state === "disputed") {
    return Effect.fail(new RefundNotPossible({ why: "state" }))
  }
  return isPaidAttempt(paid) ? Effect.succeed(paid) : Effect.fail(new RefundNotPossible({ why: "manual" }))
}

/** What refunds and disputes have left of a payment, in its minor unit. */
export const refundableMinor = (
  sql: SqlClient.SqlClient,
  { id, payment }: PaidAttempt
): Effect.Effect<bigint, SqlError.SqlError> =>
  Effect.gen(function*() {
    const paid = (yield* paymentsNamed(sql, payment)).find(({ attemptId }) => attemptId === id)
    if (paid === undefined || paid.paidMinor === null) return 0n
    return paid.paidMinor - clawbackOf(yield* clawbacksOf(sql, paid), paid.paidMinor).backMinor
  })
