/**
 * The rows of users: how one is made, read and given a password, as parts of transactions that others open. The hash of a
 * password leaves this folder no other way than by {@link Credentials}, and never in a `User`.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { openAccount } from "../accounts/AccountStore.ts"
import { type InviteId, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowOf } from "../postgres/Rows.ts"
import { networkOf } from "./ClientNetwork.ts"
import { EmailTaken } from "./IdentityError.ts"
import { User } from "./User.ts"

/** Of the advisory lock under which administrators come and go, and links to make the first one. */
const ROOT_LOCK = 7_304_160_528n

/** Until the transaction ends, nobody else makes or unmakes an administrator, or a link to make one. */
export const lockRoots = (sql: SqlClient.SqlClient): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`SELECT pg_advisory_xact_lock(${ROOT_LOCK})`)

/**
 * Makes a user and its empty account as part of a transaction. An administrator makes all outstanding setup links void.
 * The e-mail address is normalised.
 */
export const insertUser = (
  sql: SqlClient.SqlClient,
  user: {
    readonly email: string
    readonly role: User["role"]
    readonly passwordHash: string | null
    /** The invitation that the user came by. */
    readonly inviteId?: InviteId | undefined
    /** The user has proved that the address is theirs. */
    readonly isVerified?: boolean
  }
): Effect.Effect<User, EmailTaken | SqlError.SqlError> =>
  Effect.gen(function*() {
    if (user.role === "root") yield* lockRoots(sql)
    const made = yield* rowOf(
      User,
      sql`INSERT INTO users (email, role, password_hash, invite_id, email_verified_at)
      VALUES (${user.email}, ${user.role}, ${user.passwordHash}, ${user.inviteId ?? null}::bigint,
        CASE WHEN ${user.isVerified === true}::boolean THEN now() END) ON CONFLICT (email) DO NOTHING
      RETURNING id, email, role, created_at, disabled_at`
    )
    if (made === undefined) return yield* new EmailTaken({ email: user.email })
    yield* openAccount(sql, made.id)
    if (user.role === "root") yield* sql`DELETE FROM setup_links`
    return made
  })

/** Whose password it is. */
export const Credentials = Row({
  userId: UserId,
  /** Null: no password is set. */
  passwordHash: Schema.NullOr(Schema.String),
  disabled: Schema.Boolean
}, { userId: "id" })
export interface Credentials extends Schema.Schema.Type<typeof Credentials> {}

/** By a normalised e-mail address. */
export const credentialsByEmail = (sql: SqlClient.SqlClient, email: string) =>
  rowOf(
    Credentials,
    sql`SELECT id, password_hash, disabled_at IS NOT NULL AS disabled FROM users WHERE email = ${email}`
  )

export const credentialsById = (sql: SqlClient.SqlClient, userId: UserId) =>
  rowOf(
    Credentials,
    sql`SELECT id, password_hash, disabled_at IS NOT NULL AS disabled FROM users WHERE id = ${userId}`
  )

/**
 * Whether the user may still come in with the password of this hash. Until the transaction ends it stays so: a change of
 * the password waits, and then ends what was opened here.
 */
export const lockCredentials = (sql: SqlClient.SqlClient, userId: UserId, passwordHash: string) =>
  Effect.map(
    sql`SELECT FROM users WHERE id = ${userId} AND password_hash = ${passwordHash} AND disabled_at IS NULL
      FOR NO KEY UPDATE`,
    (rows) => rows.length === 1
  )

/**
 * Sets a password; false when there is no such user. Links for a new password or address are void after it, and networks are no longer
 * known: somebody who had the old password may have made them so. `keepNetworks` are known on: that of an address, or all where nobody else
 * had it.
 */
export const writePasswordHash = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  passwordHash: string,
  { keepNetworks }: { readonly keepNetworks?: "all" | { readonly of: string } } = {}
) =>
  Effect.gen(function*() {
    const rows = yield* sql`UPDATE users SET password_hash = ${passwordHash} WHERE id = ${userId} RETURNING id`
    if (rows.length !== 1) return false
    yield* sql`DELETE FROM password_links WHERE user_id = ${userId}`
    yield* sql`DELETE FROM mail_links WHERE user_id = ${userId}`
    if (keepNetworks === "all") return true
    const kept = keepNetworks === undefined ? null : networkOf(keepNetworks.of)
    yield* sql`UPDATE login_networks SET is_known = false WHERE user_id = ${userId} AND is_known
      AND network IS DISTINCT FROM ${kept}::text`
    return true
  })
