/**
 * API keys: made, revoked, and told from wrong ones. Only the SHA-256 of a key is stored. A valid key is answered from
 * memory while messages from other processes arrive; a revocation empties that memory on every runner.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import type { ApiKeyId, UserId } from "../domain/Ids.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { Notifications } from "../platform/Notifications.ts"
import {
  type DatabaseUnavailable,
  databaseUnavailable,
  orUnavailable,
  withinDatabaseWait
} from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import type { ApiKeyIdentity, ListedApiKey } from "./ApiKey.ts"
import { ApiKeyCache } from "./ApiKeyCache.ts"
import { findApiKey, insertApiKey, listApiKeys, revokeApiKey } from "./ApiKeyStore.ts"
import {
  ApiKeyNotFound,
  type ApiKeyRefused,
  InvalidApiKey,
  type TooManyKeys,
  type UserNotFound
} from "./IdentityError.ts"
import { makeKeyUses } from "./KeyUses.ts"
import { checkNewApiKey, type NewApiKey } from "./NewApiKey.ts"

export type { ApiKeyIdentity, ListedApiKey } from "./ApiKey.ts"

const KEY_PREFIX = "sk-"
const KEY_BYTES = 32
const HINT_CHARACTERS = 4

/** A longer text is no key of ours and is not even hashed. */
const TOKEN_LENGTH_MAX = 256

/** A new key; `key` is shown this once and cannot be had again. */
export interface CreatedApiKey {
  readonly id: ApiKeyId
  readonly key: Redacted.Redacted<string>
  readonly hint: string
}

export class ApiKeys extends Context.Service<ApiKeys, {
  /** A user has at most 100 keys that are neither revoked nor expired. */
  create(
    key: NewApiKey,
    /** Who makes it for somebody else; it is recorded then. */
    administrator?: Actor
  ): Effect.Effect<CreatedApiKey, UserNotFound | TooManyKeys | ApiKeyRefused | DatabaseUnavailable>
  /** The user's keys, newest first: all that are live, and of the others the newest, at most 200 together. */
  list(userId: UserId): Effect.Effect<ReadonlyArray<ListedApiKey>, DatabaseUnavailable>
  /** For good. Revoking a revoked key changes nothing. */
  revoke(id: ApiKeyId, administrator?: Actor): Effect.Effect<void, ApiKeyNotFound | DatabaseUnavailable>
  /** The same for a key of this user; another user's is not found. */
  revokeOwn(userId: UserId, id: ApiKeyId): Effect.Effect<void, ApiKeyNotFound | DatabaseUnavailable>
  /** Fails with `InvalidApiKey` for a key that is unknown, revoked, expired, or of a disabled user. */
  authenticate(token: string): Effect.Effect<ApiKeyIdentity, InvalidApiKey | DatabaseUnavailable>
  /** The same from memory, at once; undefined says only that `authenticate` must be asked. */
  cached(token: string): ApiKeyIdentity | undefined
  /** Forgets here what every server forgets when it hears a message on `keys`, which may arrive a moment later. */
  forget(): void
}>()("realms/identity/ApiKeys") {
  static readonly layer = Layer.effect(ApiKeys)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const notifications = yield* Notifications
    const clock = yield* Clock.Clock
    const uses = yield* makeKeyUses
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

    /** Notes the use of a valid key. */
    const used = (identity: ApiKeyIdentity): ApiKeyIdentity => {
      uses.note(identity.keyId)
      return identity
    }

    const authenticate = Effect.fnUntraced(function*(token: string) {
      if (!couldBeKey(token)) return yield* new InvalidApiKey()
      const keyHash = hashOf(token)
      const cached = cachedByHash(keyHash)
      if (cached !== undefined) return used(cached)
      if (notifications.isUp() && cache.isKnownInvalid(keyHash)) return yield* new InvalidApiKey()
      const ticket = cache.ticket()
      const identity = yield* findApiKey(sql, Buffer.from(keyHash, "hex")).pipe(
        (query) => withinDatabaseWait(query),
        Effect.mapError(databaseUnavailable)
      )
      if (notifications.isUp()) cache.put(ticket, keyHash, identity)
      return identity === null ? yield* new InvalidApiKey() : used(identity)
    })

    const create = Effect.fn("ApiKeys.create")(function*(key: NewApiKey, administrator?: Actor) {
      yield* checkNewApiKey(key, yield* Clock.currentTimeMillis)
      const token = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`
      const hint = `${KEY_PREFIX}…${token.slice(-HINT_CHARACTERS)}`
      const keyHash = Buffer.from(hashOf(token), "hex")
      const id = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const made = yield* insertApiKey(sql, { ...key, keyHash, hint })
          yield* notifications.publish("keys", made.toString())
          if (administrator !== undefined) {
            const after = { user_id: key.userId, name: key.name, hint }
            yield* recordChange(sql, administrator, {
              action: "key.created",
              target: `key:${made}`,
              before: null,
              after
            })
          }
          return made
        })
      ).pipe(orUnavailable)
      return { id, key: Redacted.make(token), hint }
    })

    const list = Effect.fn("ApiKeys.list")(function*(userId: UserId) {
      return yield* orUnavailable(listApiKeys(sql, userId))
    })

    const revokeOf = Effect.fnUntraced(
      function*(id: ApiKeyId, by: { readonly userId?: UserId; readonly actor?: Actor }) {
        const outcome = yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const revoked = yield* revokeApiKey(sql, id, by.userId)
            if (revoked !== "revoked") return revoked
            // Every message empties every server's memory of keys.
            yield* notifications.publish("keys", id.toString())
            if (by.actor !== undefined) {
              yield* recordChange(sql, by.actor, {
                action: "key.revoked",
                target: `key:${id}`,
                before: null,
                after: null
              })
            }
            return revoked
          })
        ).pipe(orUnavailable)
        if (outcome === "missing") return yield* new ApiKeyNotFound({ keyId: id })
        if (outcome === "already") return
        // The message arrives a moment later; a user who revoked it here must not see it work in between.
        cache.drop()
      }
    )

    const revoke = Effect.fn("ApiKeys.revoke")((id: ApiKeyId, actor?: Actor) =>
      revokeOf(id, actor === undefined ? {} : { actor })
    )

    const revokeOwn = Effect.fn("ApiKeys.revokeOwn")((userId: UserId, id: ApiKeyId) => revokeOf(id, { userId }))

    const cachedNow = (token: string): ApiKeyIdentity | undefined => {
      const identity = couldBeKey(token) ? cachedByHash(hashOf(token)) : undefined
      return identity && used(identity)
    }

    return ApiKeys.of({
      create,
      list,
      revoke,
      revokeOwn,
      authenticate,
      cached: cachedNow,
      forget: () => cache.drop()
    })
  }))
}

const couldBeKey = (token: string): boolean => token.length <= TOKEN_LENGTH_MAX && token.startsWith(KEY_PREFIX)

const hashOf = (token: string): string => hash("sha256", token, "hex")
