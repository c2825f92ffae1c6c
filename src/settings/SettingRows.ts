/**
 * The rows of overrides: what an administrator set wins over the configuration, key by key, until it is reset. A secret's row is
 * sealed, bound to its key's name.
 * @internal
 */
import { Effect, Redacted, Result, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import {
  decodeSettings,
  fieldOf,
  isSettingKey,
  type SettingKey,
  type SettingsValues,
  type SettingTexts
} from "../config/SettingDocument.ts"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import type { SecretBox } from "../platform/SecretBox.ts"
import { rowsOf } from "../postgres/Rows.ts"

/** An override as it is stored. A secret is either sealed, or removed: then its text is empty. */
export interface SettingRow {
  readonly key: SettingKey
  readonly text: string | null
  readonly sealed: { readonly bytes: Uint8Array; readonly keyId: string } | null
  readonly updatedAt: Date
  /** Null: by the command line. */
  readonly updatedBy: string | null
}

const StoredOverride = Row({
  key: Schema.String,
  value: Schema.Unknown,
  secret: Schema.NullOr(Schema.Uint8Array),
  keyId: Schema.NullOr(Schema.String),
  updatedAt: Schema.Date,
  updatedBy: Schema.NullOr(Schema.String)
}, { updatedBy: "email" })

/** Where a setting's secret is stored, as its seal names it. */
export const placeOf = (key: string): string => `setting:${key}`

const toRow = (
  { key, keyId, secret, updatedAt, updatedBy, value }: typeof StoredOverride.Type
): ReadonlyArray<SettingRow> =>
  isSettingKey(key)
    ? [{
      key,
      text: typeof value === "string" ? value : null,
      sealed: secret === null || keyId === null ? null : { bytes: secret, keyId },
      updatedAt,
      updatedBy
    }]
    // Set by a later version, or by an earlier one: not known here, and kept.
    : []

type Rows = Effect.Effect<ReadonlyArray<SettingRow>, SqlError.SqlError>

const overridesOf = (statement: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>): Rows =>
  Effect.map(rowsOf(StoredOverride, statement), (rows) => rows.flatMap(toRow))

/** Every override. */
export const readRows = (sql: SqlClient.SqlClient): Rows =>
  overridesOf(
    sql`SELECT s.key, s.value, s.secret, s.key_id, s.updated_at, u.email
      FROM app_settings s LEFT JOIN users u ON u.id = s.updated_by ORDER BY s.key`
  )

/** Sets a text, and answers its row. A secret that is not empty is sealed. */
export const writeRow = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"],
  { key, text, userId }: { readonly key: SettingKey; readonly text: string; readonly userId: UserId | null }
) {
  const sealed = fieldOf(key).kind === "secret" && text !== ""
    ? yield* box.seal(Redacted.make(text), placeOf(key))
    : null
  const value = sealed === null ? JSON.stringify(text) : null
  return yield* overridesOf(sql`INSERT INTO app_settings AS s (key, value, secret, key_id, updated_by)
      VALUES (${key}, ${value}::jsonb, ${sealed === null ? null : Buffer.from(sealed.bytes)}::bytea,
        ${sealed?.keyId ?? null}, ${userId}::bigint)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, secret = excluded.secret, key_id = excluded.key_id,
        updated_at = clock_timestamp(), updated_by = excluded.updated_by
      RETURNING s.key, s.value, s.secret, s.key_id, s.updated_at,
        (SELECT u.email FROM users u WHERE u.id = s.updated_by) AS email`)
})

/** Resets to the configuration's text: no row is left. */
export const deleteRow = (sql: SqlClient.SqlClient, key: SettingKey): Rows =>
  overridesOf(sql`DELETE FROM app_settings WHERE key = ${key}`)

/** What an override says; undefined for a secret that no key at hand opens, which is said in the log and counts as none. */
const textOf = (box: SecretBox["Service"], row: SettingRow): Effect.Effect<string | undefined> =>
  row.sealed === null
    ? Effect.succeed(row.text ?? "")
    : box.open(row.sealed, placeOf(row.key)).pipe(
      Effect.map(Redacted.value),
      Effect.catch((error) =>
        Effect.as(
          Effect.logError(`the secret ${row.key} cannot be read, and counts as not set: ${error.message}`),
          undefined
        )
      )
    )

/** The texts in effect: overrides over those of the configuration. */
export const effectiveTexts = (
  box: SecretBox["Service"],
  base: SettingTexts,
  rows: ReadonlyArray<SettingRow>
): Effect.Effect<SettingTexts> =>
  Effect.map(
    Effect.forEach(rows, (row) => Effect.map(textOf(box, row), (text) => [row.key, text ?? ""] as const)),
    (set) => ({ ...base, ...Object.fromEntries(set) })
  )

/**
 * What the settings mean. An override that the configuration of today does not go with (the file's bounds have moved, the public
 * address is gone) is ignored, and the log says so: a server that starts and bills as its file says is better than none.
 */
export const resolve = ({ base, host, texts }: {
  readonly base: SettingTexts
  readonly texts: SettingTexts
  readonly host: string
}): Effect.Effect<SettingsValues> => {
  const decoded = decodeSettings(texts, host)
  if (Result.isSuccess(decoded)) return Effect.succeed(decoded.success)
  const problems = decoded.failure.map(({ key, message }) => `${key}: ${message}`)
  const keys = decoded.failure.map(({ key }) => key).filter((key) => texts[key] !== base[key])
  // Each time at least one more is as the configuration has it, which by itself is right.
  return keys.length === 0
    ? Effect.die(new Error(`the settings do not resolve: ${problems.join("; ")}`))
    : Effect.logError("settings that do not fit the configuration are ignored", { problems }).pipe(
      Effect.andThen(
        Effect.suspend(() =>
          resolve({ base, host, texts: { ...texts, ...Object.fromEntries(keys.map((key) => [key, base[key]])) } })
        )
      )
    )
}
