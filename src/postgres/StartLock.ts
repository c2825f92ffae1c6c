/**
 * A lock between processes on one data folder, held while the embedded PostgreSQL is started or stopped. It is a lock
 * of the operating system on an SQLite file, so it ends with its holder however that ends, and is never stale.
 * @internal
 */
import { Effect, Schedule } from "effect"
import { DatabaseSync } from "node:sqlite"
import { causeText, EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

const POLL_MS = 50

/** SQLite's result code for "another connection holds the lock". */
const SQLITE_BUSY = 5

class LockBusy {
  readonly _tag = "LockBusy"
}

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY

/** Runs an effect alone among all processes that use the lock file of a data folder. */
export const withStartLock = (
  { dataDir, lockPath: path }: { readonly dataDir: string; readonly lockPath: string },
  waitMs: number
) => {
  const fail = (message: string) => new EmbeddedPostgresError({ dataDir, message })
  const open = Effect.try({
    try: () => new DatabaseSync(path, { timeout: 0 }),
    catch: (cause) => fail(`${path} cannot be opened: ${causeText(cause)}`)
  })
  const take = (file: DatabaseSync) =>
    Effect.try({
      try: () => file.exec("BEGIN EXCLUSIVE"),
      catch: (cause) => isBusy(cause) ? new LockBusy() : fail(`${path} cannot be locked: ${causeText(cause)}`)
    }).pipe(
      Effect.retry({ while: (error) => error._tag === "LockBusy", schedule: Schedule.spaced(POLL_MS) }),
      Effect.catchTag("LockBusy", () => Effect.die(new Error("retried for ever"))),
      Effect.timeoutOrElse({
        duration: waitMs,
        orElse: () => Effect.fail(fail(`Another process has been starting or stopping PostgreSQL for ${waitMs} ms.`))
      })
    )
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | EmbeddedPostgresError, R> =>
    Effect.acquireUseRelease(
      open,
      (file) => Effect.andThen(take(file), effect),
      (file) => Effect.sync(() => file.close())
    )
}
