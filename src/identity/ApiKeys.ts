/**
 * API keys: made, changed, revoked, and told from wrong ones. Only the SHA-256 of a key is stored. A valid key is answered from
 * memory while messages from other processes arrive; a change or a revocation empties that memory on every runner.
 */
import { Clock, Context, Effect, Layer, Redacted, Semaphore } from "effect"
import { SqlClient } from "effect/sql"
import { createHmac, hash, randomBytes } from "node:crypto"
import type { ApiKeyId, UserId } from "../domain/Ids.ts"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { Notifications, publish } from "../platform/Notifications.ts"
import {
  type DatabaseUnavailable,
  databaseUnavailable,
  orUnavailable,
  withinDatabaseWait
} from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { freeQuestionsMax } from "../postgres/PoolShares.ts"
import { type ApiKeyIdentity, type ListedApiKey, termFactsOf } from "./ApiKey.ts"
import { ApiKeyCache } from "./ApiKeyCache.ts"
import { changeApiKey, findApiKey, insertApiKey, listApiKeys, revokeApiKey } from "./ApiKeyStore.ts"
import {
  ApiKeyNotFound,
  type ApiKeyRefused,
  InvalidApiKey,
  type TooManyKeys,
  type TooManyNewKeys,
  type UserNotFound
} from "./IdentityError.ts"
import { makeKeyUses } from "./KeyUses.ts"
import { checkKeyTerms, type KeyChange, type NewApiKey } from "./NewApiKey.ts"

export type { ApiKeyIdentity, ListedApiKey } from "./ApiKey.ts"

const KEY_PREFIX = "sk-"
const KEY_BYTES = 32
const HINT_CHARACTERS = 4

/** A longer text is no key of ours and is not even hashed. */
const TOKEN_LENGTH_MAX = 256

/**
 * The form that asks for a key: the secret of its sender's session, and a word of the form's own. The key is derived from both and from
 * what it is to be, so that the same form sent again means the same key, and makes no second one.
 */
export interface SentForm {
  readonly secret: Redacted.Redacted<string>
  readonly word: string
  /** Keys that its user may make within an hour. */
  readonly perHour: number
}

