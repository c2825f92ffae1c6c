/**
 * How long a call waits for PostgreSQL. A server that hangs neither answers nor closes its connections, and a query that is given
 * up may need seconds to end: the waiter does not wait for that.
 */
import { Data, Effect, Fiber } from "effect"

/** Nothing on the way of a call waits longer for PostgreSQL, in ms. */
export const DATABASE_WAIT_MS_MAX = 2_000

/** PostgreSQL gave no answer within the bound. */
export class DatabaseSilent extends Data.TaggedError("DatabaseSilent")<{ readonly waitedMs: number }> {
  override get message(): string {
    return `the database gave no answer within ${this.waitedMs} ms`
  }
}

/** Waits for a query for at most `waitMs`. A query that is given up is interrupted, and its end is not waited for. */
export const withinDatabaseWait = <A, E, R>(
  query: Effect.Effect<A, E, R>,
  waitMs: number = DATABASE_WAIT_MS_MAX
): Effect.Effect<A, E | DatabaseSilent, R> =>
  Effect.flatMap(Effect.forkDetach(query, { startImmediately: true }), (fiber) =>
    Fiber.join(fiber).pipe(
      Effect.timeoutOrElse({
        duration: waitMs,
        orElse: () => Effect.fail(new DatabaseSilent({ waitedMs: waitMs }))
      }),
      Effect.onExit(() => Effect.sync(() => fiber.interruptUnsafe()))
    ))
