/**
 * Restores a backup into an empty data folder: what can be known to be wrong is said before anything is written; then the files, which
 * are checked, PostgreSQL's recovery, and at the end the names that an installation has. What fails in between leaves a folder
 * `postgres.unfinished`, which no server starts on.
 */
import { Effect, Option, Redacted } from "effect"
import { lstat, readdir, readFile, stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { isOutboxFile } from "../accounts/OutboxNames.ts"
import { AppConfig } from "../config/Config.ts"
import { keyIdsIn, masterKeyPath } from "../platform/SecretBox.ts"
import { freeBytes } from "../postgres/DiskSpace.ts"
import { requireKnown } from "../postgres/Migrations.ts"
import { finish, moveOut, openInstallation, recover, restoreInto } from "../postgres/RestoredCluster.ts"
import { DROP_WAITING_SQL } from "../notices/DroppedNotices.ts"
import { refuseExternal } from "./Backup.ts"
import { type BackupDocument, KEY_PATH, OUTBOX_FOLDER } from "./BackupDocument.ts"
import { failed, failedBy } from "./BackupFailed.ts"
import { extract, readDocument } from "./BackupReader.ts"

export interface RestoreOptions {
  readonly path: string
  /** Restores although the master key is not at hand: its sealed secrets cannot be opened until it is. */
  readonly withoutKey: boolean
  /** Hears how many bytes of how many are read. */
  readonly onProgress?: (done: number, total: number) => void
  /** Hears what begins. */
  readonly onStage?: (stage: string) => Effect.Effect<void>
}

export interface RestoredBackup {
  readonly document: BackupDocument
  readonly dataDir: string
  /** The ids of the keys that are needed and not at hand. */
  readonly missingKeyIds: ReadonlyArray<string>
}

/** The key ids at hand: of the environment, else of the key file in the data folder. `inFolder`: there is such a file, whatever is in it. */
const keyIdsAtHand = Effect.fnUntraced(function*() {
  const { dataDir, masterKey } = yield* AppConfig
  const path = masterKeyPath(dataDir)
  const text = Option.isSome(masterKey)
    ? Redacted.value(masterKey.value).replaceAll(",", "\n")
    : yield* Effect.promise(() => readFile(path, "utf8").catch(() => ""))
  return {
    ids: keyIdsIn(text),
    inEnvironment: Option.isSome(masterKey),
    inFolder: yield* Effect.promise(() => lstat(path).then(() => true, () => false))
  }
})

/** The ids of keys that the restored installation will miss. Fails where that is not wanted. */
const requireKeys = Effect.fnUntraced(function*(document: BackupDocument, withoutKey: boolean) {
  const { dataDir } = yield* AppConfig
  const { ids, inEnvironment, inFolder } = yield* keyIdsAtHand()
  if (document.withKey && inFolder) {
    return yield* failed(`the backup has its master key: remove ${masterKeyPath(dataDir)} first. Nothing was changed`)
  }
  if (document.withKey && !inEnvironment) return []
  const missing = document.keyIds.filter((id) => !ids.includes(id))
  if (missing.length > 0 && !withoutKey) {
    return yield* failed(
      `secrets in this backup are sealed by the master key ${missing.join(", ")}, which is not at hand. Set ` +
        `REALMS_MASTER_KEY, or put the key file at ${masterKeyPath(dataDir)} (mode 0600). Or give --without-key: the ` +
        "server does not start until the key is there. Nothing was changed"
    )
  }
  return missing
})

const outboxIn = (folder: string) =>
  Effect.promise(async () => {
    const names = await readdir(join(folder, OUTBOX_FOLDER)).catch((): ReadonlyArray<string> => [])
    return names.filter(isOutboxFile).map((name) => ({ from: join(folder, OUTBOX_FOLDER, name), name }))
  })

/** Restores a backup; afterwards the database can be used like any other of this data folder. */
export const restore = Effect.fn("Restore.restore")(function*(options: RestoreOptions) {
  const config = yield* AppConfig
  const { dataDir } = config
  const path = resolve(options.path)
  if (Option.isSome(config.database.url)) return yield* refuseExternal("restore")
  const document = yield* Effect.tryPromise({
    try: () => readDocument(path),
    catch: failedBy(`${path} cannot be restored`)
  })
  yield* requireKnown(document.migrations)
  const missingKeyIds = yield* requireKeys(document, options.withoutKey)
  const installation = yield* openInstallation(dataDir)
  if (installation.binaries.major !== document.postgres) {
    return yield* failed(
      `the backup is of PostgreSQL ${document.postgres}, and this version of realms has ${installation.binaries.major}: ` +
        "restore it with the version that made it"
    )
  }
  const { size } = yield* Effect.tryPromise({ try: () => stat(path), catch: failedBy(`${path} cannot be read`) })
  const free = yield* freeBytes(dataDir)
  if (free !== undefined && free < size) {
    return yield* failed(`${dataDir} has ${free} bytes free, and the backup needs ${size}`)
  }
  yield* restoreInto(installation, (folder) =>
    Effect.gen(function*() {
      yield* Effect.tryPromise({
        try: (signal) => extract(path, { folder, signal, onProgress: options.onProgress ?? (() => undefined) }),
        catch: failedBy(
          `${path} cannot be restored (what was written is in ${folder}, and is of no use: remove it)`
        )
      })
      yield* options.onStage?.("the files are whole; PostgreSQL recovers them by its log") ?? Effect.void
      yield* recover(installation, {
        folder,
        role: document.user,
        database: document.database,
        statements: [DROP_WAITING_SQL]
      })
      const key = document.withKey ? [{ from: join(folder, KEY_PATH), name: "master.key" }] : []
      yield* moveOut(installation.home.dataDir, [...key, ...yield* outboxIn(folder)])
      yield* finish(installation, folder, "realms")
    }))
  return { document, dataDir, missingKeyIds } satisfies RestoredBackup
})
