/**
 * Brings the database to the schema of this version: the files `migrations/NNNN_name.sql`, in order, all that are pending
 * in one transaction under a lock, so that of several processes starting at once one does it and a failure leaves
 * nothing half done. A database of a newer Realms or of an unreleased one, which has other migrations, is an error.
 */
import { Context, Effect, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { Row } from "../domain/Row.ts"
import { MigrationError } from "./MigrationError.ts"
import { oneRowOf, rowsOf } from "./Rows.ts"
import { classifySqlError } from "./SqlFailure.ts"
import { splitSql } from "./SqlSplit.ts"

export { MigrationError } from "./MigrationError.ts"

/** Advisory lock held while migrating. */
const MIGRATION_LOCK = "7224150619238402"
const LOCK_WAIT_MS = 120_000

const FILE_PATTERN = /^(\d{4})_([a-z0-9_]+)\.sql$/

interface Migration {
  readonly id: number
  readonly name: string
  readonly checksum: string
  readonly text: string
}

/** A migration that a database has. */
export const AppliedMigration = Row({ id: Schema.Number, name: Schema.String, checksum: Schema.String })
export interface AppliedMigration extends Schema.Schema.Type<typeof AppliedMigration> {}

const TableThere = Row({ there: Schema.Boolean })

const isPackageRoot = (folder: string): boolean => {
  const path = join(folder, "package.json")
  if (!existsSync(path)) return false
  const { name }: { readonly name?: unknown } = JSON.parse(readFileSync(path, "utf8"))
  return name === "realms"
}

const findUp = (folder: string): string => {
  if (isPackageRoot(folder)) return join(folder, "migrations")
  const parent = dirname(folder)
  return parent === folder ? join(process.cwd(), "migrations") : findUp(parent)
}

/** Where the migrations are; the package's own folder unless a test brings others. */
export const MigrationsFolder = Context.Reference<string>("realms/postgres/MigrationsFolder", {
  defaultValue: () => findUp(import.meta.dirname)
})

/** The same on every machine, whatever git made of the line ends. */
const checksumOf = (text: string): string => createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex")

const readMigration = async (folder: string, file: string): Promise<Migration> => {
  const [, id = "", name = ""] = FILE_PATTERN.exec(file) ?? []
  const text = await readFile(join(folder, file), "utf8")
  return { id: Number(id), name, checksum: checksumOf(text), text }
}

const readMigrations = Effect.fnUntraced(function*(folder: string) {
  const migrations = yield* Effect.tryPromise({
    try: async () => {
      const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).toSorted()
      const odd = files.find((file) => !FILE_PATTERN.test(file))
      if (odd !== undefined) throw new Error(`${odd} is not named NNNN_name.sql`)
      return Promise.all(files.map((file) => readMigration(folder, file)))
    },
    catch: (cause) => new MigrationError({ message: `The migrations in ${folder} cannot be read: ${String(cause)}` })
  })
  const twice = migrations.find((migration, index) => migrations[index - 1]?.id === migration.id)
  if (twice === undefined) return migrations
  return yield* new MigrationError({ message: `Two migrations have the number ${twice.id}` })
})

const label = ({ id, name }: AppliedMigration): string => `${String(id).padStart(4, "0")}_${name}`

/** What to do about a database whose migrations are not this version's. */
const START_EMPTY = "start with a new data_dir, or set DATABASE_URL to a new database"

/** Why these applied migrations and these files do not go together, if they do not. */
const mismatch = (
  applied: ReadonlyArray<AppliedMigration>,
  migrations: ReadonlyArray<Migration>
): string | undefined => {
  const known = new Map(migrations.map((migration) => [migration.id, migration]))
  const newest = migrations.at(-1)?.id ?? 0
  const lastApplied = applied.at(-1)?.id ?? 0
  for (const row of applied) {
    const file = known.get(row.id)
    if (file === undefined && row.id > newest) {
      return `The database was written by a newer Realms (migration ${label(row)} is unknown here): start that version`
    }
    if (file?.name !== row.name) {
      return `The database was made by an unreleased version of Realms and cannot be brought to this one: it has the ` +
        `migration ${label(row)}, ${file === undefined ? "which is unknown here" : `here it is ${label(file)}`}. ` +
        `To go on without its data, ${START_EMPTY}.`
    }
    if (file.checksum !== row.checksum) {
      return `Migration ${label(file)} was changed after it was applied to the database. If you changed it, restore ` +
        `it and add a new one. If an unreleased version of Realms made the database, ${START_EMPTY}.`
    }
  }
  const appliedIds = new Set(applied.map((row) => row.id))
  const late = migrations.find((migration) => migration.id < lastApplied && !appliedIds.has(migration.id))
  return late && `Migration ${label(late)} comes before ${lastApplied}, which was already applied: give it a new number`
}

