/**
 * Payments by their identity: what everything about one payment locks first, and what its provider has said of refunds and
 * disputes.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { ClawbackFact } from "./Clawback.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/** Serialises everything that is said about one payment, whether or not it is known here yet. */
export const lockPayment = (sql: Sql, provider: string, payment: string): Read<void> =>
  Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`payment:${provider}:${payment}`}, 0))`)

interface FactRow {
  readonly fact: string
  readonly amount_minor: bigint
  readonly at_seconds: bigint
  readonly subject: string | null
  readonly won: boolean | null
}

/** Everything said about refunds and disputes of a payment in its currency. */
export const takeBacksOf = (
  sql: Sql,
  provider: string,
  payment: string,
  currency: string
): Read<ReadonlyArray<ClawbackFact>> =>
  Effect.map(
    sql<FactRow>`SELECT fact, amount_minor, at_seconds, subject, won FROM payment_events
      WHERE provider = ${provider} AND payment_reference = ${payment} AND currency = ${currency}
        AND fact IN ('Refunded', 'RefundFailed', 'DisputeOpened', 'DisputeClosed') ORDER BY id`,
    (rows) =>
      rows.map((row) => ({
        fact: row.fact,
        amountMinor: row.amount_minor,
        atSeconds: row.at_seconds,
        subject: row.subject,
        won: row.won === true
      }))
  )
