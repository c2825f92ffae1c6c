/**
 * Refunds as rows, one for each, by the id that its provider gave it: those that root asked for, which are written before the
 * provider hears of them, and those that providers tell of.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { OrderId, PaymentId, RefundId } from "../domain/Ids.ts"
import { Minor } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { Provider, RefundState, type RefundTold } from "../payments/PaymentFact.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { type ClawbackOf, countedMinor, isCounted, type RefundNow } from "./Clawback.ts"
import type { Payment } from "./Payments.ts"
import { refundAfter } from "./RefundFold.ts"
import { rowsOfPayments } from "./RowsOfPayments.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

export const Refund = Row({
  id: RefundId,
  provider: Provider,
  paymentId: Schema.NullOr(PaymentId),
  /** Of the payment's attempt; null where no order is known. */
  orderId: Schema.NullOr(OrderId),
  amountMinor: Minor,
  currency: Schema.String,
  state: RefundState,
  /** The provider's id of it; null where it gave none, or not yet. */
  providerRefund: Schema.NullOr(Schema.String),
  /** Of root's request; null: it was made past this server. */
  key: Schema.NullOr(Schema.String),
  requestedBy: Schema.NullOr(Schema.String),
  note: Schema.String,
  /** Why it failed, or why there is no answer. */
  problem: Schema.String,
  /** The provider was asked with this row's id. */
  isNamed: Schema.Boolean,
  createdAt: Schema.Date,
  updatedAt: Schema.Date
}, { providerRefund: "refund_id", key: "request_key", isNamed: "named" })
export interface Refund extends Schema.Schema.Type<typeof Refund> {}

/** Root asked for it, and nobody knows yet what became of it. */
export const isUnanswered = ({ key, providerRefund, state }: Refund): boolean =>
  key !== null && providerRefund === null && state === "pending"

const refunds = rowsOfPayments(Refund, "payment_refunds")

export const { ofOrder: refundsOfOrder, ofPayment: refundsOfPayment } = refunds

export const findRefund = (sql: Sql, id: RefundId): Read<Refund | undefined> =>
  rowOf(Refund, sql.unsafe(`${refunds.selected} WHERE r.id = $1`, [id]))

/** The same, locked until the transaction under way ends. */
export const lockRefund = (sql: Sql, id: RefundId): Read<Refund | undefined> =>
  rowOf(Refund, sql.unsafe(`${refunds.selected} WHERE r.id = $1 FOR UPDATE OF r`, [id]))

export const findRefundByKey = (sql: Sql, key: string): Read<Refund | undefined> =>
  rowOf(Refund, sql.unsafe(`${refunds.selected} WHERE r.request_key = $1`, [key]))

/** What root asks for. */
export interface AskedRefund {
  readonly key: string
  readonly amountMinor: bigint
  readonly note: string
  readonly requestedBy: string
}

const MadeRefund = Row({ id: RefundId })

/** Writes down a refund that root asks for. Nobody has been asked yet; it counts from now on. */
export const insertRefund = (
  sql: Sql,
  payment: Pick<Payment, "currency" | "id" | "payment" | "provider">,
  refund: AskedRefund
): Read<Refund> =>
  Effect.gen(function*() {
    const { id } = yield* oneRowOf(
      MadeRefund,
      sql`INSERT INTO payment_refunds (provider, payment_reference, payment_id, amount_minor, currency, state, request_key,
          requested_by, note)
        VALUES (${payment.provider}, ${payment.payment}, ${payment.id}, ${refund.amountMinor}, ${payment.currency}, 'pending',
          ${refund.key}, ${refund.requestedBy}, ${refund.note}) RETURNING id`
    )
    return yield* oneRowOf(Refund, sql.unsafe(`${refunds.selected} WHERE r.id = $1`, [id]))
  })

