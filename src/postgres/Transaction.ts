/**
 * A transaction that fails as an error whenever the database does. When a connection dies inside a transaction, rolling it
 * back dies with it, and the driver tells of that by a defect, which no retry and no handler of errors would see.
 */
import { Effect } from "effect"
import { type SqlClient, SqlError } from "effect/sql"

/** Runs an effect in a transaction. An error means that nothing was written, except that of a COMMIT without an answer. */
export const inTransaction = <A, E, R>(
  sql: SqlClient.SqlClient,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError.SqlError, R> =>
  Effect.catchDefect(
    sql.withTransaction(effect),
    (defect) => SqlError.isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)
  )
