/**
 * Refunds and disputes, which are rows about a payment: each is read together with the order that was paid.
 *
 * @internal
 */
import type { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { OrderId, PaymentId } from "../domain/Ids.ts"
import { rowsOf } from "../postgres/Rows.ts"

/** Rows listed of one order or payment, at most: the newest. */
const LISTED_MAX = 100

/** Reads one of the two tables. */
export const rowsOfPayments = <S extends Schema.ConstraintDecoder<unknown>>(
  row: S,
  table: "payment_disputes" | "payment_refunds"
) => {
  const selected = `SELECT r.*, a.order_id FROM ${table} r LEFT JOIN payments p ON p.id = r.payment_id
    LEFT JOIN payment_attempts a ON a.id = p.attempt_id`
  const newestBy =
    <Id extends bigint>(column: string) =>
    (sql: SqlClient.SqlClient, id: Id): Effect.Effect<ReadonlyArray<S["Type"]>, SqlError.SqlError> =>
      rowsOf(row, sql.unsafe(`${selected} WHERE ${column} = $1 ORDER BY r.id DESC LIMIT ${LISTED_MAX}`, [id]))
  return {
    /** The statement up to its conditions; the table is `r`. */
    selected,
    /** Of one order's payments, newest first. */
    ofOrder: newestBy<OrderId>("a.order_id"),
    /** Of one payment, newest first. */
    ofPayment: newestBy<PaymentId>("r.payment_id")
  }
}
