/**
 * What can be given back of an order through the provider that took the payment, and how much of it is left.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Provider } from "../payments/PaymentFact.ts"
import { clawbackNow } from "./Fulfilment.ts"
import { type Attempt, isFulfilled, type Order } from "./Order.ts"
import { RefundNotPossible } from "./OrderError.ts"
import { type Payment, paymentsNamed } from "./Payments.ts"

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

/** The payment of an attempt that paid. */
export const paymentOf = (
  sql: SqlClient.SqlClient,
  { id, payment }: Attempt
): Effect.Effect<Payment | undefined, SqlError.SqlError> =>
  payment === null
    ? Effect.undefined
    : Effect.map(paymentsNamed(sql, payment), (named) => named.find(({ attemptId }) => attemptId === id))

/** What refunds and disputes have left of a payment, in its minor unit. */
export const refundableMinor = (
  sql: SqlClient.SqlClient,
  payment: Payment | undefined
): Effect.Effect<bigint, SqlError.SqlError> => {
  const paidMinor = payment?.paidMinor ?? null
  if (payment === undefined || paidMinor === null) return Effect.succeed(0n)
  return Effect.map(clawbackNow(sql, payment, paidMinor), ({ backMinor }) => paidMinor - backMinor)
}
