/**
 * Keys of the administration's API: what their owner may do in the console, a program may do with such a key, as long as the
 * owner is an administrator. They pay for no call, and a key for calls opens nothing here. Only the SHA-256 is stored, and every
 * use asks the database, so that a revocation counts at once everywhere.
 */
import { Context, DateTime, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import { ApiKeyId, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { countOf, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { ApiKeyNotFound } from "./IdentityError.ts"
import { isKeyName } from "./NewApiKey.ts"
import { isStaff, Role } from "./Roles.ts"

const KEY_PREFIX = "sk-admin-"
const KEY_BYTES = 32
const HINT_CHARACTERS = 4
const TOKEN_LENGTH_MAX = 256

/** Keys listed, at most: the newest. */
const LISTED_MAX = 200

/** Keys of all administrators that are neither revoked nor expired, at most. */
const ADMIN_KEYS_MAX = 50

/** Of the advisory lock under which keys are made. */
const MAKE_LOCK = 7_304_160_530n

/** That a key is in use is written so often, at most. */
const USED_INTERVAL_SECONDS = 60

/** Unknown, revoked, paused, expired, or of a user who is disabled. */
export class AdminKeyInvalid extends Schema.TaggedError<AdminKeyInvalid>()("AdminKeyInvalid", {}) {}

/** The key is good, and opens nothing here: it is for calls, or its owner is no administrator. */
export class AdminKeyForbidden extends Schema.TaggedError<AdminKeyForbidden>()("AdminKeyForbidden", {}) {}

/** What is wrong with a key that was asked for. */
export class AdminKeyRefused extends Schema.TaggedError<AdminKeyRefused>()("AdminKeyRefused", {
  /** `ended`: while it was asked, the owner's role or the session or key that it was asked with came to its end. */
  reason: Schema.Literals(["name", "expiry", "many", "ended"])
}) {}

export const AdminKey = Row({
  id: ApiKeyId,
  userId: UserId,
  email: Schema.String,
  name: Schema.String,
  /** Its beginning and last characters. */
  hint: Schema.String,
  createdAt: Schema.Date,
  expiresAt: Schema.NullOr(Schema.Date),
  revokedAt: Schema.NullOr(Schema.Date),
  /** Up to a minute behind; null: never. */
  lastUsedAt: Schema.NullOr(Schema.Date)
})
export interface AdminKey extends Schema.Schema.Type<typeof AdminKey> {}

/** Whose key it is. */
export interface AdminKeyIdentity {
  /** Of its owner, now. */
  readonly role: Role
  readonly keyId: ApiKeyId
  readonly userId: UserId
  readonly email: string
}

/** What a new key is asked for with; null: nothing that ends. */
export type AdminEntry = { readonly sessionId: bigint } | { readonly keyId: ApiKeyId } | null

const InsertedKey = Row({ id: ApiKeyId })

const RevokedKey = Row({ id: ApiKeyId, name: Schema.String })

const OwnerRole = Row({ role: Role })

const LockedKey = Row({ revoked: Schema.Boolean, name: Schema.String })

const FoundKey = Row({
  keyId: ApiKeyId,
  userId: UserId,
  email: Schema.String,
  role: Role,
  kind: Schema.String,
  stale: Schema.Boolean
}, { keyId: "id" })

export class AdminKeys extends Context.Service<AdminKeys, {
  /** A key of the acting administrator; its text is shown this once. A name has 1 to 100 characters. */
  create(
    actor: Actor & { readonly userId: UserId },
    key: { readonly name: string; readonly expiresAt: Date | null },
    by: AdminEntry
  ): Effect.Effect<
    { readonly id: ApiKeyId; readonly key: Redacted.Redacted<string> },
    AdminKeyRefused | DatabaseUnavailable
  >
  /** Of all administrators, newest first, 200 at most. */
  readonly list: Effect.Effect<ReadonlyArray<AdminKey>, DatabaseUnavailable>
  /** For good. Revoking a revoked key changes nothing. */
  revoke(actor: Actor, id: ApiKeyId): Effect.Effect<void, ApiKeyNotFound | DatabaseUnavailable>
  authenticate(
    token: Redacted.Redacted<string>
  ): Effect.Effect<AdminKeyIdentity, AdminKeyInvalid | AdminKeyForbidden | DatabaseUnavailable>
}>()("realms/identity/AdminKeys") {
  static readonly layer = Layer.effect(AdminKeys)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const create = Effect.fn("AdminKeys.create")(function*(
      actor: Actor & { readonly userId: UserId },
      { expiresAt, name }: { readonly name: string; readonly expiresAt: Date | null },
      by: AdminEntry
    ) {
      const nowMs = DateTime.toEpochMillis(yield* DateTime.now)
      if (name.trim() === "" || !isKeyName(name)) {
        return yield* new AdminKeyRefused({ reason: "name" })
      }
      if (expiresAt !== null && expiresAt.getTime() <= nowMs) return yield* new AdminKeyRefused({ reason: "expiry" })
      const token = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString("base64url")}`
      const hint = `${KEY_PREFIX}…${token.slice(-HINT_CHARACTERS)}`
      const id = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          // A reset that was first has revoked every key, and this one would be left.
          if (!(yield* lockOwner(sql, actor.userId, by))) return yield* new AdminKeyRefused({ reason: "ended" })
          // All keys are made one after the other, and so counted.
          yield* sql`SELECT pg_advisory_xact_lock(${MAKE_LOCK})`
          const live = yield* countOf(
            sql`SELECT count(*) FROM api_keys
          WHERE kind = 'admin' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`
          )
          if (live >= ADMIN_KEYS_MAX) return yield* new AdminKeyRefused({ reason: "many" })
          const made = yield* oneRowOf(
            InsertedKey,
            sql`INSERT INTO api_keys (user_id, name, key_hash, hint, expires_at, kind)
            VALUES (${actor.userId}, ${name}, ${hashOf(token)}, ${hint}, ${expiresAt}::timestamptz, 'admin')
            RETURNING id`
          )
          yield* recordChange(sql, actor, {
            action: "admin_key.created",
            target: `admin_key:${made.id}`,
            before: null,
            after: { name, hint, expires_at: expiresAt?.toISOString() ?? null }
          })
          const { address, userId } = actor
          yield* noteAccountChange(sql, { userId, address, change: "admin_key_added", detail: name })
          return made.id
        })
      ).pipe(orUnavailable)
      return { id, key: Redacted.make(token) }
    })

    const list = rowsOf(
      AdminKey,
      sql`SELECT k.id, k.user_id, u.email, k.name, k.hint, k.created_at, k.expires_at, k.revoked_at,
      k.last_used_at
    FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.kind = 'admin' ORDER BY k.id DESC LIMIT ${LISTED_MAX}`
    ).pipe(orUnavailable)

    const revoke = Effect.fn("AdminKeys.revoke")(function*(actor: Actor, id: ApiKeyId) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const key = yield* rowOf(
            LockedKey,
            sql`SELECT revoked_at IS NOT NULL AS revoked, name FROM api_keys
          WHERE id = ${id} AND kind = 'admin' FOR UPDATE`
          )
          if (key === undefined) return yield* new ApiKeyNotFound({ keyId: id })
          if (key.revoked) return
          yield* sql`UPDATE api_keys SET revoked_at = now() WHERE id = ${id}`
          yield* noteRevoked(sql, actor, id, key.name)
        })
      ).pipe(orUnavailable)
    })

    const authenticate = Effect.fn("AdminKeys.authenticate")(function*(token: Redacted.Redacted<string>) {
      const text = Redacted.value(token)
      if (text.length > TOKEN_LENGTH_MAX || !text.startsWith("sk-")) return yield* new AdminKeyInvalid()
      const found = yield* rowOf(
        FoundKey,
        sql`SELECT k.id, k.user_id, u.email, u.role, k.kind,
          k.last_used_at IS NULL OR k.last_used_at < now() - make_interval(secs => ${USED_INTERVAL_SECONDS}::integer)
            AS stale
        FROM (SELECT * FROM api_keys WHERE key_hash = ${hashOf(text)} AND ${sql.literal(WORKS_SQL)}) k
          JOIN users u ON u.id = k.user_id
        WHERE u.disabled_at IS NULL`
      ).pipe(orUnavailable)
      if (found === undefined) return yield* new AdminKeyInvalid()
      const { email, keyId, kind, role, stale, userId } = found
      if (kind !== "admin" || !isStaff(role)) return yield* new AdminKeyForbidden()
      if (stale) yield* orUnavailable(sql`UPDATE api_keys SET last_used_at = now() WHERE id = ${keyId}`)
      return { keyId, userId, email, role }
    })

    return AdminKeys.of({ create, list, revoke, authenticate })
  }))
}

/**
 * Revokes a user's admin keys, in the transaction that changes or resets the password or resets the second factor - an intruder may
 * have made some - or takes the role away. Answers how many.
 */
export const revokeAdminKeys = (sql: SqlClient.SqlClient, actor: Actor, userId: UserId) =>
  Effect.gen(function*() {
    const revoked = yield* rowsOf(
      RevokedKey,
      sql`UPDATE api_keys SET revoked_at = now() WHERE user_id = ${userId} AND kind = 'admin' AND revoked_at IS NULL
        RETURNING id, name`
    )
    yield* Effect.forEach(revoked, ({ id, name }) => noteRevoked(sql, actor, id, name), { discard: true })
    return revoked.length
  })

/** That a key works: neither revoked nor paused nor expired. */
const WORKS_SQL = "revoked_at IS NULL AND paused_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

/** Whether there is such an admin key, of this user where one is named, and it works. */
export const worksAsAdminKey = (
  sql: SqlClient.SqlClient,
  id: ApiKeyId,
  userId?: UserId
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    sql`SELECT FROM api_keys WHERE id = ${id} AND kind = 'admin' AND ${sql.literal(WORKS_SQL)}
      AND user_id = coalesce(${userId ?? null}::bigint, user_id)`,
    ({ length }) => length === 1
  )

/** Locks the user, and then looks whether they and what they came with may still make a key. */
const lockOwner = (sql: SqlClient.SqlClient, userId: UserId, by: AdminEntry) =>
  Effect.gen(function*() {
    const owner = yield* rowOf(
      OwnerRole,
      sql`SELECT role FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR NO KEY UPDATE`
    )
    if (owner === undefined || !isStaff(owner.role)) return false
    if (by === null) return true
    if ("keyId" in by) return yield* worksAsAdminKey(sql, by.keyId, userId)
    return (yield* sql`SELECT FROM sessions WHERE id = ${by.sessionId} AND user_id = ${userId}`).length === 1
  })

const noteRevoked = (sql: SqlClient.SqlClient, actor: Actor, id: ApiKeyId, name: string) =>
  recordChange(sql, actor, { action: "admin_key.revoked", target: `admin_key:${id}`, before: { name }, after: null })

const hashOf = (token: string): Buffer => hash("sha256", token, "buffer")