/** Whose key is changed or revoked, or who does it for somebody else, which is recorded. */
type ChangedBy = { readonly userId: UserId } | { readonly administrator: Actor }

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
    /** Who makes it for somebody else, which is recorded; or the form that its user has sent. */
    origin?: { readonly administrator: Actor } | { readonly form: SentForm }
  ): Effect.Effect<
    CreatedApiKey,
    UserNotFound | TooManyKeys | TooManyNewKeys | ApiKeyRefused | DatabaseUnavailable
  >
  /** The user's keys, newest first: all that are live, and of the others the newest, at most 200 together. */
  list(userId: UserId): Effect.Effect<ReadonlyArray<ListedApiKey>, DatabaseUnavailable>
  /** Changes what is given, at once and everywhere. Another user's key is not found, and a revoked one is refused. */
  change(
    id: ApiKeyId,
    change: KeyChange,
    by: ChangedBy
  ): Effect.Effect<ListedApiKey, ApiKeyNotFound | ApiKeyRefused | TooManyKeys | DatabaseUnavailable>
  /** For good. Revoking a revoked key changes nothing. */
  revoke(id: ApiKeyId, administrator?: Actor): Effect.Effect<void, ApiKeyNotFound | DatabaseUnavailable>
  /** The same for a key of this user; another user's is not found. An administrator who does it is recorded. */
  revokeOwn(
    userId: UserId,
    id: ApiKeyId,
    administrator?: Actor
  ): Effect.Effect<void, ApiKeyNotFound | DatabaseUnavailable>
  /** Fails with `InvalidApiKey` for a key that is unknown, revoked, expired, paused, or of a disabled user. */
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
    const turns = yield* Semaphore.make(freeQuestionsMax.apiKeys)
    yield* notifications.subscribe({
      onMessage: (topic) => {
        if (topic === "keys") cache.drop()
      },
      onDown: () => cache.drop(),
      onUp: () => cache.drop()
    })

    const cachedByHash = (keyHash: string): ApiKeyIdentity | undefined =>
      notifications.isUp() ? cache.identity(keyHash, clock.currentTimeMillisUnsafe()) : undefined

    const refusalByHash = (keyHash: string): InvalidApiKey["reason"] | undefined =>
      notifications.isUp() ? cache.refusal(keyHash) : undefined

    /** What is found of a key when it is its turn: of many that ask for one key at once, the first one looks it up for all. */
    const found = (keyHash: string) =>
      Effect.suspend(() => {
        const known = cachedByHash(keyHash) ?? refusalByHash(keyHash)
        if (known !== undefined) return Effect.succeed(known)
        const ticket = cache.ticket()
        return Effect.tap(findApiKey(sql, Buffer.from(keyHash, "hex")), (answer) =>
          Effect.sync(() => notifications.isUp() ? cache.put(ticket, keyHash, answer) : undefined))
      })

    /** Notes the use of a valid key. */
    const used = (identity: ApiKeyIdentity): ApiKeyIdentity => {
      uses.note(identity.keyId)
      return identity
    }

    const authenticate = Effect.fnUntraced(function*(token: string) {
      if (!couldBeKey(token)) return yield* new InvalidApiKey({ reason: "unknown" })
      const keyHash = hashOf(token)
      const cached = cachedByHash(keyHash)
      if (cached !== undefined) return used(cached)
      const refusal = refusalByHash(keyHash)
      if (refusal !== undefined) return yield* new InvalidApiKey({ reason: refusal })
      const answer = yield* withinDatabaseWait(turns.withPermits(1)(found(keyHash))).pipe(
        Effect.mapError(databaseUnavailable)
      )
      return typeof answer === "string" ? yield* new InvalidApiKey({ reason: answer }) : used(answer)
    })

    const create: ApiKeys["Service"]["create"] = Effect.fn("ApiKeys.create")(function*(key, origin) {
      yield* checkKeyTerms(key, yield* Clock.currentTimeMillis)
      const form = origin !== undefined && "form" in origin ? origin.form : undefined
      const token = `${KEY_PREFIX}${secretOf(key, form)}`
      const hint = `${KEY_PREFIX}…${token.slice(-HINT_CHARACTERS)}`
      const keyHash = Buffer.from(hashOf(token), "hex")
      const id = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const { id: made, isNew } = yield* insertApiKey(sql, { ...key, keyHash, hint }, form?.perHour)
          if (!isNew) return made
          yield* publish(sql, "keys", made.toString())
          if (origin !== undefined && "administrator" in origin) {
            const after = { user_id: key.userId, name: key.name, hint }
            yield* recordChange(sql, origin.administrator, {
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

    const change: ApiKeys["Service"]["change"] = Effect.fn("ApiKeys.change")(function*(id, asked, by) {
      yield* checkKeyTerms(asked, yield* Clock.currentTimeMillis)
      const after = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const changed = yield* changeApiKey(sql, id, asked, "userId" in by ? by.userId : undefined)
          const facts = changesBetween(factsOf(changed.before), factsOf(changed.after))
          if (Object.keys(facts.after).length === 0) return changed.after
          yield* publish(sql, "keys", id.toString())
          if ("administrator" in by) {
            yield* recordChange(sql, by.administrator, { action: "key.changed", target: `key:${id}`, ...facts })
          }
          return changed.after
        })
      ).pipe(orUnavailable, Effect.catchTag("UserNotFound", Effect.die))
      // The message arrives a moment later; a user who paused it here must not see it work in between.
      cache.drop()
      return after
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
            yield* publish(sql, "keys", id.toString())
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

    const revokeOwn = Effect.fn("ApiKeys.revokeOwn")((userId: UserId, id: ApiKeyId, actor?: Actor) =>
      revokeOf(id, actor === undefined ? { userId } : { userId, actor })
    )

    const cachedNow = (token: string): ApiKeyIdentity | undefined => {
      const identity = couldBeKey(token) ? cachedByHash(hashOf(token)) : undefined
      return identity && used(identity)
    }

    return ApiKeys.of({
      create,
      change,
      list,
      revoke,
      revokeOwn,
      authenticate,
      cached: cachedNow,
      forget: () => cache.drop()
    })
  }))
}

/** The part of a key that is secret: random, or the same again for the same form. */
const secretOf = (key: NewApiKey, form: SentForm | undefined): string => {
  if (form === undefined) return randomBytes(KEY_BYTES).toString("base64url")
  const { allowedModels = null, allowedNetworks = null, expiresAt = null, name, spendLimitMicros = null, userId } = key
  const limits = [
    key.spendLimitPeriod,
    key.dayLimitMicros,
    key.monthLimitMicros,
    key.requestsPerMinute,
    key.tokensPerMinute,
    key.concurrentCalls
  ]
  const asked = [userId, name, expiresAt?.getTime() ?? null, spendLimitMicros, limits, allowedModels, allowedNetworks]
  const said = JSON.stringify(
    ["api key", form.word, ...asked],
    (_, value: unknown) => typeof value === "bigint" ? value.toString() : value
  )
  return createHmac("sha256", Redacted.value(form.secret)).update(said).digest("base64url")
}

/** What the audit log keeps of a key. */
const factsOf = (key: ListedApiKey): AuditFacts => ({
  name: key.name,
  expires_at: key.expiresAt?.toISOString() ?? null,
  ...termFactsOf(key),
  paused: key.pausedAt !== null
})

const couldBeKey = (token: string): boolean => token.length <= TOKEN_LENGTH_MAX && token.startsWith(KEY_PREFIX)

const hashOf = (token: string): string => hash("sha256", token, "hex")
