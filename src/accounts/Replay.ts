/**
 * Replays settlements of the outbox file, and those that were set aside. A file is renamed first, so that what is written
 * meanwhile goes into a new one. A crash in between replays the file again, which changes nothing.
 *
 * @internal
 */
import { Effect, FileSystem } from "effect"
import type { AccountError } from "./AccountError.ts"
import type { Answer } from "./AccountState.ts"
import { appendToOutbox, type OutboxItem, readOutbox } from "./OutboxFile.ts"

export interface ReplayOptions {
  readonly paths: ReadonlyArray<string>
  /** Where settlements of users that are not there are kept for people to look at. */
  readonly keepAt: string
  readonly submit: (item: OutboxItem) => Effect.Effect<Answer, AccountError>
}

/** Replays a file that nobody writes any more, and removes it. */
const replayTaken = Effect.fn("Replay.taken")(function*(path: string, replaying: string, options: ReplayOptions) {
  const fs = yield* FileSystem.FileSystem
  const { commands, unreadable } = yield* readOutbox(replaying)
  if (commands.length > 0) {
    yield* Effect.logInfo("replaying settlements that an earlier stop left behind", { count: commands.length, path })
  }
  const results = yield* Effect.forEach(commands, (item) => Effect.result(options.submit(item)), {
    concurrency: "unbounded"
  })
  // One that PostgreSQL still refuses has been set aside again by its account.
  const left = commands.filter((_, index) => {
    const result = results[index]
    return result !== undefined && result._tag === "Failure" && result.failure._tag === "UnknownAccount"
  })
  if (left.length > 0) yield* appendToOutbox(options.keepAt, left)
  if (unreadable.length > 0) {
    yield* fs.writeFileString(`${path}.unreadable`, `${unreadable.join("\n")}\n`, { flag: "a" })
  }
  yield* fs.remove(replaying, { force: true })
})

const replayFile = Effect.fn("Replay.file")(function*(path: string, options: ReplayOptions) {
  const fs = yield* FileSystem.FileSystem
  const replaying = `${path}.replaying`
  // What an earlier replay did not finish, then what was written since.
  if (yield* fs.exists(replaying)) yield* replayTaken(path, replaying, options)
  if (!(yield* fs.exists(path))) return
  yield* fs.rename(path, replaying)
  yield* replayTaken(path, replaying, options)
})

/** Replays the files, one after the other. */
export const replayFiles = (options: ReplayOptions): Effect.Effect<void, never, FileSystem.FileSystem> =>
  Effect.forEach(options.paths, (path) =>
    replayFile(path, options).pipe(
      Effect.catch((error) => Effect.logError("settlements could not be replayed; they stay in their file", error))
    ), { discard: true })
