/**
 * The file with the master keys of an installation that is given none by its environment: one a line, the newest first, of mode
 * 0600. It is written beside, synced to disk and moved into place, so that nobody ever finds half of it, after a power loss neither.
 * One that is there and empty, as a power loss left those of older versions, is the same as none.
 * @internal
 */
import { Data, Effect, type FileSystem, type PlatformError, Semaphore } from "effect"
import { randomBytes } from "node:crypto"
import { join } from "node:path"

const FILE_NAME = "master.key"
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const KEY_BYTES = 32

/** Keys kept, at most: the older ones open backups only. */
const KEYS_MAX = 20

export interface KeyFile {
  readonly path: string
  /** The keys; none when there is no file, or an empty one. */
  readonly read: Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError>
  /** The same; a first key is made for a missing or empty file. It fails, and makes no key, when an earlier read found keys. */
  readonly readOrMake: Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError | KeysLost>
  /** Why the file has no keys. */
  readonly absence: Effect.Effect<"empty" | "missing", PlatformError.PlatformError>
  /** Puts a new key before the others. */
  readonly prepend: Effect.Effect<ReadonlyArray<string>, PlatformError.PlatformError>
}

/** The file had keys since this process began, and has none any more. */
export class KeysLost extends Data.TaggedError("KeysLost")<{ readonly message: string }> {}

/** Where the key file of a data folder is. */
export const masterKeyPath = (dataDir: string): string => join(dataDir, FILE_NAME)

const newKey = (): string => randomBytes(KEY_BYTES).toString("hex")

export const makeKeyFile = (fs: FileSystem.FileSystem, dataDir: string): KeyFile => {
  const path = masterKeyPath(dataDir)
  const lock = Semaphore.makeUnsafe(1)

  let hadKeys = false

  const read = fs.readFileString(path).pipe(
    Effect.map((text) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "")),
    Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed<ReadonlyArray<string>>([])),
    Effect.tap((keys) =>
      Effect.sync(() => {
        hadKeys ||= keys.length > 0
      })
    )
  )

  /** A new file beside the other, on disk. */
  const writeBeside = Effect.fnUntraced(function*(keys: ReadonlyArray<string>) {
    const beside = `${path}.${randomBytes(8).toString("hex")}`
    yield* fs.makeDirectory(dataDir, { recursive: true, mode: FOLDER_MODE })
    yield* Effect.scoped(Effect.gen(function*() {
      const file = yield* fs.open(beside, { flag: "wx", mode: FILE_MODE })
      yield* file.writeAll(new TextEncoder().encode(`${keys.join("\n")}\n`))
      yield* file.sync
    }))
    return beside
  })

  /** The names in the folder, on disk. Where a folder cannot be opened (Windows) there is no such step. */
  const syncFolder = Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(dataDir), (folder) => folder.sync)))

  const write = Effect.fnUntraced(function*(keys: ReadonlyArray<string>) {
    const beside = yield* writeBeside(keys)
    yield* fs.rename(beside, path)
    yield* syncFolder
  })

  const prepend = Effect.gen(function*() {
    yield* write([newKey(), ...yield* read].slice(0, KEYS_MAX))
    return yield* read
  })

  /** Puts a key into a file that has none, in place: of two processes that do so at once both keys are there, in one order. */
  const fill = Effect.scoped(Effect.gen(function*() {
    const file = yield* fs.open(path, { flag: "a" })
    yield* file.writeAll(new TextEncoder().encode(`\n${newKey()}\n`))
    yield* file.sync
  }))

  /** Of two processes that make it at once one links first, and both go on with that one's. */
  const makeFirst = Effect.gen(function*() {
    const beside = yield* writeBeside([newKey()])
    yield* fs.link(beside, path).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.ensuring(Effect.ignore(fs.remove(beside)))
    )
    yield* syncFolder
    const keys = yield* read
    if (keys.length > 0) return keys
    yield* fill
    return yield* read
  })

  const readOrMake = Effect.gen(function*() {
    const had = hadKeys
    const keys = yield* read
    if (keys.length > 0) return keys
    if (!had) return yield* makeFirst
    return yield* new KeysLost({
      message:
        `${path} had the master key and has none any more. No new one is made, because it would not open what the lost ` +
        "one has sealed: put the file back, or restart with REALMS_MASTER_KEY"
    })
  })

  return {
    path,
    read,
    readOrMake: readOrMake.pipe(lock.withPermits(1)),
    absence: Effect.map(fs.exists(path), (isThere) => isThere ? "empty" : "missing"),
    prepend: prepend.pipe(lock.withPermits(1))
  }
}
