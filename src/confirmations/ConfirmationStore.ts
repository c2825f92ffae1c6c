/**
 * The rows of what waits for a second person: read, written once and closed once.
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Actor } from "../platform/AuditLog.ts"
import {
  type AskedAction,
  type ConfirmationFacts,
  type ConfirmedAction,
  confirmedActions
} from "../platform/SecondPerson.ts"

/** `expired`: nobody confirmed it in time. */
export const confirmationStates = ["pending", "confirmed", "rejected", "expired"] as const
export type ConfirmationState = typeof confirmationStates[number]

export interface Confirmation {
  readonly id: bigint
  readonly action: ConfirmedAction
  readonly asked: ConfirmationFacts
  readonly facts: ConfirmationFacts
  /** What it is worth, by the limit that counts, or by both. Both null: without bound, or a limit itself. */
  readonly usdMicros: bigint | null
  readonly fen: bigint | null
  readonly note: string
  readonly requestedBy: bigint
  /** The e-mail address of whoever asked. */
  readonly requester: string
  /** As the ledger names them. */
  readonly requestedAs: string
  readonly address: string
  readonly requestedAt: Date
  readonly expiresAt: Date
  readonly state: ConfirmationState
  readonly closedBy: bigint | null
  /** The e-mail address of whoever confirmed or rejected it. */
  readonly closer: string | null
  readonly closedAt: Date | null
  readonly closeNote: string
}

/** A request waits so long, in days. */
export const CONFIRMATION_DAYS = 7

interface Row {
  readonly id: bigint
  readonly action: string
  readonly asked: ConfirmationFacts
  readonly facts: ConfirmationFacts
  readonly usd_micros: bigint | null
  readonly fen: bigint | null
  readonly note: string
  readonly requested_by: bigint
  readonly requester: string
  readonly requested_as: string
  readonly address: string | null
  readonly requested_at: Date
  readonly expires_at: Date
  readonly shown_state: ConfirmationState
  readonly closed_by: bigint | null
  readonly closer: string | null
  readonly closed_at: Date | null
  readonly close_note: string
}

const isAction = (text: string): text is ConfirmedAction => confirmedActions.some((action) => action === text)

/** A row of an action that this version does not know is not shown: it can be neither read nor done. */
const toConfirmation = (row: Row): ReadonlyArray<Confirmation> =>
  isAction(row.action)
    ? [{
      id: row.id,
      action: row.action,
      asked: row.asked,
      facts: row.facts,
      usdMicros: row.usd_micros,
      fen: row.fen,
      note: row.note,
      requestedBy: row.requested_by,
      requester: row.requester,
      requestedAs: row.requested_as,
      address: row.address ?? "",
      requestedAt: row.requested_at,
      expiresAt: row.expires_at,
      state: row.shown_state,
      closedBy: row.closed_by,
      closer: row.closer,
      closedAt: row.closed_at,
      closeNote: row.close_note
    }]
    : []

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

/** Newest first. */
export const listConfirmations = (
  sql: SqlClient.SqlClient,
  { before, limit, state }: {
    readonly state?: ConfirmationState | undefined
    readonly before?: bigint | undefined
    readonly limit: number
  }
): Effect.Effect<ReadonlyArray<Confirmation>, SqlError.SqlError> =>
  Effect.map(
    sql.unsafe<Row>(
      `SELECT ${columns} FROM ${tables} WHERE ${state === undefined ? "true" : stateSql[state]}
        AND ($1::bigint IS NULL OR c.id < $1) ORDER BY c.id DESC LIMIT $2`,
      [before ?? null, limit]
    ),
    (rows) => rows.flatMap(toConfirmation)
  )

/** `lock`: until the transaction under way ends. */
export const findConfirmation = (
  sql: SqlClient.SqlClient,
  id: bigint,
  { lock = false }: { readonly lock?: boolean } = {}
): Effect.Effect<Confirmation | undefined, SqlError.SqlError> =>
  Effect.map(
    sql.unsafe<Row>(`SELECT ${columns} FROM ${tables} WHERE c.id = $1 ${lock ? "FOR UPDATE OF c" : ""}`, [id]),
    (rows) => rows.flatMap(toConfirmation)[0]
  )

