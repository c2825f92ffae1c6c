/**
 * Orders as rows: read, locked, and moved from one state to the next. Locks are taken in one order everywhere - the payment, the
 * order, then its attempts by id, then the account - so that nothing here deadlocks with itself.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { OrderId, SubscriptionId, UserId } from "../domain/Ids.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { Order, type OrderKind, type OrderState } from "./Order.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

const tableOf = (sql: Sql, kind: OrderKind) => sql.literal(kind === "topup" ? "topup_orders" : "subscription_orders")

/** An order by its id. */
export const findOrder = (sql: Sql, id: OrderId): Read<Order | undefined> =>
  rowOf(Order, sql`SELECT * FROM orders WHERE id = ${id}`)

/** The largest id there can be: before it are all. */
const ID_MAX = 2n ** 63n - 1n

/**
 * A user's orders with an id below `before`, newest first. The ids are found first, in the tables, because the view would
 * compute every order of the user for a page of a few.
 */
export const ordersOf = (
  sql: Sql,
  userId: UserId,
  limit: number,
  before: bigint = ID_MAX
): Read<ReadonlyArray<Order>> => {
  const newest = (kind: OrderKind) =>
    sql`(SELECT id FROM ${
      tableOf(sql, kind)
    } WHERE user_id = ${userId} AND id < ${before} ORDER BY id DESC LIMIT ${limit})`
  return rowsOf(
    Order,
    sql`SELECT o.* FROM (${newest("topup")} UNION ALL ${newest("subscription")} ORDER BY id DESC LIMIT ${limit}) n
    CROSS JOIN LATERAL (SELECT * FROM orders WHERE id = n.id OFFSET 0) o ORDER BY o.id DESC`
  )
}

/** Locks an order until the transaction under way ends; answers it as it is then. */
export const lockOrder = (sql: Sql, kind: OrderKind, id: OrderId): Read<Order | undefined> =>
  sql`SELECT FROM ${tableOf(sql, kind)} WHERE id = ${id} FOR UPDATE`.pipe(Effect.andThen(findOrder(sql, id)))

/** Who bought it, as the account says at this moment. */
const buyerNow = `(SELECT jsonb_build_object('email', u.email, 'company_name', u.company_name, 'tax_id', u.tax_id)
  FROM users u WHERE u.id = user_id)`

/** Puts an order into a state; its first fulfilment is its time of settlement, and says who its buyer was for good. */
export const setOrderState = (
  sql: Sql,
  order: Pick<Order, "kind" | "id">,
  state: OrderState
): Read<void> =>
  Effect.asVoid(sql`UPDATE ${tableOf(sql, order.kind)}
    SET state = ${state},
      settled_at = CASE WHEN ${state}::text IN ('paid', 'active') THEN coalesce(settled_at, now()) ELSE settled_at END,
      buyer = CASE WHEN ${state}::text IN ('paid', 'active') THEN coalesce(buyer, ${
    sql.literal(buyerNow)
  }) ELSE buyer END
    WHERE id = ${order.id}`)

/** Notes the subscription that an order gave. */
export const setSubscription = (sql: Sql, orderId: OrderId, subscriptionId: SubscriptionId): Read<void> =>
  Effect.asVoid(sql`UPDATE subscription_orders SET subscription_id = ${subscriptionId} WHERE id = ${orderId}`)
