/**
 * Invitations: links by which people make accounts where registration is by invitation, or is open. Each is good for so many accounts and
 * so many days, or for one address alone, and can be revoked. A link is shown once; only the hash of its token is stored. Uses are
 * counted by the statement that takes one, so that no two accounts share the last.
 */
import { Context, Effect, Layer, Option, type Redacted, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { InviteId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type IdPage, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { InviteInvalid } from "./IdentityError.ts"
import { isKeyName } from "./NewApiKey.ts"
import { makeToken, tokenHashOf } from "./SessionStore.ts"

/** Accounts by one invitation, at most. */
export const INVITE_USES_MAX = 1_000

/** How long one is good, at most. */
export const INVITE_DAYS_MAX = 365

/** Invitations that can still be used, at most. */
const LIVE_INVITES_MAX = 1_000

/** Of the advisory lock under which invitations are made. */
const MAKE_LOCK = 7_304_160_543n

/** The token of an invitation's link. */
export type InviteToken = Redacted.Redacted<string>

export class InviteNotFound extends Schema.TaggedError<InviteNotFound>()("InviteNotFound", {}) {
  override readonly message = "there is no such invitation"
}

const inviteMessages = {
  note: "a note has at most 100 characters, in one line",
  email: "this is not an e-mail address",
  uses: `an invitation is good for 1 to ${INVITE_USES_MAX} accounts, and for one where it names an address`,
  days: `an invitation is good for 1 to ${INVITE_DAYS_MAX} days`,
  many: "there are too many invitations: revoke one first"
} as const

/** An invitation cannot be as it was asked for; `reason` is what is wrong. */
export class InviteRefused extends Schema.TaggedError<InviteRefused>()("InviteRefused", {
  reason: Schema.Literals(["note", "email", "uses", "days", "many"])
}) {
  override readonly message = inviteMessages[this.reason]
}

export interface NewInvite {
  /** For administrators; may be empty. */
  readonly note: string
  /** The only address that it is good for; null: any. */
  readonly email: string | null
  readonly usesMax: number
  readonly validDays: number
}

export const Invite = Row({
  id: InviteId,
  note: Schema.String,
  email: Schema.NullOr(Schema.String),
  usesMax: Schema.Int,
  uses: Schema.Int,
  createdAt: Schema.Date,
  expiresAt: Schema.Date,
  revokedAt: Schema.NullOr(Schema.Date)
})
export interface Invite extends Schema.Schema.Type<typeof Invite> {}

/** Told this once. */
export interface CreatedInvite {
  readonly id: InviteId
  readonly token: InviteToken
  readonly expiresAt: Date
}

const Made = Row({ id: InviteId, expiresAt: Schema.Date })

const Counted = Row({ count: Schema.BigInt })

/** Whom an invitation is for. */
const Taken = Row({ id: InviteId, email: Schema.NullOr(Schema.String) })

/** Of a row of `invites`. */
const liveSql = "(revoked_at IS NULL AND expires_at > now() AND uses < uses_max)"

const columns = "id, note, email, uses_max, uses, created_at, expires_at, revoked_at"

export class Invites extends Context.Service<Invites, {
  create(actor: Actor, invite: NewInvite): Effect.Effect<CreatedInvite, InviteRefused | DatabaseUnavailable>
  /** Newest first. */
  list(page: IdPage): Effect.Effect<ReadonlyArray<Invite>, DatabaseUnavailable>
  find(id: InviteId): Effect.Effect<Option.Option<Invite>, DatabaseUnavailable>
  /** For good. Revoking a revoked one changes nothing. */
  revoke(actor: Actor, id: InviteId): Effect.Effect<void, InviteNotFound | DatabaseUnavailable>
  /** Whom a link is for, while it is good: the address, or null for anybody. */
  open(token: InviteToken): Effect.Effect<Option.Option<string | null>, DatabaseUnavailable>
}>()("realms/identity/Invites") {
  static readonly layer = Layer.effect(Invites)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const write = Effect.fnUntraced(function*(actor: Actor, invite: NewInvite & { readonly email: string | null }) {
      yield* sql`SELECT pg_advisory_xact_lock(${MAKE_LOCK})`
      const live = yield* oneRowOf(Counted, sql`SELECT count(*) FROM invites WHERE ${sql.literal(liveSql)}`)
      if (live.count >= BigInt(LIVE_INVITES_MAX)) return yield* new InviteRefused({ reason: "many" })
      const { token, tokenHash } = makeToken()
      const { email, note, usesMax, validDays } = invite
      const made = yield* oneRowOf(
        Made,
        sql`INSERT INTO invites (token_hash, note, email, uses_max, expires_at)
          VALUES (${tokenHash}, ${note}, ${email}, ${usesMax}, now() + make_interval(days => ${validDays}::integer))
          RETURNING id, expires_at`
      )
      yield* recordChange(sql, actor, {
        action: "invite.created",
        target: `invite:${made.id}`,
        before: null,
        after: { note, email, uses_max: usesMax, expires_at: made.expiresAt.toISOString() }
      })
      return { ...made, token }
    })

    const create = Effect.fn("Invites.create")(function*(actor: Actor, invite: NewInvite) {
      const note = invite.note.trim()
      const email = invite.email === null ? null : normalizeEmail(invite.email)
      const reason = flawOf(invite, note, email)
      if (reason !== undefined || email === undefined) return yield* new InviteRefused({ reason: reason ?? "email" })
      return yield* inTransaction(sql, write(actor, { ...invite, note, email })).pipe(orUnavailable)
    })

    const revokeNow = Effect.fnUntraced(function*(actor: Actor, id: InviteId) {
      const invite = yield* rowOf(
        Invite,
        sql`SELECT ${sql.literal(columns)} FROM invites WHERE id = ${id} FOR UPDATE`
      )
      if (invite === undefined) return yield* new InviteNotFound()
      if (invite.revokedAt !== null) return
      yield* sql`UPDATE invites SET revoked_at = now() WHERE id = ${id}`
      yield* recordChange(sql, actor, {
        action: "invite.revoked",
        target: `invite:${id}`,
        before: { note: invite.note },
        after: null
      })
    })

    return Invites.of({
      create,
      list: ({ before, limit }) =>
        rowsOf(
          Invite,
          sql`SELECT ${sql.literal(columns)} FROM invites
            WHERE (${before ?? null}::bigint IS NULL OR id < ${before ?? null}::bigint) ORDER BY id DESC LIMIT ${limit}`
        ).pipe(orUnavailable),
      find: (id) =>
        rowOf(Invite, sql`SELECT ${sql.literal(columns)} FROM invites WHERE id = ${id}`).pipe(
          Effect.map(Option.fromUndefinedOr),
          orUnavailable
        ),
      revoke: Effect.fn("Invites.revoke")(function*(actor, id) {
        yield* inTransaction(sql, revokeNow(actor, id)).pipe(orUnavailable)
      }),
      open: (token) =>
        openInvite(sql, token).pipe(
          Effect.map((found) => Option.map(Option.fromUndefinedOr(found), ({ email }) => email)),
          orUnavailable
        )
    })
  }))
}

