/**
 * The rows of API keys: made, listed, revoked and looked up by the hash of the key, which alone is stored.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { ApiKeyId, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { countOf, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { ApiKeyIdentity, ListedApiKey } from "./ApiKey.ts"
import { TooManyKeys, UserNotFound } from "./IdentityError.ts"
import type { NewApiKey } from "./NewApiKey.ts"

/** Keys of one user that are neither revoked nor expired. */
export const LIVE_KEYS_MAX = 100

/** Keys listed at once: the live ones, and of the others the newest. */
const LISTED_MAX = 200

const LIVE = "(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))"

const InsertedKey = Row({ id: ApiKeyId })

const RevokedKey = Row({ revoked: Schema.Boolean })

/** Makes a key as part of a transaction; answers its id. Keys of one user are made one after the other, and so counted. */
export const insertApiKey = (
  sql: SqlClient.SqlClient,
  key: NewApiKey & { readonly keyHash: Buffer; readonly hint: string }
): Effect.Effect<ApiKeyId, UserNotFound | TooManyKeys | SqlError.SqlError> =>
  Effect.gen(function*() {
    const [user] = yield* sql`SELECT FROM users WHERE id = ${key.userId} FOR NO KEY UPDATE`
    if (user === undefined) return yield* new UserNotFound({ userId: key.userId })
    const live = yield* countOf(
      sql`SELECT count(*) FROM api_keys WHERE user_id = ${key.userId} AND kind = 'call' AND ${sql.literal(LIVE)}`
    )
    if (live >= LIVE_KEYS_MAX) return yield* new TooManyKeys({ keysMax: LIVE_KEYS_MAX })
    const models = key.allowedModels ? JSON.stringify(key.allowedModels) : null
    const { id } = yield* oneRowOf(
      InsertedKey,
      sql`INSERT INTO api_keys (user_id, name, key_hash, hint, expires_at, spend_limit_micros, allowed_models)
        VALUES (${key.userId}, ${key.name}, ${key.keyHash}, ${key.hint}, ${key.expiresAt ?? null}::timestamptz,
          ${key.spendLimitMicros ?? null}::bigint,
          CASE WHEN ${models}::text IS NOT NULL
            THEN ARRAY(SELECT jsonb_array_elements_text(${models}::jsonb)) END)
        RETURNING id`
    )
    return id
  })

/** The identity of a valid key; null when there is none. */
export const findApiKey = (
  sql: SqlClient.SqlClient,
  keyHash: Buffer
): Effect.Effect<ApiKeyIdentity | null, SqlError.SqlError> =>
  Effect.map(
    rowOf(
      ApiKeyIdentity,
      sql`SELECT k.id, k.user_id, k.expires_at, k.spend_limit_micros, k.allowed_models
      FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.key_hash = ${keyHash} AND k.kind = 'call' AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now()) AND u.disabled_at IS NULL`
    ),
    (identity) => identity ?? null
  )

/** Whether there is such a key, of this user where one is named, and whether it was good until now; it is revoked then. */
export const revokeApiKey = (
  sql: SqlClient.SqlClient,
  id: ApiKeyId,
  userId?: UserId
): Effect.Effect<"revoked" | "already" | "missing", SqlError.SqlError> =>
  Effect.map(
    rowOf(
      RevokedKey,
      sql`WITH found AS (
        SELECT id, revoked_at IS NULL AS revoked FROM api_keys
          WHERE id = ${id} AND kind = 'call' AND user_id = coalesce(${userId ?? null}::bigint, user_id) FOR UPDATE
      ), changed AS (UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM found WHERE revoked))
      SELECT revoked FROM found`
    ),
    (row) => row === undefined ? "missing" : row.revoked ? "revoked" : "already"
  )

/** Newest first. Keys made and revoked a hundred times over do not push a live one off the list. */
export const listApiKeys = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<ReadonlyArray<ListedApiKey>, SqlError.SqlError> =>
  rowsOf(
    ListedApiKey,
    sql`SELECT * FROM (
        SELECT id, name, hint, created_at, expires_at, revoked_at, last_used_at, spend_limit_micros, allowed_models
          FROM api_keys WHERE user_id = ${userId} AND kind = 'call' ORDER BY ${
      sql.literal(LIVE)
    } DESC, id DESC LIMIT ${LISTED_MAX}
      ) k ORDER BY id DESC`
  )
