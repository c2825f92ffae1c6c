/**
 * The orders of all users as root reads them: filtered, page by page, newest first, each with its buyer.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { RowWith } from "../domain/Row.ts"
import type { PaymentSource } from "../payments/PaymentFact.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import type { IdPage } from "../postgres/Rows.ts"
import { type SearchFilter, searchRows } from "./SearchFilter.ts"
import { Order, type OrderKind, OrderState } from "./Order.ts"

export const orderStates: ReadonlyArray<OrderState> = OrderState.literals

/** What is left out does not matter. */
export interface OrderFilter extends SearchFilter {
  readonly state?: OrderState | undefined
  readonly kind?: OrderKind | undefined
  /** Orders with an attempt at this provider. */
  readonly provider?: PaymentSource | undefined
}

export interface FoundOrder {
  readonly order: Order
  readonly email: string
}

const OrderOfUser = RowWith(Order, { email: Schema.String })

export class OrderSearch extends Context.Service<OrderSearch, {
  /** Newest first, `FOUND_MAX` at most. */
  list(filter: OrderFilter, page: IdPage): Effect.Effect<ReadonlyArray<FoundOrder>, DatabaseUnavailable>
}>()("realms/orders/OrderSearch") {
  static readonly layer = Layer.effect(OrderSearch)(Effect.gen(function*() {
    const search = searchRows(yield* SqlClient.SqlClient, {
      row: OrderOfUser,
      statement: listSql,
      own: ({ kind, provider, state }: OrderFilter) => [state ?? null, kind ?? null, provider ?? null]
    })
    return OrderSearch.of({
      list: Effect.fn("OrderSearch.list")(function*(filter: OrderFilter, page: IdPage) {
        return (yield* search(filter, page)).map(({ email, ...order }) => ({ order, email }))
      })
    })
  }))
}

/** $1 state, $2 kind, $3 provider, $4 user's id, $5 e-mail, $6 order's id, $7 reference, $8 and $9 range, $10 before, $11 limit. */
const listSql = `
  SELECT o.*, u.email FROM orders o JOIN users u ON u.id = o.user_id
  WHERE ($1::text IS NULL OR o.state = $1) AND ($2::text IS NULL OR o.kind = $2)
    AND ($3::text IS NULL OR EXISTS (SELECT FROM payment_attempts a WHERE a.order_id = o.id AND a.provider = $3))
    AND ($4::bigint IS NULL OR o.user_id = $4)
    AND ($5::text IS NULL OR o.user_id = (SELECT e.id FROM users e WHERE e.email = lower($5)))
    AND ($6::bigint IS NULL AND $7::text IS NULL OR o.id = $6 OR o.id IN (
      SELECT a.order_id FROM payment_attempts a WHERE a.merchant_reference = $7
      UNION ALL
      SELECT a.order_id FROM payment_attempts a
        WHERE a.provider IN ('epay', 'stripe', 'manual') AND a.payment_reference = $7))
    AND ($8::bigint IS NULL OR o.created_at >= to_timestamp($8::bigint / 1000.0))
    AND ($9::bigint IS NULL OR o.created_at < to_timestamp($9::bigint / 1000.0))
    AND ($10::bigint IS NULL OR o.id < $10)
  ORDER BY o.id DESC LIMIT $11`
