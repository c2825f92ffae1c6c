/**
 * What providers have said, as root reads it: filtered, page by page, newest first; the queue of what people have to look at;
 * and one event with the order and the buyer it is about, as far as they are known.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { EventId, OrderId, PaymentId, UserId } from "../domain/Ids.ts"
import { Micros, Minor, parseDecimal } from "../domain/Money.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { OrderKind, OrderState } from "../orders/Order.ts"
import { EventNotFound } from "../orders/OrderError.ts"
import { creditOf } from "../orders/TopupTerms.ts"
import { KeptReason } from "../orders/Reason.ts"
import { EventOutcome } from "../orders/Settlement.ts"
import { PaymentSource } from "../payments/PaymentFact.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { countOf, type IdPage, msOrNull, rowOf, rowsOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"

export const eventOutcomes = [
  "applied",
  "duplicate",
  "ignored",
  "deferred",
  "needs_review"
] as const satisfies ReadonlyArray<
  EventOutcome
>

export const resolutions = ["accepted", "credited", "refunded", "dismissed", "completed", "fulfilled"] as const
export const Resolution = Schema.Literals(resolutions)
export type Resolution = typeof Resolution.Type

/** What is left out does not matter. */
export interface EventFilter {
  readonly outcome?: EventOutcome | undefined
  readonly provider?: PaymentSource | undefined
  /** Only what waits for somebody: open reviews, and what has waited for its payment for long. */
  readonly open?: boolean | undefined
  /** The provider's reference of the payment, or ours. */
  readonly text?: string | undefined
  /** Received from this moment on and before that one, ms since the epoch. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

export const EventItem = Row({
  id: EventId,
  provider: PaymentSource,
  /** The provider's own name of it, and what it says in our words: Paid, Refunded, ... */
  kind: Schema.String,
  fact: Schema.String,
  outcome: EventOutcome,
  /** Why it has that outcome, for logs and programs; empty where it goes without saying. */
  note: Schema.String,
  /** The same to be worded for people; undefined: only the note is known. */
  reason: KeptReason,
  payment: Schema.NullOr(Schema.String),
  /** The payment's row, once it has one. */
  paymentId: Schema.NullOr(PaymentId),
  reference: Schema.NullOr(Schema.String),
  amountMinor: Schema.NullOr(Minor),
  currency: Schema.NullOr(Schema.String),
  deliveries: Schema.Number,
  receivedAt: Schema.Date,
  orderId: Schema.NullOr(OrderId),
  resolution: Schema.NullOr(Resolution),
  resolutionNote: Schema.NullOr(Schema.String),
  /** The e-mail address of the person who did it; `cli` for the command line. */
  resolvedBy: Schema.NullOr(Schema.String),
  resolvedAt: Schema.NullOr(Schema.Date),
  /** What was credited to whom. */
  creditedMicros: Schema.NullOr(Micros),
  creditedUserId: Schema.NullOr(UserId),
  /** It waits for somebody. */
  isOpen: Schema.Boolean
}, { payment: "payment_reference", reference: "merchant_reference", resolvedBy: "resolver" })
export interface EventItem extends Schema.Schema.Type<typeof EventItem> {}

const EventWithEvidence = RowWith(
  EventItem,
  { evidence: Schema.Record(Schema.String, Schema.Unknown) },
  { evidence: "details" }
)

export interface EventDetails {
  readonly event: EventItem
  /** What is kept of the provider's message; empty where root said it, or before messages were kept. */
  readonly evidence: { readonly [name: string]: unknown }
  readonly order: { readonly id: OrderId; readonly kind: OrderKind; readonly state: OrderState } | undefined
  readonly buyer: { readonly id: UserId; readonly email: string } | undefined
  /** What the payment is worth at its order's rate, or today's, in USD micros; undefined where that is not known. */
  readonly suggestedMicros: bigint | undefined
}

export class PaymentEvents extends Context.Service<PaymentEvents, {
  /** Newest first, 201 at most. */
  list(filter: EventFilter, page: IdPage): Effect.Effect<ReadonlyArray<EventItem>, DatabaseUnavailable>
  find(id: EventId): Effect.Effect<EventDetails, EventNotFound | DatabaseUnavailable>
  /** How many wait for somebody, up to 1000. */
  readonly openCount: Effect.Effect<number, DatabaseUnavailable>
}>()("realms/events/PaymentEvents") {
  static readonly layer = Layer.effect(PaymentEvents)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const list = Effect.fn("PaymentEvents.list")(
      function*(filter: EventFilter, page: IdPage) {
        const statement = sql.unsafe(listSql, [
          filter.outcome ?? null,
          filter.provider ?? null,
          filter.open === true,
          filter.text ?? null,
          msOrNull(filter.fromMs),
          msOrNull(filter.toMs),
          page.before ?? null,
          Math.min(page.limit, LISTED_MAX)
        ])
        return yield* rowsOf(EventItem, statement)
      },
      orUnavailable
    )

    const suggest = (event: EventItem, order: OrderOfEvent | undefined, rateNow: string): bigint | undefined => {
      if (event.amountMinor === null || event.currency === null) return undefined
      const minorPerFen = order?.currency === event.currency
        ? order.minorPerFen
        : event.currency === "cny"
        ? "1"
        : "0"
      const fen = fenOf(event.amountMinor, minorPerFen)
      const micros = fen === undefined ? 0n : creditOf(fen, order?.rate ?? rateNow)
      return micros > 0n ? micros : undefined
    }

    const find = Effect.fn("PaymentEvents.find")(function*(id: EventId) {
      const found = yield* rowOf(EventWithEvidence, sql.unsafe(`${eventsSql} WHERE e.id = $1`, [id]))
      if (found === undefined) return yield* new EventNotFound({ id })
      const { evidence, ...event } = found
      const order = yield* rowOf(
        OrderOfEvent,
        sql`SELECT o.id, o.kind, o.state, o.user_id, u.email, t.credit_usd_per_cny AS rate, a.currency, a.minor_per_fen
        FROM orders o JOIN users u ON u.id = o.user_id LEFT JOIN topup_orders t ON t.id = o.id
          JOIN payment_attempts a ON a.order_id = o.id
        WHERE o.id = ${event.orderId}
        ORDER BY a.merchant_reference = ${event.reference} DESC NULLS LAST, a.id DESC LIMIT 1`
      )
      const { billing } = yield* settings.fresh
      return {
        event,
        evidence,
        order: order === undefined ? undefined : { id: order.id, kind: order.kind, state: order.state },
        buyer: order === undefined ? undefined : { id: order.userId, email: order.email },
        suggestedMicros: suggest(event, order, billing.creditUsdPerCny)
      } satisfies EventDetails
    }, orUnavailable)

    const openCount = countOf(
      sql.unsafe(`SELECT count(*) FROM (SELECT FROM payment_events e WHERE ${openSql} LIMIT ${COUNTED_MAX}) o`)
    ).pipe(orUnavailable)

    return PaymentEvents.of({ list, find, openCount })
  }))
}

