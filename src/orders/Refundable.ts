/**
 * What can be given back of an order through the provider that took the payment, and how much of it is left.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { MICROS_PER_USD, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import type { Provider } from "../payments/PaymentFact.ts"
import type { ConfirmationFacts } from "../platform/SecondPerson.ts"
import { attemptsOf } from "./AttemptStore.ts"
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

/** An amount of a payment in fen, rounded up; null: its currency has no rate that a provider was asked with. */
export const fenOf = (
  sql: SqlClient.SqlClient,
  { attemptId, currency, orderId }: Pick<Payment, "attemptId" | "currency" | "orderId">,
  amountMinor: bigint
): Effect.Effect<bigint | null, SqlError.SqlError> => {
  if (currency === "cny") return Effect.succeed(amountMinor)
  if (orderId === null) return Effect.succeed(null)
  return Effect.map(attemptsOf(sql, orderId), (attempts) => {
    const attempt = attempts.find(({ id }) => id === attemptId)
    // The rate of an attempt that root wrote down is whatever the setting was at that moment.
    const isAsked = attempt?.currency === currency && attempt.completedBy === null
    const rate = isAsked ? parseDecimal(attempt.minorPerFen, MICROS_SCALE) : undefined
    return rate === undefined || rate <= 0n ? null : (amountMinor * MICROS_PER_USD + rate - 1n) / rate
  })
}

/** What somebody who confirms it reads of a payment. */
export const refundFacts = (
  { currency, orderId, payment, provider }: Pick<Payment, "currency" | "orderId" | "payment" | "provider">
): ConfirmationFacts => ({
  provider,
  payment,
  currency,
  ...(orderId === null ? {} : { order_id: String(orderId) })
})