/** Writes down why there is no answer, or why the refund failed. */
export const noteProblem = (sql: Sql, id: RefundId, problem: string): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_refunds SET problem = ${problem}, updated_at = now() WHERE id = ${id}`)

const KnownRefund = Row(
  { id: RefundId, state: RefundState, providerRefund: Schema.NullOr(Schema.String) },
  { providerRefund: "refund_id" }
)
type KnownRefund = typeof KnownRefund.Type

/**
 * The row of a refund, locked: by the provider's id, else the one that the refund names. One that was asked for before refunds named
 * their rows is known by its amount.
 */
const lockTold = (sql: Sql, { payment, provider }: ClawbackOf, told: RefundTold): Read<KnownRefund | undefined> =>
  rowOf(
    KnownRefund,
    sql`SELECT id, state, refund_id FROM payment_refunds
      WHERE provider = ${provider} AND payment_reference = ${payment}
        AND (refund_id = ${told.refund} OR refund_id IS NULL AND request_key IS NOT NULL AND (id = ${told.own}
          OR ${told.own === null && told.refund !== null}::boolean AND NOT named AND state IN ('pending', 'succeeded')
            AND amount_minor = ${told.amountMinor} AND currency = ${told.currency}))
      ORDER BY refund_id NULLS LAST, id LIMIT 1 FOR UPDATE`
  )

/** Writes down what a provider says of a refund; answers its state before, undefined for one that was not known. */
export const recordRefund = (sql: Sql, of: ClawbackOf, told: RefundTold): Read<RefundState | undefined> =>
  Effect.gen(function*() {
    const known = yield* lockTold(sql, of, told)
    if (known === undefined) {
      yield* sql`INSERT INTO payment_refunds (provider, payment_reference, payment_id, refund_id, amount_minor, currency, state)
        VALUES (${of.provider}, ${of.payment}, ${of.paymentId}, ${told.refund}, ${told.amountMinor}, ${told.currency},
          ${told.state})`
      return undefined
    }
    const state = refundAfter({ state: known.state, isTold: known.providerRefund !== null }, told.state)
    yield* sql`UPDATE payment_refunds SET state = ${state}, refund_id = coalesce(refund_id, ${told.refund}),
        payment_id = coalesce(payment_id, ${of.paymentId}), updated_at = now()
      WHERE id = ${known.id} AND (state <> ${state} OR refund_id IS NULL AND ${told.refund}::text IS NOT NULL
        OR payment_id IS NULL AND ${of.paymentId}::bigint IS NOT NULL)`
    return known.state
  })

/** What only a sum told of, before refunds were known by their ids: the list of them takes its place. */
export const dropUnnamed = (sql: Sql, { payment, provider }: Pick<ClawbackOf, "payment" | "provider">): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_refunds SET state = 'canceled', updated_at = now()
    WHERE provider = ${provider} AND payment_reference = ${payment} AND refund_id IS NULL AND request_key IS NULL
      AND state <> 'canceled'`)

const Counted = Row({ state: RefundState, amountMinor: Minor })

const CountedRefund = Row({ state: RefundState, amountMinor: Minor, isAsked: Schema.Boolean, isNamed: Schema.Boolean })

/** What is known of a payment's refunds: their sum where they count, and whether some are known by a sum alone. */
export const knownRefunds = (
  sql: Sql,
  { payment, provider }: Pick<ClawbackOf, "payment" | "provider">
): Read<{ readonly sumMinor: bigint; readonly hasUnnamed: boolean }> =>
  Effect.map(
    rowsOf(
      CountedRefund,
      sql`SELECT state, amount_minor, request_key IS NOT NULL AS is_asked, refund_id IS NOT NULL AS is_named
      FROM payment_refunds WHERE provider = ${provider} AND payment_reference = ${payment}`
    ),
    (rows) => ({
      sumMinor: countedMinor(rows),
      hasUnnamed: rows.some((row) => !row.isNamed && !row.isAsked && isCounted(row.state))
    })
  )

/** What root has asked to give back of a payment and has not failed, in its minor unit. */
export const requestedMinor = (sql: Sql, paymentId: PaymentId): Read<bigint> =>
  Effect.map(
    rowsOf(
      Counted,
      sql`SELECT state, amount_minor FROM payment_refunds WHERE payment_id = ${paymentId} AND request_key IS NOT NULL`
    ),
    countedMinor
  )

/** The refunds of a payment in its currency. */
export const refundsNow = (
  sql: Sql,
  { currency, id, payment, provider }: Pick<Payment, "currency" | "id" | "payment" | "provider">
): Read<ReadonlyArray<RefundNow>> =>
  rowsOf(
    Counted,
    sql`SELECT state, amount_minor FROM payment_refunds
      WHERE (payment_id = ${id} OR payment_id IS NULL AND provider = ${provider} AND payment_reference = ${payment})
        AND currency = ${currency}`
  )

/** Refunds that were told before their payment was known are its own from now on. */
export const adoptRefunds = (sql: Sql, { id, payment, provider }: Payment): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_refunds SET payment_id = ${id}
    WHERE provider = ${provider} AND payment_reference = ${payment} AND payment_id IS NULL`)
