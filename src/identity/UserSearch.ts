/**
 * How administrators find users: by a part of the e-mail address or the id, by role and state, sorted, page by page; keys by their
 * hint; and what there is to know of a user besides money.
 * @internal
 */
import { rateLimitFields } from "../domain/CallLimits.ts"
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { ApiKeyId, idIn, UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { orElse, Row, RowWith } from "../domain/Row.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { hasSecondFactorSql } from "./SecondFactorStore.ts"
import { IDLE_DAYS_MAX, SESSIONS_PER_USER_MAX } from "./SessionStore.ts"
import { User } from "./User.ts"

/** By what users are sorted, the most first; `newest` first where it is left out. */
export const userSorts = ["balance", "spend", "call"] as const
export type UserSort = typeof userSorts[number]

/** The last user of the page before: what it is sorted by, and its id. */
export interface UserCursor {
  readonly value: bigint
  readonly id: bigint
}

/** What is left out does not matter. */
export interface UserSearch extends IdPage {
  readonly sort?: UserSort | undefined
  /** With `sort`: where the page goes on. `before` is for the newest. */
  readonly after?: UserCursor | undefined
  /** Part of an e-mail address, in any case; or an id. */
  readonly text?: string | undefined
  readonly role?: User["role"] | undefined
  readonly state?: "active" | "disabled" | undefined
}

/** A user in a list. Amounts in micros. */
export const UserSummary = RowWith(User, {
  usdMicros: Micros,
  owedMicros: Micros,
  /** What calls with their keys were charged, from any funding; calls of the last minutes follow. */
  spentMicros: Micros,
  /** When one of their keys was last used; null: never. */
  lastCallAt: Schema.NullOr(Schema.Date),
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
  /** When they last proved that mail to the address reaches them; null: never. */
  emailVerifiedAt: Schema.NullOr(Schema.Date),
  /** They sign in with a second factor. */
  hasSecondFactor: Schema.Boolean,
  /** When the link for a new password that is out there ends; null: there is none. */
  passwordLinkUntil: Schema.NullOr(Schema.Date),
  /** The user's own group, and that of the last redeemed code that had one. */
  groupCode: Schema.NullOr(Schema.String),
  ...rateLimitFields,
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

/** What a user is sorted by, as the statement has it, for the cursor of the next page. */
const sortValueOf = (sort: UserSort, user: UserSummary): bigint => {
  if (sort === "balance") return user.usdMicros - user.owedMicros
  return sort === "spend" ? user.spentMicros : BigInt(user.lastCallAt?.getTime() ?? 0)
}

/** Where a sorted list goes on after a user, as a text. */
export const cursorAfter = (sort: UserSort, user: UserSummary): string => `${sortValueOf(sort, user)}.${user.id}`

/** What such a text says; undefined where it is none. */
export const cursorIn = (text: string | null): UserCursor | undefined => {
  const [, value, id] = /^(-?\d{1,18})\.(\d{1,18})$/.exec(text ?? "") ?? []
  return value === undefined || id === undefined ? undefined : { value: BigInt(value), id: BigInt(id) }
}

/** For each user: what the keys were charged, and when one was last used. */
const keySums = `SELECT k.user_id, coalesce(sum(s.charged_micros), 0)::bigint AS spent, max(k.last_used_at) AS last_call
  FROM api_keys k LEFT JOIN usage_keys s ON s.key_id = k.id WHERE k.kind = 'call'`

/** What the page is chosen by: a table of all users' values, and the value. The newest are found without one. */
const sorts: Readonly<Record<UserSort | "newest", readonly [join: string, value: string]>> = {
  newest: ["", "0::bigint"],
  balance: ["LEFT JOIN user_balances v ON v.user_id = u.id", "coalesce(v.usd_micros - v.owed_micros, 0)"],
  spend: [`LEFT JOIN (${keySums} GROUP BY 1) v ON v.user_id = u.id`, "coalesce(v.spent, 0)"],
  call: [
    `LEFT JOIN (${keySums} GROUP BY 1) v ON v.user_id = u.id`,
    "coalesce(floor(extract(epoch FROM v.last_call) * 1000), 0)::bigint"
  ]
}

export const findUsers = (
  sql: SqlClient.SqlClient,
  { after, before, limit, role, sort, state, text = "" }: UserSearch
): Effect.Effect<ReadonlyArray<UserSummary>, SqlError.SqlError> => {
  // PostgreSQL has no text with a NUL in it.
  const part = text.replaceAll("\0", "").trim().toLowerCase()
  const id = idIn(part) ?? null
  const [join, value] = sorts[sort ?? "newest"].map((code) => sql.literal(code))
  return rowsOf(
    UserSummary,
    sql`WITH page AS (
        SELECT u.id, ${value} AS value FROM users u ${join}
        WHERE (${before ?? null}::bigint IS NULL OR u.id < ${before ?? null}::bigint)
          AND (${after?.id ?? null}::bigint IS NULL OR (${value}, u.id) < (${after?.value ?? null}::bigint, ${
      after?.id ?? null
    }::bigint))
          AND (${part} = '' OR position(${part} IN u.email) > 0 OR u.id = ${id}::bigint)
          AND (${role ?? null}::text IS NULL OR u.role = ${role ?? null}::text)
          AND (${state ?? null}::text IS NULL OR (u.disabled_at IS NOT NULL) = (${state ?? null}::text = 'disabled'))
        ORDER BY 2 DESC, 1 DESC LIMIT ${limit}
      )
      SELECT u.id, u.email, u.role, u.created_at, u.disabled_at, coalesce(b.usd_micros, 0) AS usd_micros,
          coalesce(b.owed_micros, 0) AS owed_micros, coalesce(k.spent, 0) AS spent_micros, k.last_call AS last_call_at,
          (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
        FROM page p JOIN users u ON u.id = p.id LEFT JOIN user_balances b ON b.user_id = u.id
        LEFT JOIN LATERAL (${sql.literal(keySums)} AND k.user_id = u.id GROUP BY 1) k ON true
        ORDER BY p.value DESC, p.id DESC`
  )
}

/** A key of a call that a part of its hint names. */
export const FoundKey = Row({
  id: ApiKeyId,
  hint: Schema.String,
  name: Schema.String,
  userId: UserId,
  email: Schema.String
})
export interface FoundKey extends Schema.Schema.Type<typeof FoundKey> {}

/** A shorter part of a hint is a part of too many. */
const HINT_CHARACTERS_MIN = 3

/** Keys whose hint has this part, live ones first. */
export const findKeys = (
  sql: SqlClient.SqlClient,
  text: string,
  limit: number
): Effect.Effect<ReadonlyArray<FoundKey>, SqlError.SqlError> => {
  const part = text.replaceAll("\0", "").trim()
  return part.length < HINT_CHARACTERS_MIN ? Effect.succeed([]) : rowsOf(
    FoundKey,
    sql`SELECT k.id, k.hint, k.name, k.user_id, u.email FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.kind = 'call' AND position(${part} IN k.hint) > 0
      ORDER BY k.revoked_at IS NOT NULL, k.id DESC LIMIT ${limit}`
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
          coalesce(b.owed_micros, 0) AS owed_micros, coalesce(k.spent, 0) AS spent_micros, k.last_call AS last_call_at,
          (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at,
          u.password_hash IS NOT NULL AS has_password,
          ${sql.literal(hasSecondFactorSql)} AS has_second_factor,
          u.group_code, u.redeemed_group_code, u.requests_per_minute, u.tokens_per_minute, u.concurrent_calls,
          (SELECT max(l.expires_at) FROM password_links l
            WHERE l.user_id = u.id AND l.expires_at > now() AND l.mailed_to IS NULL) AS link_until,
          u.email_verified_at,
          (SELECT count(*) FROM topup_orders o WHERE o.user_id = u.id)
            + (SELECT count(*) FROM subscription_orders o WHERE o.user_id = u.id) AS orders,
          (SELECT count(*) FROM user_subscriptions s WHERE s.user_id = u.id) AS subscriptions,
          (SELECT count(*) FROM api_keys k WHERE k.user_id = u.id AND k.kind = 'admin' AND k.revoked_at IS NULL
            AND (k.expires_at IS NULL OR k.expires_at > now())) AS admin_keys
        FROM users u LEFT JOIN user_balances b ON b.user_id = u.id
        LEFT JOIN LATERAL (${sql.literal(keySums)} AND k.user_id = u.id GROUP BY 1) k ON true WHERE u.id = ${userId}`
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
