/**
 * How rows declared in the configuration get into their tables: in one transaction, one process at a time, telling the
 * others only when something has really changed.
 */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Notifications, type Topic } from "../platform/Notifications.ts"
import { inTransaction } from "../postgres/Transaction.ts"

/** Of the advisory lock under which declared rows are written. */
const DECLARE_LOCK = 7_304_160_527n

/**
 * Runs `write`, which answers how many rows it changed; publishes on `topic` if there were any.
 */
export const writeDeclared = (
  topic: Topic,
  write: (sql: SqlClient.SqlClient) => Effect.Effect<number, SqlError.SqlError>
): Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient | Notifications> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const notifications = yield* Notifications
    yield* inTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql`SELECT pg_advisory_xact_lock(${DECLARE_LOCK})`
        const changed = yield* write(sql)
        if (changed > 0) yield* notifications.publish(topic, "declared")
      })
    )
  })