const LISTED_MAX = 201
const COUNTED_MAX = 1_000

/** What waits for its payment so long is looked at. */
const DEFERRED_HOURS_MAX = 24

/** An event `e` that waits for somebody. */
export const openSql = `e.resolved_at IS NULL AND (e.outcome = 'needs_review'
  OR e.outcome = 'deferred' AND e.received_at < now() - interval '${DEFERRED_HOURS_MAX} hours')`

/** Who resolved an event `e`, for people: a user, or whose key it was. */
export const resolverSql = `coalesce(
  (SELECT u.email FROM users u
    WHERE u.id = (CASE WHEN e.resolved_by ~ '^user:[0-9]{1,18}$' THEN substr(e.resolved_by, 6)::bigint END)),
  (SELECT u.email FROM api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.id = (CASE WHEN e.resolved_by ~ '^key:[0-9]{1,18}$' THEN substr(e.resolved_by, 5)::bigint END)),
  e.resolved_by)`

/** An event's attempt: the one it was applied to, else the one whose reference it carries. */
const eventsSql = `
  SELECT e.*, coalesce(a.order_id, r.order_id) AS order_id, (${openSql}) AS is_open,
    ${resolverSql} AS resolver
  FROM payment_events e
  LEFT JOIN payment_attempts a ON a.id = e.attempt_id
  LEFT JOIN payment_attempts r ON r.merchant_reference = e.merchant_reference AND r.provider = e.provider`

/** $1 outcome, $2 provider, $3 open, $4 reference, $5 and $6 range, $7 before, $8 limit. */
const listSql = `${eventsSql}
  WHERE ($1::text IS NULL OR e.outcome = $1) AND ($2::text IS NULL OR e.provider = $2)
    AND (NOT $3::boolean OR ${openSql})
    AND ($4::text IS NULL OR e.payment_reference = $4 OR e.merchant_reference = $4)
    AND ($5::bigint IS NULL OR e.received_at >= to_timestamp($5::bigint / 1000.0))
    AND ($6::bigint IS NULL OR e.received_at < to_timestamp($6::bigint / 1000.0))
    AND ($7::bigint IS NULL OR e.id < $7)
  ORDER BY e.id DESC LIMIT $8`

/** Everything said about an order or a payment, newest first; 201 at most. */
export const eventsAbout = (
  sql: SqlClient.SqlClient,
  { orderId, paymentId }: { readonly orderId: OrderId | null; readonly paymentId: PaymentId | null }
): Effect.Effect<ReadonlyArray<EventItem>, SqlError.SqlError> =>
  rowsOf(
    EventItem,
    sql.unsafe(
      `${eventsSql} WHERE e.id IN (
        SELECT t.id FROM payment_events t JOIN payment_attempts b ON b.id = t.attempt_id WHERE b.order_id = $1
        UNION
        SELECT t.id FROM payment_events t JOIN payment_attempts b ON b.merchant_reference = t.merchant_reference
          WHERE b.order_id = $1
        UNION
        SELECT t.id FROM payment_events t WHERE t.payment_id = $2
        UNION
        SELECT t.id FROM payment_events t JOIN payments p ON p.provider = t.provider AND p.payment_id = t.payment_reference
          WHERE p.id = $2 AND t.payment_id IS NULL)
      ORDER BY e.id DESC LIMIT ${LISTED_MAX}`,
      [orderId, paymentId]
    )
  )

const OrderOfEvent = Row({
  id: OrderId,
  kind: OrderKind,
  state: OrderState,
  userId: UserId,
  email: Schema.String,
  rate: Schema.NullOr(Schema.String),
  currency: Schema.String,
  minorPerFen: Schema.String
})
type OrderOfEvent = typeof OrderOfEvent.Type

const MINOR_SCALE = 6

/** Fen of an amount in a currency's minor unit, rounded down; undefined where the rate is not valid. */
const fenOf = (amountMinor: bigint, minorPerFen: string): bigint | undefined => {
  const rate = parseDecimal(minorPerFen, MINOR_SCALE) ?? 0n
  return rate > 0n ? (amountMinor * 1_000_000n) / rate : undefined
}
