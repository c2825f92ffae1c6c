/**
 * Orders and attempts as rows: read, locked, and moved from one state to the next. Locks are taken in one order everywhere -
 * the order, then its attempts by id, then the account - so that nothing here deadlocks with itself.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type Attempt, type Order, type OrderKind, type OrderState, PlanTerms } from "./Order.ts"

const decodeTerms = Schema.decodeUnknownEffect(PlanTerms)

export interface OrderRow {
  readonly id: bigint
  readonly kind: OrderKind
  readonly user_id: bigint
  readonly amount_fen: bigint
  readonly credit_micros: bigint | null
  readonly terms: unknown
  readonly state: OrderState
  readonly subscription_id: bigint | null
  readonly created_at: Date
  readonly expires_at: Date
  readonly settled_at: Date | null
}

/** The order that a row of the view is. */
export const toOrder = (row: OrderRow): Effect.Effect<Order> =>
  Effect.map(row.terms === null ? Effect.succeed(null) : Effect.orDie(decodeTerms(row.terms)), (terms) => ({
    id: row.id,
    kind: row.kind,
    userId: row.user_id,
    amountFen: row.amount_fen,
    creditMicros: row.credit_micros ?? 0n,
    terms,
    state: row.state,
    subscriptionId: row.subscription_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    settledAt: row.settled_at
  }))

interface AttemptRow {
  readonly id: bigint
  readonly order_kind: OrderKind
  readonly order_id: bigint
  readonly provider: Attempt["provider"]
  readonly method: string | null
  readonly amount_minor: bigint
  readonly currency: string
  readonly merchant: string
  readonly merchant_reference: string
  readonly provider_reference: string | null
  readonly session_url: string | null
  readonly session_expires_at: Date | null
  readonly payable: boolean
  readonly payment_reference: string | null
  readonly state: Attempt["state"]
  readonly debited_micros: bigint
  readonly minor_per_fen: string
  readonly completed_by: string | null
  readonly created_at: Date
}

const toAttempt = (row: AttemptRow): Attempt => ({
  id: row.id,
  orderKind: row.order_kind,
  orderId: row.order_id,
  provider: row.provider,
  method: row.method,
  amountMinor: row.amount_minor,
  currency: row.currency,
  merchant: row.merchant,
  reference: row.merchant_reference,
  session: row.provider_reference,
  sessionUrl: row.session_url,
  sessionExpiresAt: row.session_expires_at,
  payable: row.payable,
  payment: row.payment_reference,
  state: row.state,
  debitedMicros: row.debited_micros,
  minorPerFen: row.minor_per_fen,
  completedBy: row.completed_by,
  createdAt: row.created_at
})

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

const tableOf = (sql: Sql, kind: OrderKind) => sql.literal(kind === "topup" ? "topup_orders" : "subscription_orders")

const firstOrder = (rows: ReadonlyArray<OrderRow>): Effect.Effect<Order | undefined> =>
  rows[0] === undefined ? Effect.succeed(undefined) : toOrder(rows[0])

/** An order by its id. */
export const findOrder = (sql: Sql, id: bigint): Read<Order | undefined> =>
  Effect.flatMap(sql<OrderRow>`SELECT * FROM orders WHERE id = ${id}`, firstOrder)

/** The largest id there can be: before it are all. */
const ID_MAX = 2n ** 63n - 1n

/** A user's orders with an id below `before`, newest first. */
export const ordersOf = (
  sql: Sql,
  userId: bigint,
  limit: number,
  before: bigint = ID_MAX
): Read<ReadonlyArray<Order>> =>
  Effect.flatMap(
    sql<OrderRow>`
      SELECT * FROM orders WHERE user_id = ${userId} AND id < ${before} ORDER BY id DESC LIMIT ${limit}`,
    (rows) => Effect.forEach(rows, toOrder)
  )

/** Locks an order until the transaction under way ends; answers it as it is then. */
export const lockOrder = (sql: Sql, kind: OrderKind, id: bigint): Read<Order | undefined> =>
  sql`SELECT FROM ${tableOf(sql, kind)} WHERE id = ${id} FOR UPDATE`.pipe(Effect.andThen(findOrder(sql, id)))

/** The attempts of an order, oldest first; locked when it is in a transaction that has locked the order. */
export const attemptsOf = (sql: Sql, orderId: bigint): Read<ReadonlyArray<Attempt>> =>
  Effect.map(
    sql<AttemptRow>`SELECT * FROM payment_attempts WHERE order_id = ${orderId} ORDER BY id`,
    (rows) => rows.map(toAttempt)
  )

/** The same, locked until the transaction under way ends. */
export const lockAttempts = (sql: Sql, orderId: bigint): Read<ReadonlyArray<Attempt>> =>
  Effect.map(
    sql<AttemptRow>`SELECT * FROM payment_attempts WHERE order_id = ${orderId} ORDER BY id FOR UPDATE`,
    (rows) => rows.map(toAttempt)
  )

/** The attempt with a merchant reference, or the one that a payment was made through. */
export const findAttempt = (
  sql: Sql,
  provider: string,
  reference: string | null,
  payment: string | null
): Read<Attempt | undefined> =>
  Effect.map(
    sql<AttemptRow>`SELECT * FROM payment_attempts
      WHERE provider = ${provider} AND (merchant_reference = ${reference} OR payment_reference = ${payment})
      ORDER BY payment_reference = ${payment} DESC NULLS LAST LIMIT 1`,
    ([row]) => row === undefined ? undefined : toAttempt(row)
  )

/** Puts an order into a state; the first fulfilment is its time of settlement. */
export const setOrderState = (
  sql: Sql,
  order: Pick<Order, "kind" | "id">,
  state: OrderState
): Read<void> =>
  Effect.asVoid(sql`UPDATE ${tableOf(sql, order.kind)}
    SET state = ${state},
      settled_at = CASE WHEN ${state}::text IN ('paid', 'active') THEN coalesce(settled_at, now()) ELSE settled_at END
    WHERE id = ${order.id}`)

/** Notes the subscription that an order gave. */
export const setSubscription = (sql: Sql, orderId: bigint, subscriptionId: bigint): Read<void> =>
  Effect.asVoid(sql`UPDATE subscription_orders SET subscription_id = ${subscriptionId} WHERE id = ${orderId}`)

export interface NewAttempt {
  readonly order: Order
  readonly provider: Attempt["provider"]
  readonly method: string | null
  readonly amountMinor: bigint
  readonly currency: string
  readonly merchant: string
  readonly minorPerFen: string
  readonly reference: string
  readonly sessionExpiresAt: Date | null
  /** An administrator who says that it was paid. */
  readonly completedBy?: string
}

/** Writes a new attempt. */
export const insertAttempt = (sql: Sql, attempt: NewAttempt): Read<Attempt> =>
  Effect.flatMap(
    sql<AttemptRow>`
      INSERT INTO payment_attempts (order_kind, order_id, provider, method, amount_minor, currency, merchant, minor_per_fen,
          merchant_reference, session_expires_at, payable, completed_by)
        VALUES (${attempt.order.kind}, ${attempt.order.id}, ${attempt.provider}, ${attempt.method}, ${attempt.amountMinor},
          ${attempt.currency}, ${attempt.merchant}, ${attempt.minorPerFen}, ${attempt.reference},
          ${attempt.sessionExpiresAt}, ${attempt.provider === "epay"}, ${attempt.completedBy ?? null}) RETURNING *`,
    ([row]) => row === undefined ? Effect.die(new Error("an attempt was not inserted")) : Effect.succeed(toAttempt(row))
  )
