/**
 * API keys: made, revoked, and told from wrong ones. Only the SHA-256 of a key is stored. A valid key is answered from
 * memory while messages from other processes arrive; a revocation empties that memory on every runner.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import { Notifications } from "../platform/Notifications.ts"
import { ApiKeyCache } from "./ApiKeyCache.ts"
import {
  ApiKeyNotFound,
  type IdentityUnavailable,
  identityUnavailable,
  InvalidApiKey,
  UserNotFound
} from "./IdentityError.ts"

const KEY_PREFIX = "sk-"
const KEY_BYTES = 32
const HINT_CHARACTERS = 4

/** A longer text is no key of ours and is not even hashed. */
const TOKEN_LENGTH_MAX = 256

/** One lookup takes no longer. */
const LOOKUP_TIMEOUT_MS = 5_000

/** Whom a valid key stands for, and what it may do. */
export interface ApiKeyIdentity {
  readonly keyId: bigint
  readonly userId: bigint
  /** Null: it does not expire. */
  readonly expiresAtMs: number | null
  /** Null: every model. */
  readonly allowedModels: ReadonlyArray<string> | null
  /** What may be spent with it in its life, in USD micros; null: no limit. */
  readonly spendLimitMicros: bigint | null
}

/** A new key; `key` is shown this once and cannot be had again. */
export interface CreatedApiKey {
  readonly id: bigint
  readonly key: Redacted.Redacted<string>
  readonly hint: string
}

export class ApiKeys extends Context.Service<ApiKeys, {
  create(
    key: { readonly userId: bigint; readonly name: string }
  ): Effect.Effect<CreatedApiKey, UserNotFound | IdentityUnavailable>
  /** For good. Revoking a revoked key changes nothing. */
  revoke(id: bigint): Effect.Effect<void, ApiKeyNotFound | IdentityUnavailable>
  /** Fails with `InvalidApiKey` for a key that is unknown, revoked, expired, or of a disabled user. */
  authenticate(token: string): Effect.Effect<ApiKeyIdentity, InvalidApiKey | IdentityUnavailable>
  /** The same from memory, at once; undefined says only that `authenticate` must be asked. */
  cached(token: string): ApiKeyIdentity | undefined
}>()("realms/identity/ApiKeys") {
  static readonly layer = Layer.effect(ApiKeys, Effect.suspend(() => make))
}

const couldBeKey = (token: string): boolean => token.length <= TOKEN_LENGTH_MAX && token.startsWith(KEY_PREFIX)

const hashOf = (token: string): string => hash("sha256", token, "hex")

interface IdentityRow {
  readonly id: bigint
  readonly user_id: bigint
  readonly expires_at: Date | null
  readonly allowed_models: ReadonlyArray<string> | null
  readonly spend_limit_micros: bigint | null
}

const toIdentity = (row: IdentityRow): ApiKeyIdentity => ({
  keyId: row.id,
  userId: row.user_id,
  expiresAtMs: row.expires_at?.getTime() ?? null,
  allowedModels: row.allowed_models,
  spendLimitMicros: row.spend_limit_micros
})

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const notifications = yield* Notifications
  const clock = yield* Clock.Clock
  const cache = new ApiKeyCache()
  yield* notifications.subscribe({
    onMessage: (topic) => {
      if (topic === "keys") cache.drop()
    },
    onDown: () => cache.drop(),
    onUp: () => cache.drop()
  })

  const cachedByHash = (keyHash: string): ApiKeyIdentity | undefined =>
    notifications.isUp() ? cache.identity(keyHash, clock.currentTimeMillisUnsafe()) : undefined

  const lookUp = (keyHash: string) =>
    sql<IdentityRow>`SELECT k.id, k.user_id, k.expires_at, k.allowed_models, k.spend_limit_micros
      FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.key_hash = ${Buffer.from(keyHash, "hex")} AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now()) AND u.disabled_at IS NULL`.pipe(
      Effect.timeout(LOOKUP_TIMEOUT_MS),
      Effect.mapError(identityUnavailable)
    )

  const authenticate = Effect.fnUntraced(function*(token: string) {
    if (!couldBeKey(token)) return yield* new InvalidApiKey()
    const keyHash = hashOf(token)
    const cached = cachedByHash(keyHash)
    if (cached !== undefined) return cached
    if (notifications.isUp() && cache.isKnownInvalid(keyHash)) return yield* new InvalidApiKey()
    const ticket = cache.ticket()
    const [row] = yield* lookUp(keyHash)
    const identity = row === undefined ? null : toIdentity(row)
    if (notifications.isUp()) cache.put(ticket, keyHash, identity)
    return identity ?? (yield* new InvalidApiKey())
  })

  const create = Effect.fn("ApiKeys.create")(function*(key: { readonly userId: bigint; readonly name: string }) {
    const token = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`
    const hint = `${KEY_PREFIX}…${token.slice(-HINT_CHARACTERS)}`
    const [row] = yield* sql.withTransaction(Effect.tap(
      sql<{ readonly id: bigint }>`INSERT INTO api_keys (user_id, name, key_hash, hint)
        SELECT id, ${key.name}, ${Buffer.from(hashOf(token), "hex")}, ${hint} FROM users WHERE id = ${key.userId}
        RETURNING id`,
      ([row]) => row === undefined ? Effect.void : notifications.publish("keys", row.id.toString())
    )).pipe(Effect.mapError(identityUnavailable))
    if (row === undefined) return yield* new UserNotFound({ userId: key.userId })
    return { id: row.id, key: Redacted.make(token), hint }
  })

  const revoke = Effect.fn("ApiKeys.revoke")(function*(id: bigint) {
    const [row] = yield* sql.withTransaction(Effect.tap(
      sql<{ readonly id: bigint }>`UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
        WHERE id = ${id} RETURNING id`,
      ([row]) => row === undefined ? Effect.void : notifications.publish("keys", row.id.toString())
    )).pipe(Effect.mapError(identityUnavailable))
    if (row === undefined) return yield* new ApiKeyNotFound({ keyId: id })
    // The message arrives a moment later; whoever revoked here must not see the key work in between.
    cache.drop()
  })

  return ApiKeys.of({
    create,
    revoke,
    authenticate,
    cached: (token) => couldBeKey(token) ? cachedByHash(hashOf(token)) : undefined
  })
})