const isCount = (value: number, max: number): boolean => Number.isInteger(value) && value >= 1 && value <= max

const flawOf = (
  { usesMax, validDays }: NewInvite,
  note: string,
  email: string | null | undefined
): InviteRefused["reason"] | undefined => {
  if (!isKeyName(note)) return "note"
  if (email === undefined) return "email"
  if (!isCount(usesMax, INVITE_USES_MAX) || (email !== null && usesMax !== 1)) return "uses"
  return isCount(validDays, INVITE_DAYS_MAX) ? undefined : "days"
}

/** The invitation of a link that is good at this moment. */
export const openInvite = (sql: SqlClient.SqlClient, token: InviteToken) =>
  rowOf(
    Taken,
    sql`SELECT id, email FROM invites
      WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND ${sql.literal(liveSql)}`
  )

/** Counts an account of this address, as a part of the transaction that makes it; answers the invitation's id. */
export const takeInvite = (
  sql: SqlClient.SqlClient,
  tokenHash: Buffer | undefined,
  email: string
): Effect.Effect<InviteId, InviteInvalid | SqlError.SqlError> =>
  Effect.gen(function*() {
    const taken = yield* rowOf(
      Taken,
      sql`UPDATE invites SET uses = uses + 1
        WHERE token_hash = ${tokenHash ?? null}::bytea AND ${sql.literal(liveSql)}
          AND (email IS NULL OR email = ${email}) RETURNING id, email`
    )
    return taken === undefined ? yield* new InviteInvalid() : taken.id
  })
