/**
 * The payments of all users as root reads them: filtered, page by page, newest first, each with its customer, how it was paid, what has
 * become of it, and its newest dispute.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { EventId, OrderId, PaymentId, UserId } from "../domain/Ids.ts"
import { Micros, Minor } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type SearchFilter, searchRows } from "../orders/SearchFilter.ts"
import { PaymentSource } from "../payments/PaymentFact.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import type { IdPage } from "../postgres/Rows.ts"

/** What has become of a payment: its state, and of one that was used how much of it has gone back. */
export const PaymentStanding = Schema.Literals([
  "in_review",
  "paid",
  "credited",
  "part_refunded",
  "refunded",
  "dismissed"
])
export type PaymentStanding = typeof PaymentStanding.Type
export const paymentStandings = PaymentStanding.literals

/** What is left out does not matter. */
export interface PaymentFilter extends SearchFilter {
  readonly provider?: PaymentSource | undefined
  readonly standing?: PaymentStanding | undefined
  /** Only those that were disputed, or over which a bank has asked. */
  readonly disputed?: boolean | undefined
}

export const FoundPayment = Row({
  id: PaymentId,
  provider: PaymentSource,
  payment: Schema.String,
  standing: PaymentStanding,
  /** In the minor unit of the currency; null where that is not known. */
  paidMinor: Schema.NullOr(Minor),
  currency: Schema.NullOr(Schema.String),
  /** Given back, or taken by disputes, in the minor unit. */
  backMinor: Minor,
  method: Schema.NullOr(Schema.String),
  orderId: Schema.NullOr(OrderId),
  /** Whom it credited, else the buyer of its order; null: nobody is known. */
  userId: Schema.NullOr(UserId),
  email: Schema.NullOr(Schema.String),
  creditedMicros: Schema.NullOr(Micros),
  /** Of the newest dispute, in the provider's own word. */
  disputeStatus: Schema.NullOr(Schema.String),
  /** Of what was said of it, the event that waits for people, else the one that says that it was paid. */
  eventId: Schema.NullOr(EventId),
  createdAt: Schema.Date
}, { payment: "payment_id" })
export interface FoundPayment extends Schema.Schema.Type<typeof FoundPayment> {}

export class PaymentSearch extends Context.Service<PaymentSearch, {
  /** Newest first, `FOUND_MAX` at most. */
  list(filter: PaymentFilter, page: IdPage): Effect.Effect<ReadonlyArray<FoundPayment>, DatabaseUnavailable>
}>()("realms/events/PaymentSearch") {
  static readonly layer = Layer.effect(PaymentSearch)(Effect.gen(function*() {
    const search = searchRows(yield* SqlClient.SqlClient, {
      row: FoundPayment,
      statement: listSql,
      own: ({ disputed, provider, standing }: PaymentFilter) => [provider ?? null, standing ?? null, disputed === true]
    })
    return PaymentSearch.of({ list: Effect.fn("PaymentSearch.list")(search) })
  }))
}

/**
 * $1 provider, $2 standing, $3 disputed, $4 user's id, $5 e-mail, $6 order's id, $7 reference, $8 and $9 range, $10 before, $11 limit.
 * What is shown besides is read for the rows of the page alone.
 */
const listSql = `
  SELECT f.*, u.email, a.method, a.order_id,
    (SELECT d.status FROM payment_disputes d WHERE d.payment_id = f.id ORDER BY d.id DESC LIMIT 1) AS dispute_status,
    (SELECT e.id FROM payment_events e WHERE e.payment_id = f.id
      ORDER BY (e.outcome = 'needs_review' AND e.resolved_at IS NULL) DESC, (e.fact = 'Paid') DESC, e.id LIMIT 1) AS event_id
  FROM (
    SELECT * FROM (
      SELECT p.id, p.provider, p.payment_id, p.paid_minor, p.currency, p.credited_micros, p.created_at, p.attempt_id,
        coalesce(p.credited_user_id, t.user_id, s.user_id) AS user_id, b.back_minor,
        CASE WHEN p.state IN ('in_review', 'dismissed', 'refunded') THEN p.state
          WHEN b.back_minor >= p.paid_minor THEN 'refunded' WHEN b.back_minor > 0 THEN 'part_refunded'
          WHEN p.state = 'credited' THEN p.state ELSE 'paid' END AS standing
      FROM payments p LEFT JOIN payment_attempts a ON a.id = p.attempt_id
        LEFT JOIN topup_orders t ON t.id = a.order_id AND a.order_kind = 'topup'
        LEFT JOIN subscription_orders s ON s.id = a.order_id AND a.order_kind = 'subscription'
        CROSS JOIN LATERAL (
          SELECT coalesce((SELECT sum(r.amount_minor) FROM payment_refunds r WHERE r.payment_id = p.id
              AND r.currency = p.currency AND r.state NOT IN ('failed', 'canceled')), 0)::bigint
            + coalesce((SELECT sum(d.taken_minor) FROM payment_disputes d WHERE d.payment_id = p.id
              AND d.currency = p.currency), 0)::bigint AS back_minor
        ) b
      WHERE ($1::text IS NULL OR p.provider = $1)
        -- What went back is summed up only where anything did.
        AND ($2::text IS NULL OR $2 NOT IN ('refunded', 'part_refunded') OR p.state = 'refunded'
          OR p.id IN (SELECT r.payment_id FROM payment_refunds r) OR p.id IN (SELECT d.payment_id FROM payment_disputes d))
        AND (NOT $3::boolean OR EXISTS (SELECT FROM payment_disputes d WHERE d.payment_id = p.id))
        AND ($4::bigint IS NULL OR coalesce(p.credited_user_id, t.user_id, s.user_id) = $4)
        AND ($5::text IS NULL OR coalesce(p.credited_user_id, t.user_id, s.user_id)
          = (SELECT w.id FROM users w WHERE w.email = lower($5)))
        AND ($6::bigint IS NULL AND $7::text IS NULL OR p.id IN (
          SELECT n.id FROM payments n WHERE n.payment_id = $7
          UNION ALL
          SELECT n.id FROM payments n JOIN payment_attempts m ON m.id = n.attempt_id WHERE m.merchant_reference = $7
          UNION ALL
          SELECT n.id FROM payments n JOIN payment_attempts m ON m.id = n.attempt_id WHERE m.order_id = $6))
        AND ($8::bigint IS NULL OR p.created_at >= to_timestamp($8::bigint / 1000.0))
        AND ($9::bigint IS NULL OR p.created_at < to_timestamp($9::bigint / 1000.0))
        AND ($10::bigint IS NULL OR p.id < $10)
    ) c
    WHERE $2::text IS NULL OR c.standing = $2
    ORDER BY c.id DESC LIMIT $11
  ) f
  LEFT JOIN payment_attempts a ON a.id = f.attempt_id LEFT JOIN users u ON u.id = f.user_id
  ORDER BY f.id DESC`
