/**
 * Events as rows: each verified message of a provider is written down once, with what became of it.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import type { Payment, PaymentIdentity } from "../orders/Payments.ts"
import type { EventOutcome } from "../orders/Settlement.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

export interface StoredEvent {
  readonly id: bigint
  readonly outcome: EventOutcome
  readonly note: string
  readonly attemptId: bigint | null
}

const subjectOf = (fact: PaymentFact): string | null => {
  if (fact._tag === "RefundMade" || fact._tag === "RefundFailed") return fact.refund
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
  about: { readonly attemptId: bigint | null; readonly paymentId: bigint | null },
  outcome: EventOutcome,
  text: string
): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events
    SET outcome = ${outcome}, note = ${text}, attempt_id = ${about.attemptId}, payment_id = ${about.paymentId}
    WHERE id = ${eventId}`)

/**
 * Whether another event has said the same of a payment and needed a review: it is looked at once, however often and by however
 * many events it is said.
 */
export const isKnownReview = (
  sql: Sql,
  fact: Extract<PaymentFact, { _tag: "Paid" }>,
  eventId: bigint
): Read<boolean> =>
  Effect.map(
    sql`SELECT FROM payment_events WHERE provider = ${fact.provider} AND payment_reference = ${
      cleanOrNull(fact.payment)
    }
      AND fact = 'Paid' AND outcome = 'needs_review' AND id <> ${eventId} AND amount_minor = ${fact.amountMinor}
      AND currency = ${clean(fact.currency)} AND merchant_reference IS NOT DISTINCT FROM ${cleanOrNull(fact.reference)}
      LIMIT 1`,
    (rows) => rows.length > 0
  )

/**
 * Events that waited for this payment have been taken into account, with `problem` where people have to look. One in another
 * currency than the payment was not counted, and needs a review by itself.
 */
export const concludeDeferred = (sql: Sql, payment: Payment, problem: string | undefined): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events
    SET attempt_id = ${payment.attemptId}, payment_id = ${payment.id},
      outcome = CASE WHEN currency = ${payment.currency} AND ${problem === undefined}::boolean THEN 'applied'
        ELSE 'needs_review' END,
      note = CASE WHEN currency = ${payment.currency} THEN ${problem ?? "came before its payment"}::text
        ELSE 'came before its payment, in another currency' END
    WHERE provider = ${payment.provider} AND payment_reference = ${payment.payment} AND outcome = 'deferred'`)

/** Events that waited for a payment that nothing comes of any more. */
export const ignoreDeferred = (sql: Sql, payment: Payment, text: string): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events SET payment_id = ${payment.id}, outcome = 'ignored', note = ${text}
    WHERE provider = ${payment.provider} AND payment_reference = ${payment.payment} AND outcome = 'deferred'`)

/** How events of a payment that wait for people are resolved. */
export interface Resolved {
  readonly resolution: "accepted" | "completed" | "credited" | "dismissed" | "fulfilled" | "refunded"
  readonly note: string
  readonly by: string
}

/** Resolves every event about the coming of a payment that waits for people. */
export const resolveReviews = (
  sql: Sql,
  { payment, provider, scope }: PaymentIdentity,
  { by, note, resolution }: Resolved
): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events
    SET resolution = ${resolution}, resolution_note = ${note}, resolved_by = ${by}, resolved_at = now()
    WHERE provider = ${provider} AND payment_reference = ${payment} AND outcome = 'needs_review' AND resolved_at IS NULL
      AND fact IN ('Paid', 'Unreadable') AND (payment_id IS NULL OR payment_id = (SELECT id FROM payments
        WHERE provider = ${provider} AND merchant_scope = ${scope} AND payment_id = ${payment}))`)