/** Those that wait, and are not expired. */
export const countPending = (sql: SqlClient.SqlClient): Effect.Effect<number, SqlError.SqlError> =>
  Effect.map(
    sql<
      { waiting: bigint }
    >`SELECT count(*) AS waiting FROM confirmations WHERE state = 'pending' AND expires_at > now()`,
    ([row]) => Number(row?.waiting ?? 0n)
  )

/** What waits now, of all and of one person, and what that one has asked for within 24 hours. */
export const countRequests = (
  sql: SqlClient.SqlClient,
  userId: bigint
): Effect.Effect<
  { readonly waiting: number; readonly ofOne: number; readonly ofOneToday: number },
  SqlError.SqlError
> =>
  Effect.map(
    sql<{ waiting: bigint; of_one: bigint; of_one_today: bigint }>`
      SELECT w.waiting, w.of_one, t.of_one_today
        FROM (SELECT count(*) AS waiting, count(*) FILTER (WHERE requested_by = ${userId}) AS of_one
          FROM confirmations WHERE state = 'pending' AND expires_at > now()) w,
        (SELECT count(*) AS of_one_today FROM confirmations
          WHERE requested_by = ${userId} AND requested_at > now() - interval '24 hours') t`,
    ([row]) => ({
      waiting: Number(row?.waiting ?? 0n),
      ofOne: Number(row?.of_one ?? 0n),
      ofOneToday: Number(row?.of_one_today ?? 0n)
    })
  )

/** The same request of the same person that waits already. */
export const findSame = (
  sql: SqlClient.SqlClient,
  requestedBy: bigint,
  { action, asked, facts, note }: AskedAction
): Effect.Effect<{ readonly id: bigint; readonly expires_at: Date } | undefined, SqlError.SqlError> =>
  Effect.map(
    sql<{ id: bigint; expires_at: Date }>`SELECT id, expires_at FROM confirmations
      WHERE state = 'pending' AND expires_at > now() AND action = ${action} AND requested_by = ${requestedBy}
        AND asked = ${JSON.stringify(asked)}::jsonb AND facts = ${
      JSON.stringify(facts)
    }::jsonb AND note = ${note} LIMIT 1`,
    ([row]) => row
  )

export const insertConfirmation = (
  sql: SqlClient.SqlClient,
  actor: Actor & { readonly userId: bigint },
  { action, asked, facts, note }: AskedAction,
  worth: { readonly usdMicros: bigint | null; readonly fen: bigint | null }
): Effect.Effect<{ readonly id: bigint; readonly expires_at: Date }, SqlError.SqlError> =>
  Effect.flatMap(
    sql<{ id: bigint; expires_at: Date }>`
      INSERT INTO confirmations (action, asked, facts, usd_micros, fen, note, requested_by, requested_as, address, expires_at)
        VALUES (${action}, ${JSON.stringify(asked)}::jsonb, ${JSON.stringify(facts)}::jsonb, ${worth.usdMicros}::bigint,
          ${worth.fen}::bigint, ${note}, ${actor.userId}, ${actor.name}, ${actor.address === "" ? null : actor.address},
          now() + make_interval(days => ${CONFIRMATION_DAYS}::integer))
        RETURNING id, expires_at`,
    ([row]) => row === undefined ? Effect.die(new Error("a confirmation was not written")) : Effect.succeed(row)
  )

/** Of a row that is locked and pending. */
export const closeConfirmation = (
  sql: SqlClient.SqlClient,
  id: bigint,
  closed: { readonly state: "confirmed" | "rejected"; readonly by: bigint; readonly note: string }
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`UPDATE confirmations SET state = ${closed.state}, closed_by = ${closed.by}, closed_at = now(),
    close_note = ${closed.note} WHERE id = ${id}`)
