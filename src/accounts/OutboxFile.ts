/**
 * Settlements that could not be written before the process had to end, or that PostgreSQL will not take. They are appended to a
 * file in `data_dir`, synced to disk, and replayed at the next start. Replaying one that did land changes nothing.
 *
 * @internal
 */
import { Effect, FileSystem, Schema } from "effect"
import { dirname } from "node:path"
import { idFromText, UserId } from "../domain/Ids.ts"
import type { Commit, Void } from "./AccountState.ts"
import { SettlementCommand } from "./CommandSchema.ts"

const StoredItem = Schema.Struct({
  userId: idFromText(UserId),
  command: SettlementCommand
})

const Line = Schema.fromJsonString(StoredItem)
const decodeLine = Schema.decodeUnknownEffect(Line)

/** Never fails, as a schema might: what is not written here is lost. Amounts and ids are decimal text. */
const encodeLine = (item: OutboxItem): string =>
  JSON.stringify(item, (_, value: unknown) => typeof value === "bigint" ? value.toString() : value)

/** A settlement and whose it is. */
export interface OutboxItem {
  readonly userId: UserId
  readonly command: Commit | Void
}

/** Appends settlements to the file, which is made with its folder when there is none, and syncs it to disk. */
export const appendToOutbox = Effect.fn("OutboxFile.append")(
  function*(path: string, commands: ReadonlyArray<OutboxItem>) {
    const fs = yield* FileSystem.FileSystem
    // The file may end in half a line, where the disk was full or the power went: it must take no whole one with it.
    const lines = ["\n", ...commands.map((item) => `${encodeLine(item)}\n`)]
    // With a database elsewhere nothing else may have needed the folder before.
    yield* fs.makeDirectory(dirname(path), { recursive: true, mode: 0o711 })
    yield* Effect.scoped(Effect.gen(function*() {
      const file = yield* fs.open(path, { flag: "a", mode: 0o600 })
      yield* file.writeAll(new TextEncoder().encode(lines.join("")))
      yield* file.sync
    }))
    // A new file is only as durable as its entry in the folder. Where a folder cannot be opened (Windows) there is no such step.
    yield* Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(dirname(path)), (folder) => folder.sync)))
  }
)

/** Reads a file. Lines that cannot be read - one cut short by a crash - are given back as they are. */
export const readOutbox = Effect.fn("OutboxFile.read")(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const commands: Array<OutboxItem> = []
  const unreadable: Array<string> = []
  const text = (yield* fs.exists(path)) ? yield* fs.readFileString(path) : ""
  for (const line of text.split("\n")) {
    if (line === "") continue
    const item = yield* Effect.result(decodeLine(line))
    if (item._tag === "Success") {
      commands.push(item.success)
    } else {
      unreadable.push(line)
      yield* Effect.logError("a settlement in the outbox file cannot be read; it is kept apart", {
        path: `${path}.unreadable`
      })
    }
  }
  return { commands, unreadable }
})
