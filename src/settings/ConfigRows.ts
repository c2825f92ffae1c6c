/**
 * Rows that are managed in the configuration, in their tables. They are written at the start, in one transaction and by one process
 * at a time; the other processes are told only when a row has really changed.
 */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { publish, type Topic } from "../platform/Notifications.ts"
import { type ColumnValue, recordsetOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"

/** Of the advisory lock under which these rows are written. */
const CONFIG_ROWS_LOCK = 7_304_160_527n

/**
 * Runs `write`, which answers how many rows it changed; publishes on `topic` if there were any.
 */
export const writeConfigRows = (
  topic: Topic,
  write: (sql: SqlClient.SqlClient) => Effect.Effect<number, SqlError.SqlError>
): Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* inTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql`SELECT pg_advisory_xact_lock(${CONFIG_ROWS_LOCK})`
        const changed = yield* write(sql)
        if (changed > 0) yield* publish(sql, topic, "declared")
      })
    )
  })

interface ConfigTable {
  readonly table: "models" | "subscription_plans" | "channels" | "user_groups"
  /** The column that names a row in the file. */
  readonly key: "id" | "code" | "name"
}

/** Disables the rows that came from the file and are gone from it: other rows refer to them. Answers how many. */
export const disableGone = (
  sql: SqlClient.SqlClient,
  { key, table }: ConfigTable,
  inFile: string
): Effect.Effect<number, SqlError.SqlError> =>
  Effect.map(
    sql`
      UPDATE ${sql(table)} SET disabled_at = now(), updated_at = now()
        WHERE declared AND disabled_at IS NULL
          AND ${sql(key)} NOT IN (
            SELECT d.${sql(key)} FROM jsonb_to_recordset(${inFile}::jsonb) AS d (${sql(key)} text))
        RETURNING id`,
    ({ length }) => length
  )

interface ConfigContent extends ConfigTable {
  /** All but the key's. */
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Readonly<Record<string, ColumnValue>>>
}

/** Makes a table say what the file says, and leaves alone what is so already. Answers how many rows it changed. */
export const writeConfigTable = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { columns, key, rows, table }: ConfigContent
) {
  const inFile = recordsetOf(rows)
  const all = sql.literal(columns.join(", "))
  const of = (from: "t" | "d" | "excluded") => sql.literal(columns.map((column) => `${from}.${column}`).join(", "))
  const written = yield* sql`
    INSERT INTO ${sql(table)} AS t (${sql(key)}, ${all}, declared)
      SELECT d.${sql(key)}, ${of("d")}, true FROM jsonb_populate_recordset(NULL::${sql(table)}, ${inFile}::jsonb) AS d
      ON CONFLICT (${sql(key)}) DO UPDATE SET (${all}) = ROW (${of("excluded")}), declared = true, disabled_at = NULL,
          updated_at = now()
        WHERE (${of("t")}, t.declared, t.disabled_at) IS DISTINCT FROM (${of("excluded")}, true, NULL::timestamptz)
      RETURNING t.id`
  return written.length + (yield* disableGone(sql, { table, key }, inFile))
})

/** Makes a table of the catalog say what the file says. */
export const writeCatalogTable = (content: ConfigContent) =>
  writeConfigRows("catalog", (sql) => writeConfigTable(sql, content))
