/**
 * The rows of API keys: made, changed, revoked and looked up by the hash of the key, which alone is stored.
 * @internal
 */
import { Effect, Schema, Struct } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Fragment } from "effect/sql/Statement"
import { ApiKeyId, UserId } from "../domain/Ids.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { countOf, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { type ApiKeyIdentity, identityOf, ListedApiKey, StoredIdentity } from "./ApiKey.ts"
import {
  ApiKeyNotFound,
  ApiKeyRefused,
  type InvalidApiKey,
  TooManyKeys,
  TooManyNewKeys,
  UserNotFound
} from "./IdentityError.ts"
import type { KeyChange, KeyTerms, NewApiKey } from "./NewApiKey.ts"

/** Keys of one user that are neither revoked nor expired. */
export const LIVE_KEYS_MAX = 100

/** Keys listed at once: the live ones, and of the others the newest. */
const LISTED_MAX = 200

/** Of a row of `api_keys`. */
export const LIVE_SQL = "(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))"

/** The columns that a user may see. */
export const LISTED_SQL =
  `id, name, hint, created_at, expires_at, revoked_at, last_used_at, paused_at, spend_limit_micros,
  spend_limit_period, day_limit_micros, month_limit_micros, requests_per_minute, tokens_per_minute, concurrent_calls,
  allowed_models, allowed_networks`

const InsertedKey = Row({ id: ApiKeyId })

const SameKey = Row({ id: ApiKeyId, live: Schema.Boolean })

const RevokedKey = Row({ revoked: Schema.Boolean })

const OwnedKey = RowWith(ListedApiKey, { live: Schema.Boolean })

const FoundKey = RowWith(StoredIdentity, { paused: Schema.Boolean })

