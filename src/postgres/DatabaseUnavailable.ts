/**
 * The database cannot answer now: one error for it everywhere, and how long a call waits before it says so. A server that hangs
 * neither answers nor closes its connections, and a query that is given up may need seconds to end: the waiter does not wait for
 * that.
 */
import { Effect, Fiber, Schema } from "effect"
import { SqlError } from "effect/sql"

/** Nothing on the way of a call waits longer for PostgreSQL, in ms. */
export const DATABASE_WAIT_MS_MAX = 2_000

/** The database did not answer, or not in time. Trying again later is safe. */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()("DatabaseUnavailable", {
  /** For the log. */
  reason: Schema.String
}) {
  override readonly message = `the database did not answer: ${this.reason}`
}

/** Any failure of a database query as {@link DatabaseUnavailable}. */
export const databaseUnavailable = (error: { readonly message: string }): DatabaseUnavailable =>
  error instanceof DatabaseUnavailable ? error : new DatabaseUnavailable({ reason: error.message })

/** The database's failures of an effect as {@link DatabaseUnavailable}; its other failures stay what they are. */
export const orUnavailable = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, SqlError.SqlError> => SqlError.isSqlError(error),
    (error) => Effect.fail(databaseUnavailable(error))
  )

/** Waits for a query for at most `waitMs`. A query that is given up is interrupted, and its end is not waited for. */
export const withinDatabaseWait = <A, E, R>(
  query: Effect.Effect<A, E, R>,
  waitMs: number = DATABASE_WAIT_MS_MAX
): Effect.Effect<A, E | DatabaseUnavailable, R> =>
  Effect.flatMap(Effect.forkDetach(query, { startImmediately: true }), (fiber) =>
    Fiber.join(fiber).pipe(
      Effect.timeoutOrElse({
        duration: waitMs,
        orElse: () => Effect.fail(new DatabaseUnavailable({ reason: `no answer within ${waitMs} ms` }))
      }),
      Effect.onExit(() => Effect.sync(() => fiber.interruptUnsafe()))
    ))
