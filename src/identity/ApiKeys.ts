/**
 * API keys: `sk-` and 256 random bits, stored as a SHA-256 hash and a hint. Looking one up is a hash and a map once it is
 * cached; a revocation empties the cache of every process, and while messages may be missed nothing is served from it.
 */
import { Clock, Context, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import { Notifications } from "../platform/Notifications.ts"

/** Whose key it is and what it may do. */
export interface ApiKeyIdentity {
  readonly keyId: bigint
  readonly userId: bigint
  readonly expiresAtMs: number | null
  /** Null: every model. */
  readonly allowedModels: ReadonlyArray<string> | null
}

export interface NewApiKey {
  readonly id: bigint
  /** Shown once; only its hash is stored. */
  readonly key: Redacted.Redacted<string>
  readonly hint: string
}

/** Missing, unknown, revoked, expired, or of a disabled user. */
export class InvalidApiKey extends Schema.TaggedError<InvalidApiKey>()("InvalidApiKey", {}) {}

/** Keys cannot be looked up now. */
export class IdentityUnavailable extends Schema.TaggedError<IdentityUnavailable>()("IdentityUnavailable", {}) {}

/** There is no such key, or it is revoked already. */
export class ApiKeyNotFound extends Schema.TaggedError<ApiKeyNotFound>()("ApiKeyNotFound", { id: Schema.BigInt }) {}

export class ApiKeys extends Context.Service<ApiKeys, {
  create(key: { readonly userId: bigint; readonly name: string }): Effect.Effect<NewApiKey, SqlError.SqlError>
  revoke(id: bigint): Effect.Effect<void, ApiKeyNotFound | SqlError.SqlError>
  authenticate(token: string): Effect.Effect<ApiKeyIdentity, InvalidApiKey | IdentityUnavailable>
  /** The identity, when it may be had without asking the database. */
  cached(token: string): ApiKeyIdentity | undefined
}>()("realms/identity/ApiKeys") {
  static readonly layer = Layer.effect(ApiKeys, Effect.suspend(() => make))
}

const KEYS_CACHED_MAX = 50_000
const UNKNOWN_CACHED_MAX = 1_000
const TOKEN_CHARS_MAX = 256

interface KeyRow {
  readonly id: bigint
  readonly user_id: bigint
  readonly expires_at: Date | null
  readonly allowed_models: ReadonlyArray<string> | null
}

/** A map that forgets what was put in first. */
class BoundedMap<A> {
  private readonly entries = new Map<string, A>()
  private readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get(key: string): A | undefined {
    return this.entries.get(key)
  }

  set(key: string, value: A): void {
    const [oldest] = this.entries.keys()
    if (this.entries.size >= this.max && oldest !== undefined) this.entries.delete(oldest)
    this.entries.set(key, value)
  }

  clear(): void {
    this.entries.clear()
  }
}

const digest = (token: string): string => hash("sha256", token, "hex")

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const notifications = yield* Notifications
  const clock = yield* Clock.Clock
  const known = new BoundedMap<ApiKeyIdentity>(KEYS_CACHED_MAX)
  const unknown = new BoundedMap<true>(UNKNOWN_CACHED_MAX)
  // A lookup that was under way when the caches were emptied must not fill them.
  let generation = 0
  const drop = () => {
    generation++
    known.clear()
    unknown.clear()
  }
  yield* notifications.subscribe({
    onMessage: (topic) => {
      if (topic === "keys") drop()
    },
    onDown: drop,
    onUp: drop
  })

  const isCurrent = (identity: ApiKeyIdentity): boolean =>
    identity.expiresAtMs === null || identity.expiresAtMs > clock.currentTimeMillisUnsafe()

  const cached = (token: string): ApiKeyIdentity | undefined => {
    if (!notifications.isUp() || token.length > TOKEN_CHARS_MAX) return undefined
    const identity = known.get(digest(token))
    return identity !== undefined && isCurrent(identity) ? identity : undefined
  }

  const authenticate = Effect.fn("ApiKeys.authenticate")(function*(token: string) {
    if (token.length > TOKEN_CHARS_MAX) return yield* new InvalidApiKey()
    const hex = digest(token)
    if (notifications.isUp() && unknown.get(hex) === true) return yield* new InvalidApiKey()
    const asOf = generation
    const rows = yield* sql<KeyRow>`SELECT k.id, k.user_id, k.expires_at, k.allowed_models
      FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.key_hash = ${Buffer.from(hex, "hex")} AND k.revoked_at IS NULL AND u.disabled_at IS NULL`.pipe(
      Effect.mapError(() => new IdentityUnavailable())
    )
    const [row] = rows
    const cacheable = asOf === generation && notifications.isUp()
    if (row === undefined) {
      if (cacheable) unknown.set(hex, true)
      return yield* new InvalidApiKey()
    }
    const identity: ApiKeyIdentity = {
      keyId: row.id,
      userId: row.user_id,
      expiresAtMs: row.expires_at === null ? null : row.expires_at.getTime(),
      allowedModels: row.allowed_models
    }
    if (!isCurrent(identity)) return yield* new InvalidApiKey()
    if (cacheable) known.set(hex, identity)
    return identity
  })

  const create = Effect.fn("ApiKeys.create")(function*(key: { readonly userId: bigint; readonly name: string }) {
    const token = `sk-${randomBytes(32).toString("base64url")}`
    const hint = `sk-…${token.slice(-4)}`
    const rows = yield* sql<{ id: bigint }>`INSERT INTO api_keys (user_id, name, key_hash, hint)
      VALUES (${key.userId}, ${key.name}, ${Buffer.from(digest(token), "hex")}, ${hint}) RETURNING id`
    const [row] = rows
    if (row === undefined) return yield* Effect.die(new Error("an inserted key has no id"))
    yield* notifications.publish("keys", String(row.id))
    return { id: row.id, key: Redacted.make(token), hint }
  })

  const revoke = Effect.fn("ApiKeys.revoke")(function*(id: bigint) {
    const rows = yield* sql`UPDATE api_keys SET revoked_at = now() WHERE id = ${id} AND revoked_at IS NULL RETURNING id`
    if (rows.length === 0) return yield* new ApiKeyNotFound({ id })
    drop()
    yield* notifications.publish("keys", String(id))
  })

  return ApiKeys.of({ create, revoke, authenticate, cached })
})
