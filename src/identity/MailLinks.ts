/**
 * The rows of links that are sent by mail: each for one purpose and one address, good once and for a bounded time. Only the hash of a
 * token is stored.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowOf } from "../postgres/Rows.ts"
import { makeToken, type SessionToken, tokenHashOf } from "./SessionStore.ts"

/** `registration`: a new account; `verification`: the address that a user has; `change`: another one. */
export type MailPurpose = "registration" | "verification" | "change"

/** How long a link is good, in hours. */
export const MAIL_LINK_HOURS = { registration: 24, verification: 24, change: 1 } as const satisfies Record<
  MailPurpose,
  number
>

/** Links of one purpose and address, or user, that are good at once; a new one ends the oldest. */
const LINKS_MAX = 5

const MailLink = Row({
  userId: Schema.NullOr(UserId),
  email: Schema.String,
  /** Of the invitation that the registration began with. */
  inviteHash: Schema.NullOr(Schema.Uint8Array)
})
export interface MailLink extends Schema.Schema.Type<typeof MailLink> {}

export interface NewMailLink {
  readonly purpose: MailPurpose
  readonly email: string
  readonly userId?: UserId
  readonly inviteHash?: Buffer | undefined
}

export const insertMailLink = (
  sql: SqlClient.SqlClient,
  { email, inviteHash, purpose, userId }: NewMailLink
): Effect.Effect<SessionToken, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { token, tokenHash } = makeToken()
    yield* sql`DELETE FROM mail_links WHERE token_hash IN (
      SELECT token_hash FROM mail_links WHERE purpose = ${purpose}
        AND (user_id = ${userId ?? null}::bigint OR (${userId ?? null}::bigint IS NULL AND email = ${email}))
      ORDER BY created_at DESC OFFSET ${LINKS_MAX - 1})`
    yield* sql`INSERT INTO mail_links (token_hash, purpose, email, user_id, invite_hash, expires_at)
      VALUES (${tokenHash}, ${purpose}, ${email}, ${userId ?? null}::bigint, ${inviteHash ?? null}::bytea,
        now() + make_interval(hours => ${MAIL_LINK_HOURS[purpose]}::integer))`
    return token
  })

/** What a link is for, while it is good. */
export const findMailLink = (sql: SqlClient.SqlClient, purpose: MailPurpose, token: SessionToken) =>
  rowOf(
    MailLink,
    sql`SELECT user_id, email, invite_hash FROM mail_links
      WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND purpose = ${purpose} AND expires_at > now()`
  )

/** Uses a link up, as a part of the transaction that does what it is for; undefined: it was over. */
export const takeMailLink = (sql: SqlClient.SqlClient, purpose: MailPurpose, token: SessionToken) =>
  rowOf(
    MailLink,
    sql`DELETE FROM mail_links
      WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND purpose = ${purpose} AND expires_at > now()
      RETURNING user_id, email, invite_hash`
  )
