/**
 * The rows of login sessions, as parts of transactions that others open, and when a session is over. Ages are judged by
 * PostgreSQL's clock, the same for every server.
 * @internal
 */
import { Effect, Redacted, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { hash, randomBytes } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"
import type { Language } from "../domain/Language.ts"
import { Row } from "../domain/Row.ts"
import { boundedKey, writeNotice } from "../notices/Notices.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { networkOf, sitePrefixOf } from "./ClientNetwork.ts"
import { deviceOf } from "./Device.ts"

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

/** The client that logs in, as it says of itself. */
export interface SessionClient {
  /** Its IP address as text. */
  readonly address: string
  /** Its `User-Agent` header; empty when it sends none. */
  readonly userAgent: string
  /** That its user reads; absent: as before. */
  readonly language?: Language
}

const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** What is stored of a token; undefined for any other text. */
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

/** Networks that are remembered of one user, at most: of more, those seen longest ago are forgotten. */
const NETWORKS_PER_USER_MAX = 100

/** Of one IPv6 /48, at most: who has one has 65,536 networks, and neither makes them all known nor others forgotten. */
export const NETWORKS_PER_SITE_MAX = 10

const SeenBefore = Row({ isNew: Schema.Boolean, isFirst: Schema.Boolean, at: Schema.Date })

const knowNetwork = (sql: SqlClient.SqlClient, userId: UserId, network: string) =>
  sql`INSERT INTO login_networks (user_id, network) VALUES (${userId}, ${network})
    ON CONFLICT (user_id, network) DO UPDATE SET last_seen_at = now(), is_known = true`

/** The user is told of a sign-in from a network that none came from since the password was changed, but for the very first of all. */
const noteNetwork = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  userId: UserId,
  { address, userAgent }: SessionClient
) {
  const network = cut(networkOf(address), ADDRESS_LENGTH_MAX)
  if (network === "") return
  const { at, isFirst, isNew } = yield* oneRowOf(
    SeenBefore,
    sql`WITH known AS (SELECT network, is_known FROM login_networks WHERE user_id = ${userId}),
      seen AS (${knowNetwork(sql, userId, network)})
      SELECT NOT EXISTS (SELECT FROM known WHERE network = ${network} AND is_known) AS is_new,
        NOT EXISTS (SELECT FROM known) AS is_first, now() AS at`
  )
  if (!isNew || isFirst) return
  yield* sql`DELETE FROM login_networks WHERE user_id = ${userId} AND network IN (
    (SELECT network FROM login_networks WHERE user_id = ${userId}
      ORDER BY is_known DESC, last_seen_at DESC OFFSET ${NETWORKS_PER_USER_MAX})
    UNION ALL (SELECT network FROM login_networks
      WHERE user_id = ${userId} AND starts_with(network, ${sitePrefixOf(address) ?? null}::text)
      ORDER BY is_known DESC, last_seen_at DESC OFFSET ${NETWORKS_PER_SITE_MAX}))`
  // A client with many networks is told of some.
  const key = yield* boundedKey(sql, `new_network:${userId}`)
  if (key === undefined) return
  yield* writeNotice(sql, {
    key,
    kind: "new_network",
    userId,
    data: {
      address: cut(address, ADDRESS_LENGTH_MAX),
      device: deviceOf(userAgent) ?? null,
      at: at.toISOString()
    }
  })
})

/** Makes the client's network known: for a user who has proved more than a password, such as access to their mailbox. */
export const rememberNetwork = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  address: string
): Effect.Effect<void, SqlError.SqlError> => {
  const network = cut(networkOf(address), ADDRESS_LENGTH_MAX)
  return network === ""
    ? Effect.void
    : Effect.asVoid(knowNetwork(sql, userId, network))
}

/**
 * Whether the user who has this e-mail address has signed in from the client's network since the password was changed. It takes no longer
 * if nobody has the address.
 */
export const knowsNetwork = (
  sql: SqlClient.SqlClient,
  { address, email }: { readonly email: string; readonly address: string }
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    sql`SELECT FROM login_networks n JOIN users u ON u.id = n.user_id
      WHERE u.email = ${email} AND n.is_known AND n.network = ${cut(networkOf(address), ADDRESS_LENGTH_MAX)}`,
    ({ length }) => length > 0
  )

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
    yield* noteNetwork(sql, userId, client)
    if (client.language !== undefined) {
      yield* sql`UPDATE users SET language = ${client.language}
        WHERE id = ${userId} AND language IS DISTINCT FROM ${client.language}`
    }
    return token
  })

/**
 * Gives the one session that goes on a new token, and ends the user's others, after a change of how the user signs in: a copy
 * of the old token is worth nothing then.
 */
export const keepSession = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  keepToken: SessionToken
): Effect.Effect<SessionToken, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { token, tokenHash } = makeToken()
    yield* sql`UPDATE sessions SET id_hash = ${tokenHash}
      WHERE user_id = ${userId} AND id_hash = ${tokenHashOf(keepToken) ?? null}::bytea`
    yield* deleteSessions(sql, userId, token)
    return token
  })

/** Whether the session is still there, for a change that nothing else proves, under the lock of the user's row. */
export const hasSession = (sql: SqlClient.SqlClient, userId: UserId, token: SessionToken) =>
  Effect.map(
    sql`SELECT FROM sessions WHERE user_id = ${userId} AND id_hash = ${tokenHashOf(token) ?? null}::bytea`,
    (rows) => rows.length === 1
  )

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
