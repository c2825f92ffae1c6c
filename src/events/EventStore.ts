/**
 * Events as rows: each verified message of a provider is written down once, with what became of it.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type AttemptId, EventId, type PaymentId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { askedOf } from "../orders/DisputeFold.ts"
import type { Payment, PaymentIdentity } from "../orders/Payments.ts"
import { type Reason, reason, type ReasonCode, wordsOf } from "../orders/Reason.ts"
import { EventOutcome } from "../orders/Settlement.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

const StoredEvent = Row({ id: EventId, outcome: EventOutcome, note: Schema.String })
export interface StoredEvent extends Schema.Schema.Type<typeof StoredEvent> {}

/** What an event's row keeps of a refund or dispute: its id, its state, and what was taken. */
const aboutClawback = (fact: PaymentFact) => {
  switch (fact._tag) {
    case "Refund":
      return { subject: fact.refund, status: fact.state, takenMinor: null }
    case "Dispute":
      return { subject: fact.dispute, status: fact.status, takenMinor: fact.takenMinor }
    default:
      return { subject: null, status: null, takenMinor: null }
  }
}

/** The event's row, locked: a new one, or the one that an earlier delivery left. */
export const receive = (sql: Sql, fact: PaymentFact): Read<StoredEvent> =>
  Effect.suspend(() => {
    const amount = "amountMinor" in fact ? { minor: fact.amountMinor, currency: fact.currency } : null
    const { status, subject, takenMinor } = aboutClawback(fact)
    return oneRowOf(
      StoredEvent,
      sql`INSERT INTO payment_events AS e (provider, event_key, kind, fact, payment_reference, merchant_reference, amount_minor,
          currency, at_seconds, subject, status, taken_minor, details)
        VALUES (${fact.provider}, ${fact.eventKey}, ${fact.kind}, ${fact._tag}, ${fact.payment}, ${fact.reference},
          ${amount?.minor ?? null}, ${amount?.currency ?? null}, ${BigInt(fact.atSeconds)}, ${subject}, ${status},
          ${takenMinor}, ${JSON.stringify(fact.evidence ?? {})}::jsonb)
        ON CONFLICT (provider, event_key) DO UPDATE SET deliveries = e.deliveries + 1
        RETURNING id, outcome, note`
    )
  })

const KnownReference = Row({ reference: Schema.NullOr(Schema.String) })

/** The merchant reference under which a provider's payment is known from what was told before; undefined: nothing was. */
export const knownReference = (
  sql: Sql,
  { payment, provider }: { readonly provider: string; readonly payment: string }
): Read<{ readonly reference: string | null } | undefined> =>
  rowOf(
    KnownReference,
    sql`SELECT merchant_reference AS reference FROM payment_events
        WHERE provider = ${provider} AND payment_reference = ${payment}
        ORDER BY merchant_reference IS NULL, id LIMIT 1`
  )

