/**
 * How administrators find users: by a part of the e-mail address or the id, by role and state, page by page; and what there is
 * to know of one of them besides money.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { orElse, Row, RowWith } from "../domain/Row.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { IDLE_DAYS_MAX, SESSIONS_PER_USER_MAX } from "./SessionStore.ts"
import { User } from "./User.ts"

/** What is left out does not matter. */
export interface UserSearch extends IdPage {
  /** Part of an e-mail address, in any case; or an id. */
  readonly text?: string | undefined
  readonly role?: User["role"] | undefined
  readonly state?: "active" | "disabled" | undefined
}

/** A user in a list. Amounts in micros. */
export const UserSummary = RowWith(User, {
  usdMicros: Micros,
  owedMicros: Micros,
  /** When one of their sessions was last used; null: they have none. */
  lastSeenAt: Schema.NullOr(Schema.Date)
})
export interface UserSummary extends Schema.Schema.Type<typeof UserSummary> {}

export const UserSession = Row({
  id: Schema.BigInt,
  address: orElse(Schema.String, ""),
  userAgent: orElse(Schema.String, ""),
  createdAt: Schema.Date,
  lastSeenAt: Schema.Date
})
export interface UserSession extends Schema.Schema.Type<typeof UserSession> {}

const CountedUser = RowWith(UserSummary, {
  /** Without one they cannot sign in. */
  hasPassword: Schema.Boolean,
  /** When the link for a new password that is out there ends; null: there is none. */
  passwordLinkUntil: Schema.NullOr(Schema.Date),
  /** The user's own group, and that of the last redeemed code that had one. */
  groupCode: Schema.NullOr(Schema.String),
  redeemedGroupCode: Schema.NullOr(Schema.String),
  /** How many there are of each, of all times; live keys of the administration's API. */
  orders: Schema.BigInt,
  subscriptions: Schema.BigInt,
  adminKeys: Schema.BigInt
}, { passwordLinkUntil: "link_until" })

export interface UserDetails extends Schema.Schema.Type<typeof CountedUser> {
  /** Live ones, the last used first. */
  readonly sessions: ReadonlyArray<UserSession>
}

/** The largest id that a text may name has 18 digits: all of these fit a `bigint`. */
const idPattern = /^[1-9]\d{0,17}$/

export const findUsers = (
  sql: SqlClient.SqlClient,
  { before, limit, role, state, text = "" }: UserSearch
): Effect.Effect<ReadonlyArray<UserSummary>, SqlError.SqlError> => {
  // PostgreSQL has no text with a NUL in it.
  const part = text.replaceAll("\0", "").trim().toLowerCase()
  const id = idPattern.test(part) ? BigInt(part) : null
  return rowsOf(
    UserSummary,
    sql`SELECT u.id, u.email, u.role, u.created_at, u.disabled_at, coalesce(b.usd_micros, 0) AS usd_micros,
          coalesce(b.owed_micros, 0) AS owed_micros,
          (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
        FROM users u LEFT JOIN user_balances b ON b.user_id = u.id
        WHERE (${before ?? null}::bigint IS NULL OR u.id < ${before ?? null}::bigint)
          AND (${part} = '' OR position(${part} IN u.email) > 0 OR u.id = ${id}::bigint)
          AND (${role ?? null}::text IS NULL OR u.role = ${role ?? null}::text)
          AND (${state ?? null}::text IS NULL OR (u.disabled_at IS NOT NULL) = (${state ?? null}::text = 'disabled'))
        ORDER BY u.id DESC LIMIT ${limit}`
  )
}

/** Undefined: there is no such user. */
export const userDetails = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<UserDetails | undefined, SqlError.SqlError> =>
  Effect.gen(function*() {
    const user = yield* rowOf(
      CountedUser,
      sql`SELECT u.id, u.email, u.role, u.created_at, u.disabled_at, coalesce(b.usd_micros, 0) AS usd_micros,
          coalesce(b.owed_micros, 0) AS owed_micros,
          (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at,
          u.password_hash IS NOT NULL AS has_password, u.group_code, u.redeemed_group_code,
          (SELECT max(l.expires_at) FROM password_links l WHERE l.user_id = u.id AND l.expires_at > now()) AS link_until,
          (SELECT count(*) FROM topup_orders o WHERE o.user_id = u.id)
            + (SELECT count(*) FROM subscription_orders o WHERE o.user_id = u.id) AS orders,
          (SELECT count(*) FROM user_subscriptions s WHERE s.user_id = u.id) AS subscriptions,
          (SELECT count(*) FROM api_keys k WHERE k.user_id = u.id AND k.kind = 'admin' AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > now())) AS admin_keys
        FROM users u LEFT JOIN user_balances b ON b.user_id = u.id WHERE u.id = ${userId}`
    )
    if (user === undefined) return undefined
    const sessions = yield* rowsOf(
      UserSession,
      sql`SELECT id, address, user_agent, created_at, last_seen_at FROM sessions
        WHERE user_id = ${userId} AND expires_at > now()
          AND last_seen_at > now() - make_interval(days => ${IDLE_DAYS_MAX}::integer)
        ORDER BY last_seen_at DESC, id DESC LIMIT ${SESSIONS_PER_USER_MAX}`
    )
    return { ...user, sessions }
  })
