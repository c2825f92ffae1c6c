/**
 * The rows of login sessions, as parts of transactions that others open, and when a session is over. Ages are judged by
 * PostgreSQL's clock, the same for every server.
 * @internal
 */
import { Effect, Redacted } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"

const TOKEN_BYTES = 32

/** A session that is not used for so long is over. */
export const IDLE_DAYS_MAX = 7

/** It is over after so long however much it is used. */
export const SESSION_DAYS_MAX = 30

/** Sessions of one user; a new one beyond it ends the one that was idle longest. */
export const SESSIONS_PER_USER_MAX = 50

const USER_AGENT_LENGTH_MAX = 256
const ADDRESS_LENGTH_MAX = 64

/** The secret of a session, as its cookie carries it. */
export type SessionToken = Redacted.Redacted<string>

/** The client that logs in; both are what it says, and kept only to be shown to the user. */
export interface SessionClient {
  /** Its IP address as text. */
  readonly address: string
  /** Its `User-Agent` header; empty when it sends none. */
  readonly userAgent: string
}

const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** What is stored of a token; undefined for a text that is none of ours. */
export const tokenHashOf = (token: SessionToken): Buffer | undefined => {
  const text = Redacted.value(token)
  return tokenPattern.test(text) ? hash("sha256", text, "buffer") : undefined
}

/** A new secret and what is stored of it. */
export const makeToken = (): { readonly token: SessionToken; readonly tokenHash: Buffer } => {
  const text = randomBytes(TOKEN_BYTES).toString("base64url")
  return { token: Redacted.make(text), tokenHash: hash("sha256", text, "buffer") }
}

/** PostgreSQL keeps no NUL in a text, and a list has no use for other control characters. */
const cut = (text: string, lengthMax: number): string => text.replace(/\p{Cc}/gu, "").slice(0, lengthMax)

/** Opens a session of a user whose row the transaction has locked or made. */
export const insertSession = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  client: SessionClient
): Effect.Effect<SessionToken, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { token, tokenHash } = makeToken()
    yield* sql`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_id = ${userId}
      ORDER BY last_seen_at DESC, id DESC OFFSET ${SESSIONS_PER_USER_MAX - 1})`
    yield* sql`INSERT INTO sessions (id_hash, user_id, expires_at, user_agent, address)
      VALUES (${tokenHash}, ${userId}, now() + make_interval(days => ${SESSION_DAYS_MAX}::integer),
        ${cut(client.userAgent, USER_AGENT_LENGTH_MAX)}, ${cut(client.address, ADDRESS_LENGTH_MAX)})`
    return token
  })

/** Ends a user's sessions, all of them or all but the one of `keepToken`, and logins whose second factor is still asked for. */
export const deleteSessions = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  keepToken?: SessionToken
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* sql`DELETE FROM pending_logins WHERE user_id = ${userId}`
    yield* sql`DELETE FROM sessions
      WHERE user_id = ${userId} AND id_hash IS DISTINCT FROM ${(keepToken && tokenHashOf(keepToken)) ?? null}::bytea`
  })
