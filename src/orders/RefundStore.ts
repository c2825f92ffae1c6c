/**
 * Refunds as rows, one for each, by the id that its provider gave it: those that root asked for, which are written before the
 * provider hears of them, and those that providers tell of.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Provider, RefundState, RefundTold } from "../payments/PaymentFact.ts"
import { type ClawbackOf, countedMinor, isCounted, type RefundNow } from "./Clawback.ts"
import type { Payment } from "./Payments.ts"
import { refundAfter } from "./RefundFold.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

export interface Refund {
  readonly id: bigint
  readonly provider: Provider
  readonly paymentId: bigint | null
  /** Of the payment's attempt; null where no order is known. */
  readonly orderId: bigint | null
  /** In the minor unit of the currency. */
  readonly amountMinor: bigint
  readonly currency: string
  readonly state: RefundState
  /** The provider's id of it; null where it gave none, or not yet. */
  readonly providerRefund: string | null
  /** Of root's request; null: it was made past this server. */
  readonly key: string | null
  readonly requestedBy: string | null
  readonly note: string
  /** Why it failed, or why there is no answer. */
  readonly problem: string
  /** The provider was asked with this row's id. */
  readonly isNamed: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface RefundRow {
  readonly id: bigint
  readonly provider: Provider
  readonly payment_id: bigint | null
  readonly order_id: bigint | null
  readonly amount_minor: bigint
  readonly currency: string
  readonly state: RefundState
  readonly refund_id: string | null
  readonly request_key: string | null
  readonly requested_by: string | null
  readonly note: string
  readonly problem: string
  readonly named: boolean
  readonly created_at: Date
  readonly updated_at: Date
}

const toRefund = (row: RefundRow): Refund => ({
  id: row.id,
  provider: row.provider,
  paymentId: row.payment_id,
  orderId: row.order_id,
  amountMinor: row.amount_minor,
  currency: row.currency,
  state: row.state,
  providerRefund: row.refund_id,
  key: row.request_key,
  requestedBy: row.requested_by,
  note: row.note,
  problem: row.problem,
  isNamed: row.named,
  createdAt: row.created_at,
  updatedAt: row.updated_at
})

/** Root asked for it, and nobody knows yet what became of it. */
export const isUnanswered = ({ key, providerRefund, state }: Refund): boolean =>
  key !== null && providerRefund === null && state === "pending"

/** Refunds listed of one order or payment, at most: the newest. */
const LISTED_MAX = 100

const columns = `r.*, a.order_id FROM payment_refunds r LEFT JOIN payments p ON p.id = r.payment_id
  LEFT JOIN payment_attempts a ON a.id = p.attempt_id`

const firstOf = (rows: ReadonlyArray<RefundRow>): Refund | undefined =>
  rows[0] === undefined ? undefined : toRefund(rows[0])

export const findRefund = (sql: Sql, id: bigint): Read<Refund | undefined> =>
  Effect.map(sql.unsafe<RefundRow>(`SELECT ${columns} WHERE r.id = $1`, [id]), firstOf)

/** The same, locked until the transaction under way ends. */
export const lockRefund = (sql: Sql, id: bigint): Read<Refund | undefined> =>
  Effect.map(sql.unsafe<RefundRow>(`SELECT ${columns} WHERE r.id = $1 FOR UPDATE OF r`, [id]), firstOf)

export const findRefundByKey = (sql: Sql, key: string): Read<Refund | undefined> =>
  Effect.map(sql.unsafe<RefundRow>(`SELECT ${columns} WHERE r.request_key = $1`, [key]), firstOf)

/** Of one order's payments, newest first. */
export const refundsOfOrder = (sql: Sql, orderId: bigint): Read<ReadonlyArray<Refund>> =>
  Effect.map(
    sql.unsafe<RefundRow>(`SELECT ${columns} WHERE a.order_id = $1 ORDER BY r.id DESC LIMIT ${LISTED_MAX}`, [orderId]),
    (rows) => rows.map(toRefund)
  )

/** Of one payment, newest first. */
export const refundsOfPayment = (sql: Sql, paymentId: bigint): Read<ReadonlyArray<Refund>> =>
  Effect.map(
    sql.unsafe<RefundRow>(`SELECT ${columns} WHERE r.payment_id = $1 ORDER BY r.id DESC LIMIT ${LISTED_MAX}`, [
      paymentId
    ]),
    (rows) => rows.map(toRefund)
  )

/** What root asks for. */
export interface AskedRefund {
  readonly key: string
  readonly amountMinor: bigint
  readonly note: string
  readonly requestedBy: string
}

