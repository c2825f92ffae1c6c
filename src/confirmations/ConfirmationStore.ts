/**
 * The rows of what waits for a second person: read, written once and closed once.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Fen, Micros } from "../domain/Money.ts"
import { Count, orElse, Row } from "../domain/Row.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { type AskedAction, confirmedActions } from "../platform/SecondPerson.ts"
import { countOf, type IdPage, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"

/** `expired`: nobody confirmed it in time. */
export const ConfirmationState = Schema.Literals(["pending", "confirmed", "rejected", "expired"])
export type ConfirmationState = typeof ConfirmationState.Type
export const confirmationStates = ConfirmationState.literals

const Action = Schema.Literals(confirmedActions)
const Facts = Schema.Record(Schema.String, Schema.NullOr(Schema.Union([Schema.String, Schema.Number, Schema.Boolean])))

export const Confirmation = Row({
  id: Schema.BigInt,
  action: Action,
  asked: Facts,
  facts: Facts,
  /** What it is worth, by the limit that counts, or by both. Both null: without bound, or a limit itself. */
  usdMicros: Schema.NullOr(Micros),
  fen: Schema.NullOr(Fen),
  note: Schema.String,
  requestedBy: UserId,
  /** The e-mail address of the requester. */
  requester: Schema.String,
  /** As the ledger names them. */
  requestedAs: Schema.String,
  address: orElse(Schema.String, ""),
  requestedAt: Schema.Date,
  expiresAt: Schema.Date,
  state: ConfirmationState,
  closedBy: Schema.NullOr(UserId),
  /** The e-mail address of the person who confirmed, rejected or withdrew it. */
  closer: Schema.NullOr(Schema.String),
  closedAt: Schema.NullOr(Schema.Date),
  closeNote: Schema.String
}, { state: "shown_state" })
export interface Confirmation extends Schema.Schema.Type<typeof Confirmation> {}

/** A request waits so long, in days. */
export const CONFIRMATION_DAYS = 7

const isKnown = Schema.is(Schema.Struct({ action: Action, asked: Facts, facts: Facts }))

/** A row of an action or of facts that this version does not know is not shown: it can be neither read nor done. */
const confirmationsOf = <E>(statement: Effect.Effect<ReadonlyArray<unknown>, E>) =>
  rowsOf(Confirmation, Effect.map(statement, (rows) => rows.filter((row) => isKnown(row))))

const columns =
  `c.*, CASE WHEN c.state = 'pending' AND c.expires_at <= now() THEN 'expired' ELSE c.state END AS shown_state,
  r.email AS requester, k.email AS closer`

const tables = "confirmations c JOIN users r ON r.id = c.requested_by LEFT JOIN users k ON k.id = c.closed_by"

/** Written out, so that the index of what waits is used. */
const stateSql: Readonly<Record<ConfirmationState, string>> = {
  pending: "c.state = 'pending' AND c.expires_at > now()",
  expired: "c.state = 'pending' AND c.expires_at <= now()",
  confirmed: "c.state = 'confirmed'",
  rejected: "c.state = 'rejected'"
}

export interface ConfirmationPage extends IdPage {
  readonly state?: ConfirmationState | undefined
}

export const listConfirmations = (
  sql: SqlClient.SqlClient,
  { before, limit, state }: ConfirmationPage
): Effect.Effect<ReadonlyArray<Confirmation>, SqlError.SqlError> =>
  confirmationsOf(
    sql.unsafe(
      `SELECT ${columns} FROM ${tables} WHERE ${state === undefined ? "true" : stateSql[state]}
        AND ($1::bigint IS NULL OR c.id < $1) ORDER BY c.id DESC LIMIT $2`,
      [before ?? null, limit]
    )
  )

/** `lock`: until the transaction under way ends. */
export const findConfirmation = (
  sql: SqlClient.SqlClient,
  id: bigint,
  { lock = false }: { readonly lock?: boolean } = {}
): Effect.Effect<Confirmation | undefined, SqlError.SqlError> =>
  Effect.map(
    confirmationsOf(
      sql.unsafe(`SELECT ${columns} FROM ${tables} WHERE c.id = $1 ${lock ? "FOR UPDATE OF c" : ""}`, [id])
    ),
    ([found]) => found
  )

/** Those that wait, and are not expired. */
export const countPending = (sql: SqlClient.SqlClient): Effect.Effect<number, SqlError.SqlError> =>
  countOf(sql`SELECT count(*) FROM confirmations WHERE state = 'pending' AND expires_at > now()`)

const Counts = Row({ waiting: Count, ofOne: Count, ofOneToday: Count })

/** What waits now, of all and of one person, and what that one has asked for within 24 hours. */
export const countRequests = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<
  { readonly waiting: number; readonly ofOne: number; readonly ofOneToday: number },
  SqlError.SqlError
> =>
  oneRowOf(
    Counts,
    sql`
      SELECT w.waiting, w.of_one, t.of_one_today
        FROM (SELECT count(*) AS waiting, count(*) FILTER (WHERE requested_by = ${userId}) AS of_one
          FROM confirmations WHERE state = 'pending' AND expires_at > now()) w,
        (SELECT count(*) AS of_one_today FROM confirmations
          WHERE requested_by = ${userId} AND requested_at > now() - interval '24 hours') t`
  )

/** A request that waits for a second person. */
const Waiting = Row({ id: Schema.BigInt, expiresAt: Schema.Date })

/** The same request of the same person that waits already. */
export const findSame = (
  sql: SqlClient.SqlClient,
  requestedBy: UserId,
  { action, asked, facts, note }: AskedAction
): Effect.Effect<typeof Waiting.Type | undefined, SqlError.SqlError> =>
  rowOf(
    Waiting,
    sql`SELECT id, expires_at FROM confirmations
      WHERE state = 'pending' AND expires_at > now() AND action = ${action} AND requested_by = ${requestedBy}
        AND asked = ${JSON.stringify(asked)}::jsonb AND facts = ${
      JSON.stringify(facts)
    }::jsonb AND note = ${note} LIMIT 1`
  )

export const insertConfirmation = (
  sql: SqlClient.SqlClient,
  actor: Actor & { readonly userId: UserId },
  { action, asked, facts, note }: AskedAction,
  worth: { readonly usdMicros: bigint | null; readonly fen: bigint | null }
): Effect.Effect<typeof Waiting.Type, SqlError.SqlError> =>
  oneRowOf(
    Waiting,
    sql`
      INSERT INTO confirmations (action, asked, facts, usd_micros, fen, note, requested_by, requested_as, address, expires_at)
        VALUES (${action}, ${JSON.stringify(asked)}::jsonb, ${JSON.stringify(facts)}::jsonb, ${worth.usdMicros}::bigint,
          ${worth.fen}::bigint, ${note}, ${actor.userId}, ${actor.name}, ${actor.address === "" ? null : actor.address},
          now() + make_interval(days => ${CONFIRMATION_DAYS}::integer))
        RETURNING id, expires_at`
  )

/** Of a row that is locked and pending. */
export const closeConfirmation = (
  sql: SqlClient.SqlClient,
  id: bigint,
  closed: { readonly state: "confirmed" | "rejected"; readonly by: UserId; readonly note: string }
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`UPDATE confirmations SET state = ${closed.state}, closed_by = ${closed.by}, closed_at = now(),
    close_note = ${closed.note} WHERE id = ${id}`)
