/**
 * A lock between processes: a lock of the operating system on an SQLite file, so it ends with its holder however that ends, and is
 * never stale. Two holders in one process exclude each other, too.
 */
import { Data, Effect, type Scope } from "effect"
import { DatabaseSync } from "node:sqlite"
import { causeText } from "./EmbeddedPostgresError.ts"

/** SQLite's result code for "another connection holds the lock". */
const SQLITE_BUSY = 5

/** The file cannot be used as a lock: it cannot be opened, or its file system has no locks. */
export class FileLockFailed extends Data.TaggedError("FileLockFailed")<{ readonly message: string }> {}

export interface FileLock {
  /** Takes the lock, which is held until the scope closes; false at once when another holds it. */
  readonly tryToTake: Effect.Effect<boolean, FileLockFailed>
}

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && "errcode" in cause && cause.errcode === SQLITE_BUSY

/** SQLite's result codes for a file that is no database of its own. */
const SQLITE_DAMAGED: ReadonlySet<unknown> = new Set([11, 26])

const failure = (path: string, what: string, cause: unknown): FileLockFailed => {
  const isDamaged = cause instanceof Error && "errcode" in cause && SQLITE_DAMAGED.has(cause.errcode)
  // What is in the file is of no value.
  const advice = isDamaged ? ". Remove it while no process of Realms uses the folder; it is made again" : ""
  return new FileLockFailed({ message: `${path} cannot be ${what}: ${causeText(cause)}${advice}` })
}

/** The lock at a path; its folder has to be there. */
export const openFileLock = (path: string): Effect.Effect<FileLock, FileLockFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => new DatabaseSync(path, { timeout: 0 }),
      catch: (cause) => failure(path, "opened", cause)
    }),
    (file) => Effect.sync(() => file.close())
  ).pipe(Effect.map((file) => ({
    tryToTake: Effect.suspend(() => {
      try {
        file.exec("BEGIN EXCLUSIVE")
        return Effect.succeed(true)
      } catch (cause) {
        if (isBusy(cause)) return Effect.succeed(false)
        return Effect.fail(failure(path, "locked", cause))
      }
    })
  })))