/** Writes down a refund that root asks for. Nobody has been asked yet; it counts from now on. */
export const insertRefund = (
  sql: Sql,
  payment: Pick<Payment, "currency" | "id" | "payment" | "provider">,
  refund: AskedRefund
): Read<Refund> =>
  Effect.gen(function*() {
    const [row] = yield* sql<{ id: bigint }>`
      INSERT INTO payment_refunds (provider, payment_reference, payment_id, amount_minor, currency, state, request_key,
          requested_by, note)
        VALUES (${payment.provider}, ${payment.payment}, ${payment.id}, ${refund.amountMinor}, ${payment.currency}, 'pending',
          ${refund.key}, ${refund.requestedBy}, ${refund.note}) RETURNING id`
    const inserted = row === undefined ? undefined : yield* findRefund(sql, row.id)
    return inserted ?? (yield* Effect.die(new Error("a refund was not inserted")))
  })

/** Writes down why there is no answer, or why the refund failed. */
export const noteProblem = (sql: Sql, id: bigint, problem: string): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_refunds SET problem = ${problem}, updated_at = now() WHERE id = ${id}`)

interface KnownRow {
  readonly id: bigint
  readonly state: RefundState
  readonly refund_id: string | null
}

/**
 * The row of a refund, locked: by the provider's id, else the one that the refund names. One that was asked for before refunds named
 * their rows is known by its amount.
 */
const lockTold = (sql: Sql, { payment, provider }: ClawbackOf, told: RefundTold): Read<KnownRow | undefined> =>
  Effect.map(
    sql<KnownRow>`SELECT id, state, refund_id FROM payment_refunds
      WHERE provider = ${provider} AND payment_reference = ${payment}
        AND (refund_id = ${told.refund} OR refund_id IS NULL AND request_key IS NOT NULL AND (id = ${told.own}
          OR ${told.own === null && told.refund !== null}::boolean AND NOT named AND state IN ('pending', 'succeeded')
            AND amount_minor = ${told.amountMinor} AND currency = ${told.currency}))
      ORDER BY refund_id NULLS LAST, id LIMIT 1 FOR UPDATE`,
    ([row]) => row
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
    const state = refundAfter({ state: known.state, isTold: known.refund_id !== null }, told.state)
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

interface SumRow {
  readonly state: RefundState
  readonly amount_minor: bigint
  readonly is_asked: boolean
  readonly is_named: boolean
}

const toNow = ({ amount_minor, state }: Pick<SumRow, "amount_minor" | "state">): RefundNow => ({
  state,
  amountMinor: amount_minor
})

/** What is known of a payment's refunds: their sum where they count, and whether some are known by a sum alone. */
export const knownRefunds = (
  sql: Sql,
  { payment, provider }: Pick<ClawbackOf, "payment" | "provider">
): Read<{ readonly sumMinor: bigint; readonly hasUnnamed: boolean }> =>
  Effect.map(
    sql<SumRow>`SELECT state, amount_minor, request_key IS NOT NULL AS is_asked, refund_id IS NOT NULL AS is_named
      FROM payment_refunds WHERE provider = ${provider} AND payment_reference = ${payment}`,
    (rows) => ({
      sumMinor: countedMinor(rows.map(toNow)),
      hasUnnamed: rows.some((row) => !row.is_named && !row.is_asked && isCounted(row.state))
    })
  )

/** What root has asked to give back of a payment and has not failed, in its minor unit. */
export const requestedMinor = (sql: Sql, paymentId: bigint): Read<bigint> =>
  Effect.map(
    sql<Pick<SumRow, "amount_minor" | "state">>`SELECT state, amount_minor FROM payment_refunds
      WHERE payment_id = ${paymentId} AND request_key IS NOT NULL`,
    (rows) => countedMinor(rows.map(toNow))
  )

/** The refunds of a payment in its currency. */
export const refundsNow = (
  sql: Sql,
  { currency, id, payment, provider }: Pick<Payment, "currency" | "id" | "payment" | "provider">
): Read<ReadonlyArray<RefundNow>> =>
  Effect.map(
    sql<Pick<SumRow, "amount_minor" | "state">>`SELECT state, amount_minor FROM payment_refunds
      WHERE (payment_id = ${id} OR payment_id IS NULL AND provider = ${provider} AND payment_reference = ${payment})
        AND currency = ${currency}`,
    (rows) => rows.map(toNow)
  )

/** Refunds that were told before their payment was known are its own from now on. */
export const adoptRefunds = (sql: Sql, { id, payment, provider }: Payment): Read<void> =>
  Effect.asVoid(sql`UPDATE payment_refunds SET payment_id = ${id}
    WHERE provider = ${provider} AND payment_reference = ${payment} AND payment_id IS NULL`)
