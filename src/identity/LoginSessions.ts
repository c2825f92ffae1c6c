/**
 * Who is logged in: a session is a random token that only its owner has, of which the SHA-256 is stored. A session that was
 * closed, is over or belongs to a disabled user is not found from that moment on, by any server: nothing is kept in memory.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { deleteSessions, IDLE_DAYS_MAX, SESSIONS_PER_USER_MAX, type SessionToken, tokenHashOf } from "./SessionStore.ts"
import { hasSecondFactorSql } from "./SecondFactorStore.ts"
import { User } from "./User.ts"

export { SESSION_DAYS_MAX, type SessionClient, type SessionToken } from "./SessionStore.ts"

/** How often at most it is written that a session is in use. */
const SEEN_INTERVAL_SECONDS = 60

/** A session is recent for so long after it was opened. */
export const RECENT_MINUTES = 10

/** One lookup takes no longer. */
const LOOKUP_TIMEOUT_MS = 5_000

/** Whose session it is. */
export interface LoginSession {
  readonly sessionId: bigint
  readonly user: User
  readonly createdAt: Date
  /** The user has a second factor: without it there would be no session. */
  readonly secondFactor: boolean
  /** It was opened within the last ten minutes. */
  readonly isRecent: boolean
}

/** A session as its user may see it. */
export const ListedSession = Row({
  id: Schema.BigInt,
  /** At most 256 characters of what the client called itself. */
  userAgent: Schema.String,
  address: Schema.String,
  createdAt: Schema.Date,
  /** Exact to a minute. */
  lastSeenAt: Schema.Date,
  /** It is the one of the token that was given. */
  current: Schema.Boolean
})
export interface ListedSession extends Schema.Schema.Type<typeof ListedSession> {}

const FoundSession = RowWith(User, {
  sessionId: Schema.BigInt,
  sessionCreatedAt: Schema.Date,
  secondFactor: Schema.Boolean,
  isRecent: Schema.Boolean
})

export class LoginSessions extends Context.Service<LoginSessions, {
  /** None for a token that is unknown, idle for 7 days, older than 30 days, or of a disabled user. */
  find(token: SessionToken): Effect.Effect<Option.Option<LoginSession>, DatabaseUnavailable>
  /** Ends the session, if there is one. */
  close(token: SessionToken): Effect.Effect<void, DatabaseUnavailable>
  /** Ends the user's sessions but the one of `keepToken`. */
  closeOthers(userId: UserId, keepToken: SessionToken): Effect.Effect<void, DatabaseUnavailable>
  closeAll(userId: UserId): Effect.Effect<void, DatabaseUnavailable>
  /** The user's sessions that are not over, newest first, at most 50. */
  list(userId: UserId, current: SessionToken): Effect.Effect<ReadonlyArray<ListedSession>, DatabaseUnavailable>
}>()("realms/identity/LoginSessions") {
  static readonly layer = Layer.effect(LoginSessions)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const live = sql.literal(`s.expires_at > now() AND s.last_seen_at > now() - interval '${IDLE_DAYS_MAX} days'`)

    // That it is in use is not waited for: a session that another transaction is writing is left as it is.
    const findByHash = (tokenHash: Buffer) =>
      rowOf(
        FoundSession,
        sql`WITH found AS (
        SELECT s.id AS session_id, s.created_at AS session_created_at, s.last_seen_at, u.id, u.email, u.role,
            u.created_at, u.disabled_at, ${sql.literal(hasSecondFactorSql)} AS second_factor,
            s.created_at > now() - make_interval(mins => ${RECENT_MINUTES}::integer) AS is_recent
          FROM sessions s JOIN users u ON u.id = s.user_id
          WHERE s.id_hash = ${tokenHash} AND ${live} AND u.disabled_at IS NULL
      ), stale AS (
        SELECT id FROM sessions WHERE id = (SELECT session_id FROM found)
            AND last_seen_at < now() - make_interval(secs => ${SEEN_INTERVAL_SECONDS}::integer)
          FOR UPDATE SKIP LOCKED
      ), seen AS (UPDATE sessions SET last_seen_at = now() WHERE id IN (SELECT id FROM stale))
      SELECT session_id, session_created_at, id, email, role, created_at, disabled_at, second_factor, is_recent FROM found`
      )

    const find = Effect.fn("LoginSessions.find")(function*(token: SessionToken) {
      const tokenHash = tokenHashOf(token)
      if (tokenHash === undefined) return Option.none<LoginSession>()
      const found = yield* findByHash(tokenHash).pipe(
        Effect.timeout(LOOKUP_TIMEOUT_MS),
        Effect.mapError(databaseUnavailable)
      )
      return Option.map(
        Option.fromUndefinedOr(found),
        ({ isRecent, secondFactor, sessionCreatedAt, sessionId, ...user }): LoginSession => ({
          sessionId,
          user,
          createdAt: sessionCreatedAt,
          secondFactor,
          isRecent
        })
      )
    })

    const close = Effect.fn("LoginSessions.close")(function*(token: SessionToken) {
      const tokenHash = tokenHashOf(token)
      if (tokenHash !== undefined) yield* orUnavailable(sql`DELETE FROM sessions WHERE id_hash = ${tokenHash}`)
    })

    const closeOthers = Effect.fn("LoginSessions.closeOthers")(function*(userId: UserId, keepToken: SessionToken) {
      yield* orUnavailable(deleteSessions(sql, userId, keepToken))
    })

    const closeAll = Effect.fn("LoginSessions.closeAll")(function*(userId: UserId) {
      yield* orUnavailable(deleteSessions(sql, userId))
    })

    const list = Effect.fn("LoginSessions.list")(function*(userId: UserId, current: SessionToken) {
      return yield* rowsOf(
        ListedSession,
        sql`SELECT s.id, coalesce(s.user_agent, '') AS user_agent, coalesce(s.address, '') AS address, s.created_at,
          s.last_seen_at, s.id_hash IS NOT DISTINCT FROM ${tokenHashOf(current) ?? null}::bytea AS current
        FROM sessions s WHERE s.user_id = ${userId} AND ${live} ORDER BY s.id DESC LIMIT ${SESSIONS_PER_USER_MAX}`
      ).pipe(orUnavailable)
    })

    return LoginSessions.of({ find, close, closeOthers, closeAll, list })
  }))
}
