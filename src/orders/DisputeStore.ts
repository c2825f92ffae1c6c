/**
 * Disputes as rows, one for each, by the id that its provider gave it: what it is now, and what it has taken.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { DisputeId, EventId, OrderId } from "../domain/Ids.ts"
import { Minor } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type DisputeTold, Provider } from "../payments/PaymentFact.ts"
import { rowsOf } from "../postgres/Rows.ts"
import type { ClawbackOf, DisputeNow } from "./Clawback.ts"
import { foldDispute, standingOf } from "./DisputeFold.ts"
import type { Payment } from "./Payments.ts"
import { rowsOfPayments } from "./RowsOfPayments.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

export const Dispute = Row({
  id: DisputeId,
  provider: Provider,
  /** The provider's id of it. */
  dispute: Schema.String,
  amountMinor: Minor,
  takenMinor: Minor,
  currency: Schema.String,
  /** The provider's own words. */
  status: Schema.String,
  reason: Schema.String,
  /** Until when it can be answered. */
  dueAt: Schema.NullOr(Schema.Date),
  /** Of the payment's attempt; null where no order is known. */
  orderId: Schema.NullOr(OrderId),
  updatedAt: Schema.Date
}, { dispute: "dispute_id" })
export interface Dispute extends Schema.Schema.Type<typeof Dispute> {}

const EventOfDispute = Row({
  id: EventId,
  kind: Schema.String,
  status: Schema.String,
  amountMinor: Minor,
  takenMinor: Schema.NullOr(Minor),
  atSeconds: Schema.BigInt
})

/** Events of one dispute that are looked at, at most: the newest. */
const EVENTS_MAX = 1_000

/** Writes down what a dispute is by everything said of it, the event `eventId` included. */
export const recordDispute = (sql: Sql, of: ClawbackOf, told: DisputeTold, eventId: EventId): Read<void> =>
  Effect.gen(function*() {
    const events = yield* rowsOf(
      EventOfDispute,
      sql`SELECT id, kind, status, amount_minor, taken_minor, at_seconds FROM payment_events
        WHERE provider = ${of.provider} AND fact = 'Dispute' AND subject = ${told.dispute} AND status IS NOT NULL
          AND amount_minor IS NOT NULL AND currency = ${told.currency}
        ORDER BY at_seconds DESC, id DESC LIMIT ${EVENTS_MAX}`
    )
    const folded = foldDispute(events)
    if (folded === undefined) return
    const { newest, takenMinor } = folded
    const isNewest = newest.id === eventId
    const dueBy = isNewest ? told.dueBySeconds : null
    yield* sql`
      INSERT INTO payment_disputes AS d (provider, payment_reference, payment_id, dispute_id, amount_minor, currency, status,
          reason, due_at, taken_minor)
        VALUES (${of.provider}, ${of.payment}, ${of.paymentId}, ${told.dispute}, ${newest.amountMinor}, ${told.currency},
          ${newest.status}, ${told.reason}, to_timestamp(${dueBy}::bigint), ${takenMinor ?? 0n})
        ON CONFLICT (provider, dispute_id) DO UPDATE
          SET payment_id = coalesce(d.payment_id, EXCLUDED.payment_id), amount_minor = EXCLUDED.amount_minor,
            status = EXCLUDED.status,
            reason = CASE WHEN ${isNewest}::boolean AND EXCLUDED.reason <> '' THEN EXCLUDED.reason ELSE d.reason END,
            due_at = CASE WHEN ${isNewest}::boolean THEN EXCLUDED.due_at ELSE d.due_at END,
            taken_minor = CASE WHEN ${
      takenMinor === undefined
    }::boolean THEN d.taken_minor ELSE EXCLUDED.taken_minor END,
            updated_at = now()`
  })

const TakenByDispute = Row({ status: Schema.String, takenMinor: Minor })

/** The disputes of a payment in its currency. */
export const disputesNow = (
  sql: Sql,
  { currency, id, payment, provider }: Pick<Payment, "currency" | "id" | "payment" | "provider">
): Read<ReadonlyArray<DisputeNow>> =>
  Effect.map(
    rowsOf(
      TakenByDispute,
      sql`SELECT status, taken_minor FROM payment_disputes
      WHERE (payment_id = ${id} OR payment_id IS NULL AND provider = ${provider} AND payment_reference = ${payment})
        AND currency = ${currency}`
    ),
    (rows) => rows.map(({ status, takenMinor }) => ({ standing: standingOf(status), takenMinor }))
  )

export const { ofOrder: disputesOfOrder, ofPayment: disputesOfPayment } = rowsOfPayments(Dispute, "payment_disputes")

/** Disputes that were told before their payment was known are its own from now on. */
export const adoptDisputes = (sql: Sql, { id, payment, provider }: Payment): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_disputes SET payment_id = ${id}
    WHERE provider = ${provider} AND payment_reference = ${payment} AND payment_id IS NULL`)
