/**
 * Events as rows: each verified message of a provider is written down once, with what became of it.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import type { ClawbackFact } from "./Clawback.ts"
import type { EventOutcome } from "./PaymentRules.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/** Serialises everything that is said about one payment, whether or not it is known here yet. */
export const lockPayment = (sql: Sql, provider: string, payment: string): Read<void> =>
  Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`payment:${provider}:${payment}`}, 0))`)

export interface StoredEvent {
  readonly id: bigint
  readonly outcome: EventOutcome
  readonly note: string
  readonly attemptId: bigint | null
}

const subjectOf = (fact: PaymentFact): string | null => {
  if (fact._tag === "RefundFailed") return fact.refund
  return fact._tag === "DisputeOpened" || fact._tag === "DisputeClosed" ? fact.dispute : null
}

/** PostgreSQL's text has no NUL, JSON has. */
const clean = (text: string): string => text.replaceAll("\u0000", "")

const cleanOrNull = (text: string | null): string | null => text === null ? null : clean(text)

/** The event's row, locked: a new one, or the one that an earlier delivery left. */
export const receive = (sql: Sql, fact: PaymentFact): Read<StoredEvent> =>
  Effect.gen(function*() {
    const amount = "amountMinor" in fact ? { minor: fact.amountMinor, currency: fact.currency } : null
    const [row] = yield* sql<{ id: bigint; outcome: EventOutcome; note: string; attempt_id: bigint | null }>`
      INSERT INTO payment_events AS e (provider, event_key, kind, fact, payment_reference, merchant_reference, amount_minor,
          currency, at_seconds, subject, won)
        VALUES (${fact.provider}, ${clean(fact.eventKey)}, ${clean(fact.kind)}, ${fact._tag}, ${
      cleanOrNull(fact.payment)
    },
          ${cleanOrNull(fact.reference)}, ${amount?.minor ?? null}, ${amount === null ? null : clean(amount.currency)},
          ${BigInt(fact.atSeconds)}, ${cleanOrNull(subjectOf(fact))},
          ${fact._tag === "DisputeClosed" ? fact.won : null})
        ON CONFLICT (provider, event_key) DO UPDATE SET deliveries = e.deliveries + 1
        RETURNING id, outcome, note, attempt_id`
    if (row === undefined) return yield* Effect.die(new Error("an event was not written"))
    return { id: row.id, outcome: row.outcome, note: row.note, attemptId: row.attempt_id }
  })

/** Writes down what became of an event. */
export const conclude = (
  sql: Sql,
  eventId: bigint,
  attemptId: bigint | null,
  outcome: EventOutcome,
  text: string
): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events SET outcome = ${outcome}, note = ${text}, attempt_id = ${attemptId}
    WHERE id = ${eventId}`)

/** Events that waited for this payment have now been taken into account. */
export const unpark = (sql: Sql, provider: string, payment: string, attemptId: bigint): Read<number> =>
  Effect.map(
    sql`UPDATE payment_events SET outcome = 'applied', attempt_id = ${attemptId}, note = 'came before its payment'
      WHERE provider = ${provider} AND payment_reference = ${payment} AND outcome = 'parked' RETURNING id`,
    (rows) => rows.length
  )

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
