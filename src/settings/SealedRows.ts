/**
 * Every place where a sealed secret is stored. At the start it is checked that each of them opens - a wrong or missing master key
 * stops the start, and nothing is lost - and a rotation seals all of them anew in one transaction.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type MasterKeyInvalid, MasterKeyWrong, type SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"
import { inTransaction } from "../platform/Transaction.ts"

interface SealedTable {
  readonly table: string
  readonly id: string
  readonly sealed: string
  /** Before the id, as the seal names it. */
  readonly place: string
}

const tables: ReadonlyArray<SealedTable> = [
  { table: "app_settings", id: "key", sealed: "secret", place: "setting" },
  { table: "channels", id: "id", sealed: "api_key_sealed", place: "channel" },
  { table: "redemption_batches", id: "id", sealed: "codes_sealed", place: "codes" }
]

interface SealedRow {
  readonly id: string
  readonly bytes: Uint8Array
  readonly key_id: string
}

const rowsOf = ({ id, sealed, table }: SealedTable, sql: SqlClient.SqlClient) =>
  sql.unsafe<SealedRow>(
    `SELECT ${id}::text AS id, ${sealed} AS bytes, key_id FROM ${table} WHERE ${sealed} IS NOT NULL ORDER BY ${id}`
  )

const wrong = (place: string, { reason }: SecretUnreadable, source: string): MasterKeyWrong =>
  new MasterKeyWrong({
    message:
      `the stored secret ${place} cannot be opened: ${reason}. Nothing was changed. Start with the master key that ` +
      `sealed it: set REALMS_MASTER_KEY, or put back the key file (now used: ${source}). Several keys may be given, the ` +
      "newest first, separated by commas."
  })

/** Fails when a stored secret does not open. */
export const checkSealedRows = (
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"]
): Effect.Effect<void, SqlError.SqlError | MasterKeyInvalid | MasterKeyWrong> =>
  Effect.forEach(tables, (table) =>
    Effect.flatMap(rowsOf(table, sql), (rows) =>
      Effect.forEach(rows, (row) => {
        const place = `${table.place}:${row.id}`
        return box.open({ bytes: row.bytes, keyId: row.key_id }, place).pipe(
          Effect.catchTag("SecretUnreadable", (error) => Effect.fail(wrong(place, error, box.source)))
        )
      }, { discard: true })), { discard: true })

/** Seals every secret anew with the newest key; answers how many. A failure leaves all of them as they were. */
export const resealAll = (
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"],
  actor: Actor
): Effect.Effect<number, SqlError.SqlError | MasterKeyInvalid | MasterKeyWrong> =>
  inTransaction(
    sql,
    Effect.gen(function*() {
      let count = 0
      for (const table of tables) {
        // Whoever replaces a secret meanwhile waits, and seals with the newest key too.
        yield* sql.unsafe(`LOCK TABLE ${table.table} IN SHARE ROW EXCLUSIVE MODE`)
        for (const row of yield* rowsOf(table, sql)) {
          const place = `${table.place}:${row.id}`
          const secret = yield* box.open({ bytes: row.bytes, keyId: row.key_id }, place).pipe(
            Effect.catchTag("SecretUnreadable", (error) => Effect.fail(wrong(place, error, box.source)))
          )
          const sealed = yield* box.seal(secret, place)
          yield* sql.unsafe(
            `UPDATE ${table.table} SET ${table.sealed} = $1, key_id = $2 WHERE ${table.id}::text = $3`,
            [Buffer.from(sealed.bytes), sealed.keyId, row.id]
          )
          count++
        }
      }
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
