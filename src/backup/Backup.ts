/**
 * Takes a backup of an installation with the embedded PostgreSQL, while servers run or not: PostgreSQL's base backup with its log, the
 * settlements that wait in outbox files, and, when it is asked for, the key file. A backup is checked against PostgreSQL's manifest before
 * it gets its name.
 */
import { Clock, DateTime, Effect, Option, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { readdir, readFile } from "node:fs/promises"
import { dirname, join, resolve } from "node:path"
import { isOutboxFile } from "../accounts/OutboxNames.ts"
import { AppConfig } from "../config/Config.ts"
import { Row } from "../domain/Row.ts"
import { keyIdsIn, masterKeyPath } from "../platform/SecretBox.ts"
import { version } from "../platform/Version.ts"
import { baseBackup } from "../postgres/BaseBackup.ts"
import { Database } from "../postgres/Database.ts"
import { hasCluster } from "../postgres/EmbeddedPostgres.ts"
import { UnmigratedLayer } from "../postgres/PostgresLayer.ts"
import { freeBytes } from "../postgres/DiskSpace.ts"
import { appliedMigrations } from "../postgres/Migrations.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { sealedKeyIds } from "../settings/SealedRows.ts"
import {
  type BackupDocument,
  DOCUMENT_PATH,
  encodeDocument,
  FILES_PATH,
  FORMAT,
  KEY_PATH,
  MANIFEST_PATH,
  OUTBOX_FOLDER
} from "./BackupDocument.ts"
import { type BackupFailed, failed, failedBy } from "./BackupFailed.ts"
import { listOthers } from "./FileSums.ts"
import { BackupWriter, isThere, unfinishedBeside } from "./BackupWriter.ts"

export interface BackupOptions {
  readonly path: string
  /** Replaces a file of that name. */
  readonly force: boolean
  /** Puts the key file into the backup. */
  readonly withKey: boolean
  /** Hears how many bytes of about how many are written. */
  readonly onProgress?: (done: number, total: number) => void
  /** Hears of each file that another backup has not finished. */
  readonly onUnfinished?: (path: string) => Effect.Effect<void>
}

export interface TakenBackup {
  readonly path: string
  readonly bytes: number
  readonly keyIds: ReadonlyArray<string>
  readonly withKey: boolean
  /** Settlements in outbox files, which the restored installation replays. */
  readonly settlements: number
}

/** PostgreSQL's manifest has some 150 bytes for each file of the cluster. */
const MANIFEST_BYTES_MAX = 268_435_456

const ServerVersion = Row({ major: Schema.String })

const describe = Effect.fnUntraced(function*(withKey: boolean) {
  const sql = yield* SqlClient.SqlClient
  const { url } = yield* Database
  const { pathname, username } = new URL(Redacted.value(url))
  const [server] = yield* rowsOf(
    ServerVersion,
    sql`SELECT (current_setting('server_version_num')::integer / 10000)::text AS major`
  )
  return {
    format: FORMAT,
    realms: version,
    postgres: server?.major ?? "",
    user: username,
    database: pathname.slice(1),
    takenAt: DateTime.formatIso(yield* DateTime.now),
    migrations: yield* appliedMigrations,
    keyIds: yield* sealedKeyIds(sql),
    withKey
  } satisfies BackupDocument
})

type OutboxLines = Map<string, Set<string>>

/**
 * Reads the outbox files. They are read before the base backup and after it: a settlement that is replayed meanwhile may be missing in
 * either. One that is in both a file and the database changes nothing when it is replayed.
 */
const readOutbox = async (dataDir: string, lines: OutboxLines): Promise<void> => {
  await Promise.all(
    (await readdir(dataDir)).filter(isOutboxFile).map(async (name) => {
      const known = lines.get(name) ?? new Set<string>()
      lines.set(name, known)
      // It may have been replayed and removed since it was listed.
      const text = await readFile(join(dataDir, name), "utf8").catch((error: unknown) => {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
        throw error
      })
      for (const line of text.split("\n")) if (line !== "") known.add(line)
    })
  )
}

/** Room that a backup leaves beside itself, for its log and for other users of the disk. */
const MARGIN_BYTES = 1_073_741_824

interface Source {
  readonly url: Redacted.Redacted<string>
  readonly dataDir: string
  readonly document: BackupDocument
  readonly nowMs: number
  /** Bytes that may be written beside the backup's place. Undefined: the system does not say. */
  readonly free: number | undefined
}

const write = async (writer: BackupWriter, source: Source, options: BackupOptions, signal: AbortSignal) => {
  const { dataDir, document, free, nowMs, url } = source
  const outbox: OutboxLines = new Map()
  const manifest: Array<Uint8Array> = []
  let total = 0
  let manifestBytes = 0
  await writer.file(DOCUMENT_PATH, encodeDocument(document), nowMs)
  await readOutbox(dataDir, outbox)
  for await (const event of baseBackup({ url, signal })) {
    if (event._tag === "Size") {
      total = event.bytes
      if (free !== undefined && free < total + MARGIN_BYTES) {
        throw failed(
          `${dirname(options.path)} has ${free} bytes free, and the backup needs some ${total + MARGIN_BYTES}`
        )
      }
    } else if (event._tag === "Archive") {
      await writer.archived(event.bytes)
      options.onProgress?.(Math.min(writer.bytes, total), total)
    } else {
      manifest.push(Uint8Array.from(event.bytes))
      manifestBytes += event.bytes.length
      if (manifestBytes > MANIFEST_BYTES_MAX) throw failed("the manifest of PostgreSQL is too large")
    }
  }
  writer.archiveEnded()
  await readOutbox(dataDir, outbox)
  const text = Buffer.concat(manifest).toString("utf8")
  await writer.file(MANIFEST_PATH, text, nowMs)
  let settlements = 0
  for await (const [name, lines] of outbox) {
    if (lines.size === 0) continue
    settlements += lines.size
    await writer.file(`${OUTBOX_FOLDER}/${name}`, `${[...lines].join("\n")}\n`, nowMs)
  }
  if (document.withKey) await writer.file(KEY_PATH, await readFile(masterKeyPath(dataDir)), nowMs)
  await writer.file(FILES_PATH, listOthers(writer.files.sums, text), nowMs)
  await writer.finish(options.force)
  options.onProgress?.(total, total)
  return settlements
}

const take = Effect.fnUntraced(function*(options: BackupOptions) {
  const { dataDir } = yield* AppConfig
  const { path } = options
  const { url } = yield* Database
  const document = yield* describe(options.withKey)
  const nowMs = yield* Clock.currentTimeMillis
  const free = yield* freeBytes(dirname(path))
  const source: Source = { url, dataDir, document, nowMs, free }
  return yield* Effect.acquireUseRelease(
    Effect.tryPromise({ try: () => BackupWriter.open(path), catch: failedBy(`${path} cannot be written`) }),
    (writer) =>
      Effect.map(
        Effect.tryPromise({
          try: (signal) => write(writer, source, options, signal),
          catch: failedBy("the backup was not finished, and nothing of it was kept")
        }),
        (settlements): TakenBackup => ({
          path,
          bytes: writer.bytes,
          keyIds: document.keyIds,
          withKey: document.withKey,
          settlements
        })
      ),
    (writer) => Effect.promise(() => writer.drop())
  )
})

/** Takes the backup of the database as it is found: one that is taken before a migration has the schema before it. */
export const backup = Effect.fn("Backup.backup")(function*(asked: BackupOptions) {
  const config = yield* AppConfig
  const path = resolve(asked.path)
  if (Option.isSome(config.database.url)) return yield* refuseExternal("backup")
  if (!asked.force && (yield* Effect.promise(() => isThere(path)))) {
    return yield* failed(`${path} exists: choose another name, or give --force`)
  }
  if (asked.withKey) yield* requireKeyFile(config.dataDir, Option.isSome(config.masterKey))
  if (!(yield* hasCluster(config.dataDir))) {
    return yield* failed(`${config.dataDir} has no database yet: there is nothing to back up`)
  }
  const unfinished = yield* Effect.promise(() => unfinishedBeside(path))
  yield* Effect.forEach(unfinished, (one) => asked.onUnfinished?.(one) ?? Effect.void, { discard: true })
  return yield* Effect.provide(take({ ...asked, path }), UnmigratedLayer)
})

/** Refuses a database that is not ours to copy. */
export const refuseExternal = (what: "backup" | "restore"): Effect.Effect<never, BackupFailed> =>
  Effect.fail(failed(
    `realms ${what} is for the embedded database, and database.url names another server: ` +
      (what === "backup"
        ? "back it up with pg_basebackup or pg_dump, or by its provider (docs/operations.md, Backup and restore)"
        : "restore it with PostgreSQL's own tools or its provider's, then run `realms audit`")
  ))

const requireKeyFile = Effect.fnUntraced(function*(dataDir: string, inEnvironment: boolean) {
  if (inEnvironment) {
    return yield* failed(
      "--with-key is for a key file, and the key is in REALMS_MASTER_KEY: keep it where it is kept now"
    )
  }
  const path = masterKeyPath(dataDir)
  if (!(yield* Effect.promise(() => isThere(path)))) {
    return yield* failed(`--with-key was given and there is no ${path}: nothing has been sealed yet`)
  }
  if (keyIdsIn(yield* Effect.promise(() => readFile(path, "utf8"))).length === 0) {
    return yield* failed(`--with-key was given and ${path} is empty: a backup of it would have no key`)
  }
})