/** Writes down what became of an event. */
export const conclude = (
  sql: Sql,
  eventId: EventId,
  about: { readonly attemptId: AttemptId | null; readonly paymentId: PaymentId | null },
  outcome: EventOutcome,
  reason: Reason | undefined
): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events
    SET outcome = ${outcome}, note = ${reason === undefined ? "" : wordsOf(reason)},
      reason = ${
    reason === undefined ? null : JSON.stringify(reason)
  }::jsonb, attempt_id = ${about.attemptId}, payment_id = ${about.paymentId}
    WHERE id = ${eventId}`)

/**
 * Whether another event has said the same of a payment and needed a review: it is looked at once, however often and by however
 * many events it is said.
 */
export const isKnownReview = (
  sql: Sql,
  fact: Extract<PaymentFact, { _tag: "Paid" }>,
  eventId: EventId
): Read<boolean> =>
  Effect.map(
    sql`SELECT FROM payment_events WHERE provider = ${fact.provider} AND payment_reference = ${fact.payment}
      AND fact = 'Paid' AND outcome = 'needs_review' AND id <> ${eventId} AND amount_minor = ${fact.amountMinor}
      AND currency = ${fact.currency} AND merchant_reference IS NOT DISTINCT FROM ${fact.reference}
      LIMIT 1`,
    (rows) => rows.length > 0
  )

const DeferredEvent = Row({ id: EventId, other: Schema.Boolean, status: Schema.NullOr(Schema.String) })

/**
 * Events that waited for this payment have been taken into account, with `problem` where people have to look. One in another
 * currency than the payment was not counted, and needs a review by itself; so does the first of a dispute that is to be answered.
 */
export const concludeDeferred = (sql: Sql, payment: Payment, problem: Reason | undefined): Read<void> =>
  Effect.gen(function*() {
    const events = yield* rowsOf(
      DeferredEvent,
      sql`SELECT w.id, w.currency IS DISTINCT FROM ${payment.currency} AS other,
          CASE WHEN w.id = first_value(w.id) OVER (PARTITION BY w.subject ORDER BY w.id) THEN d.status END AS status
        FROM payment_events w
          LEFT JOIN payment_disputes d ON w.fact = 'Dispute' AND d.provider = w.provider AND d.dispute_id = w.subject
        WHERE w.provider = ${payment.provider} AND w.payment_reference = ${payment.payment} AND w.outcome = 'deferred'`
    )
    for (const { id, other, status } of events) {
      const seen = other
        ? reason("early_currency")
        : status === null || askedOf(status) === "nothing"
        ? problem
        : reason("early_dispute", { status })
      const about = { attemptId: payment.attemptId, paymentId: payment.id }
      yield* conclude(sql, id, about, seen === undefined ? "applied" : "needs_review", seen ?? reason("early"))
    }
  })

/** Events that waited for a payment that nothing comes of any more. */
export const ignoreDeferred = (sql: Sql, payment: Payment, code: ReasonCode): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events SET payment_id = ${payment.id}, outcome = 'ignored',
      note = ${wordsOf(reason(code))}, reason = ${JSON.stringify(reason(code))}::jsonb
    WHERE provider = ${payment.provider} AND payment_reference = ${payment.payment} AND outcome = 'deferred'`)

/** How events of a payment that wait for people are resolved. */
export interface Resolved {
  readonly resolution: "accepted" | "completed" | "credited" | "dismissed" | "fulfilled" | "refunded"
  readonly note: string
  readonly by: string
}

/** True where an event says what its dispute is now, and no other event that waits for people says the same. */
export const needsAttention = (
  sql: Sql,
  { dispute, provider, status }: Extract<PaymentFact, { _tag: "Dispute" }>,
  eventId: EventId
): Read<boolean> =>
  Effect.map(
    sql`SELECT FROM payment_disputes d WHERE d.provider = ${provider} AND d.dispute_id = ${dispute} AND d.status = ${status}
      AND NOT EXISTS (SELECT FROM payment_events e WHERE e.provider = d.provider AND e.fact = 'Dispute'
        AND e.subject = d.dispute_id AND e.status = d.status AND e.outcome = 'needs_review' AND e.resolved_at IS NULL
        AND e.id <> ${eventId})`,
    (rows) => rows.length > 0
  )

/** Closes the events in review that say of a dispute what it is no longer: the newer event says what is to be done. */
export const closeSuperseded = (
  sql: Sql,
  { dispute, provider }: { readonly provider: string; readonly dispute: string }
): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events e
    SET resolution = 'dismissed', resolution_note = 'the dispute is ' || d.status, resolved_by = 'system', resolved_at = now()
    FROM payment_disputes d
    WHERE d.provider = ${provider} AND d.dispute_id = ${dispute}
      AND e.provider = d.provider AND e.fact = 'Dispute' AND e.subject = d.dispute_id AND e.outcome = 'needs_review'
      AND e.resolved_at IS NULL AND e.status <> d.status`)

/** Reopens the events that were resolved as refunded: the refund has failed. */
export const reopenReviews = (sql: Sql, paymentId: PaymentId): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_events
    SET resolution = NULL, resolution_note = NULL, resolved_by = NULL, resolved_at = NULL
    WHERE payment_id = ${paymentId} AND outcome = 'needs_review' AND resolution = 'refunded'`)

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
