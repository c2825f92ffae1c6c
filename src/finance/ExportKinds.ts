/**
 * What can be exported: for each kind its rows as SQL, its columns, and the columns that are summed. Amounts are exact decimals of
 * their currency; moments are ISO 8601 in UTC.
 *
 * @internal
 */
import { Schema } from "effect"

/** A value as PostgreSQL gives it. */
const Cell = Schema.NullOr(Schema.Union([Schema.String, Schema.BigInt, Schema.Boolean, Schema.Date]))
export type Cell = typeof Cell.Type

/** A line of an export by the names of its columns. */
export const ExportRow = Schema.StructWithRest(Schema.Struct({ id: Schema.BigInt, booked_at: Schema.Date }), [
  Schema.Record(Schema.String, Cell)
])
export type ExportRow = typeof ExportRow.Type

export interface ExportKind {
  /** Of rows with `id` and `booked_at`; `provider`, `currency` and `state` where a filter may name them. */
  readonly sql: string
  /** In the order of the file. What an amount is counted in is the end of its column's name. */
  readonly columns: ReadonlyArray<string>
  /** Of the columns with amounts: what the totals add up. */
  readonly summed: ReadonlyArray<string>
  /** What the totals are apart by; none: they are in USD. */
  readonly by: ReadonlyArray<"provider" | "currency">
  readonly filters: ReadonlyArray<"provider" | "currency" | "state">
}

const ordersSql = `
  SELECT o.id, coalesce(o.settled_at, o.created_at) AS booked_at, o.kind, o.user_id, u.email, o.state, o.amount_fen,
    o.credit_micros, o.plan_code, p.provider, p.currency, p.paid_minor, p.payment_id, o.created_at, o.settled_at
  FROM orders o JOIN users u ON u.id = o.user_id
  LEFT JOIN LATERAL (
    SELECT f.provider, f.currency, f.paid_minor, f.payment_id FROM payment_attempts a
      JOIN payments f ON f.attempt_id = a.id AND f.state = 'fulfilled' WHERE a.order_id = o.id LIMIT 1
  ) p ON true`

/** A provider's day may be an earlier one, by the time zone of the books, which is $4: that is shown and flagged. */
const told = `m.provider_at, CASE WHEN (m.provider_at AT TIME ZONE $4)::date < (m.booked_at AT TIME ZONE $4)::date
    THEN 'earlier' ELSE '' END AS provider_day`

const paymentsSql = `
  SELECT p.id, coalesce(m.booked_at, p.created_at) AS booked_at, coalesce(p.received_provider, p.provider) AS provider,
    p.payment_id, p.state, p.manual, coalesce(p.received_currency, p.currency) AS currency, p.received_minor,
    CASE WHEN p.received_currency <> p.currency THEN NULL ELSE p.paid_minor END AS paid_minor, a.order_id, coalesce(p.credited_user_id, o.user_id) AS user_id, u.email, p.credited_micros, p.debited_micros,
    p.corrected_micros, ${told}
  FROM payments p
  LEFT JOIN LATERAL (
    SELECT c.booked_at, c.provider_at FROM cash_movements c WHERE c.payment_id = p.id AND c.kind IN ('payment', 'manual')
      ORDER BY c.id LIMIT 1
  ) m ON true
  LEFT JOIN payment_attempts a ON a.id = p.attempt_id
  LEFT JOIN orders o ON o.id = a.order_id
  LEFT JOIN users u ON u.id = coalesce(p.credited_user_id, o.user_id)`

/** What was first booked of a refund or dispute, and the attempt of its payment. */
const movementOf = (row: "r" | "d", id: "refund_id" | "dispute_id") => `
  LEFT JOIN LATERAL (
    SELECT c.booked_at, c.provider_at FROM cash_movements c WHERE c.${id} = ${row}.id ORDER BY c.id LIMIT 1
  ) m ON true
  LEFT JOIN payments p ON p.id = ${row}.payment_id LEFT JOIN payment_attempts a ON a.id = p.attempt_id`

const refundsSql = `
  SELECT r.id, coalesce(m.booked_at, r.created_at) AS booked_at, r.provider, r.payment_reference AS payment_id, r.refund_id,
    r.state, r.currency, r.amount_minor, CASE WHEN r.state IN ('failed', 'canceled') THEN 0 ELSE r.amount_minor END
      AS given_back_minor, a.order_id, r.requested_by, r.note, r.problem, ${told}
  FROM payment_refunds r
  ${movementOf("r", "refund_id")}`

const disputesSql = `
  SELECT d.id, coalesce(m.booked_at, d.created_at) AS booked_at, d.provider, d.payment_reference AS payment_id, d.dispute_id,
    d.status AS state, d.reason, d.currency, d.amount_minor, d.taken_minor, a.order_id, d.due_at, ${told}
  FROM payment_disputes d
  ${movementOf("d", "dispute_id")}`

const ledgerSql = `
  SELECT l.id, l.created_at AS booked_at, l.user_id, u.email, l.seq, l.kind AS state, l.kind, l.amount_micros, l.owed_micros,
    l.usd_after, l.owed_after, l.ref_type, l.ref_id, l.actor, l.note
  FROM ledger_entries l JOIN users u ON u.id = l.user_id`

const cashSql = `
  SELECT m.id, m.booked_at, m.kind, m.kind AS state, m.provider, m.currency, m.amount_minor,
    coalesce(p.payment_id, r.payment_reference, d.payment_reference) AS payment_id, r.refund_id, d.dispute_id, ${told}
  FROM cash_movements m LEFT JOIN payments p ON p.id = m.payment_id LEFT JOIN payment_refunds r ON r.id = m.refund_id
    LEFT JOIN payment_disputes d ON d.id = m.dispute_id`

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

const byProvider = { by: ["provider", "currency"], filters: ["provider", "currency", "state"] } as const

export const exportKinds = {
  orders: {
    sql: ordersSql,
    columns: words(`
      kind user_id email state amount_fen credit_micros plan_code provider currency paid_minor payment_id
      created_at settled_at`),
    summed: ["paid_minor"],
    ...byProvider
  },
  payments: {
    sql: paymentsSql,
    columns: words(`
      provider payment_id state manual currency received_minor paid_minor order_id user_id email
      credited_micros debited_micros corrected_micros provider_at provider_day`),
    summed: ["received_minor", "paid_minor"],
    ...byProvider
  },
  refunds: {
    sql: refundsSql,
    columns: words(`
      provider payment_id refund_id state currency amount_minor given_back_minor order_id requested_by note
      problem provider_at provider_day`),
    summed: ["amount_minor", "given_back_minor"],
    ...byProvider
  },
  disputes: {
    sql: disputesSql,
    columns: words(`
      provider payment_id dispute_id state reason currency amount_minor taken_minor order_id due_at provider_at
      provider_day`),
    summed: ["amount_minor", "taken_minor"],
    ...byProvider
  },
  ledger: {
    sql: ledgerSql,
    columns: words(`
      user_id email seq kind amount_micros owed_micros usd_after owed_after ref_type ref_id actor note`),
    summed: ["amount_micros", "owed_micros"],
    by: [],
    filters: ["state"]
  },
  cash: {
    sql: cashSql,
    columns: words("kind provider currency amount_minor payment_id refund_id dispute_id provider_at provider_day"),
    summed: ["amount_minor"],
    ...byProvider
  }
} as const satisfies Readonly<Record<string, ExportKind>>

export type ExportName = keyof typeof exportKinds
