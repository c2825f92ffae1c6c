/**
 * The rows of a database as text, and back: what tests of migrations start from. Only tables of our migrations; the rows of a partition
 * are those of its table. And what a schema is made of, to compare one that was migrated with one that is new.
 */
import { PgConnection } from "@effect/sql-pg"
import { Effect, Redacted, Schema } from "effect"

/** The rows of one table, each as the JSON that PostgreSQL makes of it: read here, a `bigint` would lose digits. */
const TableRows = Schema.Struct({ table: Schema.String, rows: Schema.Array(Schema.String) })
export interface TableRows extends Schema.Schema.Type<typeof TableRows> {}

const decodeTexts = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.String)))

const Line = Schema.fromJsonString(TableRows)

/** A line for each table that has rows. */
export const encodeRows = (tables: ReadonlyArray<TableRows>): string =>
  tables.map((table) => `${Schema.encodeSync(Line)(table)}\n`).join("")

export const decodeRows = (text: string): ReadonlyArray<TableRows> =>
  text.split("\n").filter((line) => line !== "").map((line) => Schema.decodeUnknownSync(Line)(line))

const connected = <A, E>(
  url: string,
  use: (
    ask: (sql: string, values?: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Record<string, unknown>>>
  ) => Effect.Effect<A, E>
) =>
  Effect.scoped(Effect.gen(function*() {
    const connection = yield* PgConnection.make({ url: Redacted.make(url) })
    return yield* use((sql, values = []) =>
      Effect.orDie(Effect.map(connection.query(sql, [...values], false), ({ rows }) => rows))
    )
  }))

/** Our tables: those of the cluster are its own, and which migrations there are is no data. */
const tablesSql = `SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> 'realms_migrations' AND c.relname NOT LIKE 'cluster%' AND c.relname NOT LIKE 'effect\\_%' ORDER BY 1`

export const tablesOf = (url: string) =>
  connected(url, (ask) => Effect.map(ask(tablesSql), (rows) => rows.map(({ name }) => String(name))))

/** All rows, but for tables that have none. */
export const readRows = (url: string) =>
  connected(url, (ask) =>
    Effect.gen(function*() {
      const found: Array<TableRows> = []
      for (const { name } of yield* ask(tablesSql)) {
        const [{ rows } = { rows: null }] = yield* ask(
          `SELECT json_agg(to_json(t)::text ORDER BY to_json(t)::text)::text AS rows
          FROM ${String(name)} t`
        )
        if (rows === null) continue
        found.push({ table: String(name), rows: decodeTexts(String(rows)) })
      }
      return found
    }))

/** Puts rows into the empty tables of a schema that has their columns. No trigger and no foreign key looks at them. */
export const writeRows = (url: string, tables: ReadonlyArray<TableRows>) =>
  connected(url, (ask) =>
    Effect.gen(function*() {
      yield* ask("BEGIN")
      yield* ask("SET LOCAL session_replication_role = replica")
      for (const { rows, table } of tables) {
        const columns = yield* ask(
          `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names FROM pg_attribute
          WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`
        )
        const names = String(columns[0]?.["names"])
        yield* ask(`DELETE FROM ${table}`)
        yield* ask(
          `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM json_populate_recordset(NULL::${table}, $1::json)`,
          [`[${rows.join(",")}]`]
        )
      }
      const identities = yield* ask(`SELECT attrelid::regclass::text AS name, attname AS column FROM pg_attribute
        WHERE attidentity <> '' AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)`)
      for (const { column, name } of identities) {
        yield* ask(`SELECT setval(pg_get_serial_sequence('${String(name)}', '${String(column)}'),
          coalesce((SELECT max(${String(column)}) FROM ${String(name)}), 0) + 1, false)`)
      }
      yield* ask("COMMIT")
    }))

/** Everything that a schema is made of, a line each; partitions come and go with time. */
const catalogSql = `
  SELECT format('column %s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid), a.attidentity) AS line
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND a.attnum > 0
      AND NOT a.attisdropped
  UNION ALL SELECT format('table %s %s', c.relname, c.reloptions) FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(o.oid))
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
    WHERE o.connamespace = 'public'::regnamespace AND NOT c.relispartition
  UNION ALL SELECT format('index %s', pg_get_indexdef(i.indexrelid)) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
  UNION ALL SELECT format('trigger %s', pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
  UNION ALL SELECT format('view %s %s', viewname, definition) FROM pg_views WHERE schemaname = 'public'
  UNION ALL SELECT format('routine %s', pg_get_functiondef(oid)) FROM pg_proc WHERE pronamespace = 'public'::regnamespace`

/** The schema's parts, in order. */
export const catalogOf = (url: string) =>
  connected(url, (ask) => Effect.map(ask(catalogSql), (rows) => rows.map(({ line }) => String(line)).toSorted()))
