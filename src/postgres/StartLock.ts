/**
 * The lock of a data folder under which its embedded PostgreSQL is started or stopped.
 * @internal
 */
import { Effect, Schedule, Scope } from "effect"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { openFileLock } from "./FileLock.ts"

const POLL_MS = 50

/** Runs an effect alone among all processes that use the lock file of a data folder. */
export const withStartLock = (
  { dataDir, lockPath: path }: { readonly dataDir: string; readonly lockPath: string },
  waitMs: number
) => {
  const fail = (message: string) => new EmbeddedPostgresError({ dataDir, message })
  const take = Effect.gen(function*() {
    const lock = yield* openFileLock(path)
    yield* Effect.repeat(lock.tryToTake, { until: (taken) => taken, schedule: Schedule.spaced(POLL_MS) })
  }).pipe(
    Effect.mapError(({ message }) => fail(message)),
    Effect.timeoutOrElse({
      duration: waitMs,
      orElse: () => Effect.fail(fail(`Another process has been starting or stopping PostgreSQL for ${waitMs} ms.`))
    })
  )
  // The lock has a scope of its own: what the effect adds to its own scope lives on.
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | EmbeddedPostgresError, R> =>
    Effect.acquireUseRelease(
      Scope.make(),
      (scope) => Effect.andThen(Scope.provide(take, scope), effect),
      (scope, exit) => Scope.close(scope, exit)
    )
}
