/**
 * Every place where a sealed secret is stored. The start checks that each of them opens: a wrong or missing master key stops the
 * start, and nothing is lost. A rotation seals all of them again in one transaction.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type MasterKeyInvalid, MasterKeyWrong, type SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"
import { hasTable } from "../postgres/Migrations.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"

interface SealedTable {
  readonly table: string
  readonly id: string
  readonly idType: "text" | "bigint"
  readonly sealed: string
  /** Before the id, as the seal names it. */
  readonly place: string
}

const tables: ReadonlyArray<SealedTable> = [
  { table: "app_settings", id: "key", idType: "text", sealed: "secret", place: "setting" },
  { table: "channel_keys", id: "id", idType: "bigint", sealed: "key_sealed", place: "channel_key" },
  { table: "totp_factors", id: "user_id", idType: "bigint", sealed: "secret_sealed", place: "totp" },
  { table: "redemption_batches", id: "id", idType: "bigint", sealed: "codes_sealed", place: "codes" },
  { table: "webhook_secrets", id: "id", idType: "bigint", sealed: "secret_sealed", place: "webhook_secret" }
]

/** Rows read at once; a batch of codes has some 25 kB. */
const PAGE_ROWS = 100

const SealedSecret = Row({ id: Schema.String, bytes: Schema.Uint8Array, keyId: Schema.String })
interface SealedSecret extends Schema.Schema.Type<typeof SealedSecret> {}

const columnsOf = ({ id, sealed }: SealedTable): string => `${id}::text AS id, ${sealed} AS bytes, key_id`

/** One row for each key that has sealed any: what opens one of them opens all. */
const oneOfEachKey = (table: SealedTable, sql: SqlClient.SqlClient) =>
  rowsOf(
    SealedSecret,
    sql.unsafe(
      `SELECT DISTINCT ON (key_id) ${columnsOf(table)} FROM ${table.table} WHERE key_id IS NOT NULL ORDER BY key_id`
    )
  )

const rowsAfter = (table: SealedTable, sql: SqlClient.SqlClient, after: string | undefined) =>
  rowsOf(
    SealedSecret,
    sql.unsafe(
      `SELECT ${columnsOf(table)} FROM ${table.table}
      WHERE ${table.sealed} IS NOT NULL AND ($1::text IS NULL OR ${table.id} > $1::${table.idType})
      ORDER BY ${table.id} LIMIT ${PAGE_ROWS}`,
      [after ?? null]
    )
  )

const wrong = (place: string, { reason }: SecretUnreadable, source: string): MasterKeyWrong =>
  new MasterKeyWrong({
    message:
      `the stored secret ${place} cannot be opened: ${reason}. Nothing was changed. Start with the master key that ` +
      `sealed it: set REALMS_MASTER_KEY, or put back the key file (now used: ${source}). Several keys may be given, the ` +
      "newest first, separated by commas."
  })

/** What a row has; fails with what to do about it when no key at hand opens it. */
const openRow = (table: SealedTable, { bytes, id, keyId }: SealedSecret, box: SecretBox["Service"]) => {
  const place = `${table.place}:${id}`
  return box.open({ bytes, keyId }, place).pipe(
    Effect.map((secret) => ({ place, secret })),
    Effect.catchTag("SecretUnreadable", (error) => Effect.fail(wrong(place, error, box.source)))
  )
}

/** Fails when stored secrets are sealed by a key that is not at hand. */
export const checkSealedRows = (
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"]
): Effect.Effect<void, SqlError.SqlError | MasterKeyInvalid | MasterKeyWrong> =>
  Effect.forEach(
    tables,
    (table) =>
      Effect.flatMap(
        oneOfEachKey(table, sql),
        (rows) => Effect.forEach(rows, (row) => openRow(table, row, box), { discard: true })
      ),
    { discard: true }
  )

const KeyId = Row({ keyId: Schema.String })

/** The ids of the keys that have sealed anything, also in a database that is not migrated yet. */
export const sealedKeyIds = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const found = yield* Effect.forEach(tables, ({ table }) =>
    Effect.gen(function*() {
      if (!(yield* hasTable(sql, table))) return []
      return yield* rowsOf(KeyId, sql.unsafe(`SELECT DISTINCT key_id FROM ${table} WHERE key_id IS NOT NULL`))
    }))
  return [...new Set(found.flat().map(({ keyId }) => keyId))].toSorted()
})

/** Seals every secret again with the newest key; answers how many. A failure leaves all of them as they were. */
export const resealAll = (
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"],
  actor: Actor
): Effect.Effect<number, SqlError.SqlError | MasterKeyInvalid | MasterKeyWrong> => {
  const reseal = Effect.fnUntraced(function*(table: SealedTable, row: SealedSecret) {
    const { place, secret } = yield* openRow(table, row, box)
    const sealed = yield* box.seal(secret, place)
    yield* sql.unsafe(
      `UPDATE ${table.table} SET ${table.sealed} = $1, key_id = $2 WHERE ${table.id} = $3::${table.idType}`,
      [Buffer.from(sealed.bytes), sealed.keyId, row.id]
    )
  })
  const resealTable = Effect.fnUntraced(function*(table: SealedTable) {
    // A transaction that replaces a secret meanwhile waits, and seals with the newest key too.
    yield* sql.unsafe(`LOCK TABLE ${table.table} IN SHARE ROW EXCLUSIVE MODE`)
    let count = 0
    let rows = yield* rowsAfter(table, sql, undefined)
    while (rows.length > 0) {
      yield* Effect.forEach(rows, (row) => reseal(table, row), { discard: true })
      count += rows.length
      rows = yield* rowsAfter(table, sql, rows.at(-1)?.id)
    }
    return count
  })
  return inTransaction(
    sql,
    Effect.gen(function*() {
      const counts = yield* Effect.forEach(tables, resealTable)
      const count = counts.reduce((sum, rows) => sum + rows, 0)
      const [keyId] = yield* box.keyIds
      yield* recordChange(sql, actor, {
        action: "secrets.rotated",
        target: "secrets",
        before: null,
        after: { secrets: count, key_id: keyId ?? null }
      })
      return count
    })
  )
}