const whyFailed = (error: SqlError): string => {
  const { cause, message } = error.reason
  return cause instanceof Error ? `${message ?? ""} ${cause.message}`.trim() : message ?? error.message
}

/** Other servers are at work meanwhile: a transaction that met them at a lock is tried again as a whole. */
const isConflict = (error: SqlError): boolean => classifySqlError(error) === "deadlock"

const CONFLICT_RETRIES_MAX = 5

const applyMigration = Effect.fnUntraced(function*(migration: Migration) {
  const sql = yield* SqlClient.SqlClient
  const statements = splitSql(migration.text)
  for (const [index, statement] of statements.entries()) {
    yield* Effect.mapError(sql.unsafe(statement).unprepared, (error) =>
      isConflict(error) ? error : new MigrationError({
        message: `Migration ${label(migration)} failed at statement ${index + 1} of ${statements.length} ` +
          `(${statement.slice(0, 60).replaceAll(/\s+/g, " ")}...): ${whyFailed(error)}`
      }))
  }
  const { checksum, id, name } = migration
  yield* sql`INSERT INTO realms_migrations ${sql.insert({ id, name, checksum })}`
  yield* Effect.logInfo(`migration ${label(migration)} applied`)
})

/** Whether a database has a table, whatever version made it. */
export const hasTable = (sql: SqlClient.SqlClient, name: string): Effect.Effect<boolean, SqlError> =>
  Effect.map(
    oneRowOf(TableThere, sql`SELECT to_regclass(${name}) IS NOT NULL AS there`.unprepared),
    ({ there }) => there
  )

const readApplied = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return yield* rowsOf(
    AppliedMigration,
    sql`SELECT id, name, checksum FROM realms_migrations ORDER BY id`.unprepared
  )
})

/** The migrations that the database has, whatever version made it; none where it is empty. */
export const appliedMigrations = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  return (yield* hasTable(sql, "realms_migrations")) ? yield* readApplied : []
})

/** Fails where these migrations of a database and this version do not go together. */
export const requireKnown = Effect.fnUntraced(function*(applied: ReadonlyArray<AppliedMigration>) {
  const problem = mismatch(applied, yield* readMigrations(yield* MigrationsFolder))
  if (problem !== undefined) return yield* new MigrationError({ message: problem })
})

const runPending = Effect.fnUntraced(function*(migrations: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  // A migration may take longer than a call, and so may the wait for another process that is migrating.
  yield* sql.unsafe(`SET LOCAL lock_timeout = ${LOCK_WAIT_MS}`).unprepared
  yield* sql.unsafe("SET LOCAL statement_timeout = 0").unprepared
  yield* sql.unsafe(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`).unprepared
  yield* sql`CREATE TABLE IF NOT EXISTS realms_migrations (
    id integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`.unprepared
  const applied = yield* readApplied
  const problem = mismatch(applied, migrations)
  if (problem !== undefined) return yield* new MigrationError({ message: problem })
  const appliedIds = new Set(applied.map((row) => row.id))
  const pending = migrations.filter((migration) => !appliedIds.has(migration.id))
  yield* Effect.forEach(pending, applyMigration, { discard: true })
  return pending.map(label)
})

/** Applies what is pending; `applied` are the names of the migrations that this call ran. */
export const runMigrations: Effect.Effect<
  { readonly applied: ReadonlyArray<string> },
  MigrationError,
  SqlClient.SqlClient
> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const migrations = yield* readMigrations(yield* MigrationsFolder)
  const applied = yield* sql.withTransaction(runPending(migrations)).pipe(
    Effect.retry({
      while: (error) => error._tag === "SqlError" && isConflict(error),
      schedule: Schedule.exponential("200 millis").pipe(Schedule.jittered),
      times: CONFLICT_RETRIES_MAX
    })
  )
  return { applied }
}).pipe(
  Effect.catchTag("SqlError", (error) => new MigrationError({ message: `The database refused: ${whyFailed(error)}` })),
  Effect.withSpan("Migrations.run")
)