/** Keys of one user are made, or come to life again, one after the other, and so counted. */
const lockUser = (sql: SqlClient.SqlClient, userId: UserId) =>
  Effect.flatMap(
    sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`,
    ([user]) => user === undefined ? Effect.fail(new UserNotFound({ userId })) : Effect.void
  )

export const countLiveKeys = (sql: SqlClient.SqlClient, userId: UserId): Effect.Effect<number, SqlError.SqlError> =>
  countOf(sql`SELECT count(*) FROM api_keys WHERE user_id = ${userId} AND kind = 'call' AND ${sql.literal(LIVE_SQL)}`)

/** Fails where one live key more would be too many. */
const roomForOne = (sql: SqlClient.SqlClient, userId: UserId) =>
  Effect.flatMap(
    countLiveKeys(sql, userId),
    (live) => live >= LIVE_KEYS_MAX ? Effect.fail(new TooManyKeys({ keysMax: LIVE_KEYS_MAX })) : Effect.void
  )

/** Fails where as many were made within the last hour, whatever became of them. */
const checkPace = (sql: SqlClient.SqlClient, userId: UserId, perHour: number) =>
  Effect.flatMap(
    countOf(sql`SELECT count(*) FROM api_keys
      WHERE user_id = ${userId} AND kind = 'call' AND created_at > now() - interval '1 hour'`),
    (made) => made >= perHour ? Effect.fail(new TooManyNewKeys({ perHour })) : Effect.void
  )

/** A column that is written, and the SQL of its value. */
interface Assignment {
  readonly column: string
  readonly value: Fragment
}

/** The columns of the terms that are given. */
const assignments = (sql: SqlClient.SqlClient, terms: Partial<KeyTerms>): ReadonlyArray<Assignment> => {
  const list = (texts: ReadonlyArray<string> | null = null) => {
    const json = texts === null ? null : JSON.stringify(texts)
    return sql`CASE WHEN ${json}::text IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(${json}::jsonb)) END`
  }
  const columns: Readonly<Record<keyof KeyTerms, Assignment>> = {
    name: { column: "name", value: sql`${terms.name ?? ""}` },
    expiresAt: { column: "expires_at", value: sql`${terms.expiresAt ?? null}::timestamptz` },
    spendLimitMicros: { column: "spend_limit_micros", value: sql`${terms.spendLimitMicros ?? null}::bigint` },
    spendLimitPeriod: { column: "spend_limit_period", value: sql`${terms.spendLimitPeriod ?? "total"}` },
    dayLimitMicros: { column: "day_limit_micros", value: sql`${terms.dayLimitMicros ?? null}::bigint` },
    monthLimitMicros: { column: "month_limit_micros", value: sql`${terms.monthLimitMicros ?? null}::bigint` },
    requestsPerMinute: { column: "requests_per_minute", value: sql`${terms.requestsPerMinute ?? null}::integer` },
    tokensPerMinute: { column: "tokens_per_minute", value: sql`${terms.tokensPerMinute ?? null}::integer` },
    concurrentCalls: { column: "concurrent_calls", value: sql`${terms.concurrentCalls ?? null}::integer` },
    allowedModels: { column: "allowed_models", value: list(terms.allowedModels) },
    allowedNetworks: { column: "allowed_networks", value: list(terms.allowedNetworks) }
  }
  return Struct.keys(columns).flatMap((name) => terms[name] === undefined ? [] : [columns[name]])
}

/**
 * Makes a key as part of a transaction; answers its id. Where the same key is there already, nothing is made, and it is not counted
 * again; a dead one is not brought back.
 */
export const insertApiKey = (
  sql: SqlClient.SqlClient,
  key: NewApiKey & { readonly keyHash: Buffer; readonly hint: string },
  /** Absent: as many as there is room for. */
  perHour?: number
): Effect.Effect<
  { readonly id: ApiKeyId; readonly isNew: boolean },
  UserNotFound | TooManyKeys | TooManyNewKeys | ApiKeyRefused | SqlError.SqlError
> =>
  Effect.gen(function*() {
    yield* lockUser(sql, key.userId)
    const same = yield* rowOf(
      SameKey,
      sql`SELECT id, ${sql.literal(LIVE_SQL)} AS live FROM api_keys
        WHERE key_hash = ${key.keyHash} AND user_id = ${key.userId} AND kind = 'call'`
    )
    if (same !== undefined && !same.live) return yield* new ApiKeyRefused({ reason: "revoked" })
    if (same !== undefined) return { id: same.id, isNew: false }
    if (perHour !== undefined) yield* checkPace(sql, key.userId, perHour)
    yield* roomForOne(sql, key.userId)
    const given = assignments(sql, key)
    const { id } = yield* oneRowOf(
      InsertedKey,
      sql`INSERT INTO api_keys (user_id, key_hash, hint, ${sql.csv(given.map(({ column }) => sql.literal(column)))})
        VALUES (${key.userId}, ${key.keyHash}, ${key.hint}, ${sql.csv(given.map(({ value }) => value))})
        RETURNING id`
    )
    return { id, isNew: true }
  })

/** The identity of a valid key, or why there is none. */
export const findApiKey = (
  sql: SqlClient.SqlClient,
  keyHash: Buffer
): Effect.Effect<ApiKeyIdentity | InvalidApiKey["reason"], SqlError.SqlError> =>
  Effect.map(
    rowOf(
      FoundKey,
      sql`SELECT k.id, k.user_id, k.expires_at, k.spend_limit_micros, k.spend_limit_period, k.day_limit_micros,
        k.month_limit_micros, k.requests_per_minute,
        k.tokens_per_minute, k.concurrent_calls, k.allowed_models, k.allowed_networks, k.paused_at IS NOT NULL AS paused
      FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.key_hash = ${keyHash} AND k.kind = 'call' AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now()) AND u.disabled_at IS NULL`
    ),
    (found) => {
      if (found === undefined) return "unknown"
      return found.paused ? "paused" : identityOf(found)
    }
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

const OwnerOfKey = Row({ userId: UserId })

/** Changes a key of this user, or of anybody, as part of a transaction; answers what it was and what it is. */
export const changeApiKey = (
  sql: SqlClient.SqlClient,
  id: ApiKeyId,
  { paused, ...terms }: KeyChange,
  userId?: UserId
): Effect.Effect<
  { readonly before: ListedApiKey; readonly after: ListedApiKey },
  ApiKeyNotFound | ApiKeyRefused | UserNotFound | TooManyKeys | SqlError.SqlError
> =>
  Effect.gen(function*() {
    const owner = yield* rowOf(
      OwnerOfKey,
      sql`SELECT user_id FROM api_keys
        WHERE id = ${id} AND kind = 'call' AND user_id = coalesce(${userId ?? null}::bigint, user_id)`
    )
    if (owner === undefined) return yield* new ApiKeyNotFound({ keyId: id })
    yield* lockUser(sql, owner.userId)
    const { live, ...before } = yield* oneRowOf(
      OwnedKey,
      sql`SELECT ${sql.literal(LISTED_SQL)}, ${sql.literal(LIVE_SQL)} AS live FROM api_keys WHERE id = ${id} FOR UPDATE`
    )
    if (before.revokedAt !== null) return yield* new ApiKeyRefused({ reason: "revoked" })
    if (!live && terms.expiresAt !== undefined) yield* roomForOne(sql, owner.userId)
    const changed = [
      ...assignments(sql, terms),
      ...paused === undefined
        ? []
        : [{ column: "paused_at", value: paused ? sql`coalesce(paused_at, now())` : sql`NULL` }]
    ].map(({ column, value }) => sql`${sql.literal(column)} = ${value}`)
    if (changed.length === 0) return { before, after: before }
    const after = yield* oneRowOf(
      ListedApiKey,
      sql`UPDATE api_keys SET ${sql.csv(changed)} WHERE id = ${id} RETURNING ${sql.literal(LISTED_SQL)}`
    )
    return { before, after }
  })

/** Newest first. Keys made and revoked a hundred times over do not push a live one off the list. */
export const listApiKeys = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<ReadonlyArray<ListedApiKey>, SqlError.SqlError> =>
  rowsOf(
    ListedApiKey,
    sql`SELECT * FROM (
        SELECT ${sql.literal(LISTED_SQL)}
          FROM api_keys WHERE user_id = ${userId} AND kind = 'call' ORDER BY ${
      sql.literal(LIVE_SQL)
    } DESC, id DESC LIMIT ${LISTED_MAX}
      ) k ORDER BY id DESC`
  )
