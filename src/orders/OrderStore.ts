/**
 * Orders as rows: read, locked, and moved from one state to the next. Locks are taken in one order everywhere - the payment, the
 * order, then its attempts by id, then the account - so that nothing here deadlocks with itself.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type Order, type OrderKind, type OrderState, PlanTerms } from "./Order.ts"

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
