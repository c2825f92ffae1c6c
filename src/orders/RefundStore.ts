/**
 * Refunds that root asked for, as rows: written before the provider hears of them, and what became of them.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/** `unknown`: the provider's answer was none; whether money went back is for people to find out. */
export type RefundState = "requested" | "done" | "failed" | "unknown"

export interface RefundRequest {
  readonly id: bigint
  readonly key: string
  readonly attemptId: bigint
  readonly orderId: bigint
  /** In the minor unit of the attempt's currency. */
  readonly amountMinor: bigint
  readonly note: string
  readonly requestedBy: string
  readonly state: RefundState
  /** The provider's id of it; null where there is none. */
  readonly providerRefund: string | null
  /** Why it failed, or why it is unknown. */
  readonly problem: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface RefundRow {
  readonly id: bigint
  readonly request_key: string
  readonly attempt_id: bigint
  readonly order_id: bigint
  readonly amount_minor: bigint
  readonly note: string
  readonly requested_by: string
  readonly state: RefundState
  readonly provider_refund: string | null
  readonly problem: string
  readonly created_at: Date
  readonly updated_at: Date
}

const toRefund = (row: RefundRow): RefundRequest => ({
  id: row.id,
  key: row.request_key,
  attemptId: row.attempt_id,
  orderId: row.order_id,
  amountMinor: row.amount_minor,
  note: row.note,
  requestedBy: row.requested_by,
  state: row.state,
  providerRefund: row.provider_refund,
  problem: row.problem,
  createdAt: row.created_at,
  updatedAt: row.updated_at
})

/** Refunds listed of one order, at most: the newest. */
const LISTED_MAX = 100

const firstOf = (rows: ReadonlyArray<RefundRow>): RefundRequest | undefined =>
  rows[0] === undefined ? undefined : toRefund(rows[0])

export const findRefund = (sql: Sql, id: bigint): Read<RefundRequest | undefined> =>
  Effect.map(sql<RefundRow>`SELECT * FROM refund_requests WHERE id = ${id}`, firstOf)

/** The same, locked until the transaction under way ends. */
export const lockRefund = (sql: Sql, id: bigint): Read<RefundRequest | undefined> =>
  Effect.map(sql<RefundRow>`SELECT * FROM refund_requests WHERE id = ${id} FOR UPDATE`, firstOf)

export const findRefundByKey = (sql: Sql, key: string): Read<RefundRequest | undefined> =>
  Effect.map(sql<RefundRow>`SELECT * FROM refund_requests WHERE request_key = ${key}`, firstOf)

/** Of one order, newest first. */
export const refundsOf = (sql: Sql, orderId: bigint): Read<ReadonlyArray<RefundRequest>> =>
  Effect.map(
    sql<RefundRow>`SELECT * FROM refund_requests WHERE order_id = ${orderId} ORDER BY id DESC LIMIT ${LISTED_MAX}`,
    (rows) => rows.map(toRefund)
  )

export const insertRefund = (
  sql: Sql,
  refund: Pick<RefundRequest, "key" | "attemptId" | "orderId" | "amountMinor" | "note" | "requestedBy">
): Read<RefundRequest> =>
  Effect.flatMap(
    sql<RefundRow>`
      INSERT INTO refund_requests (request_key, attempt_id, order_id, amount_minor, note, requested_by)
        VALUES (${refund.key}, ${refund.attemptId}, ${refund.orderId}, ${refund.amountMinor}, ${refund.note},
          ${refund.requestedBy}) RETURNING *`,
    (rows) => {
      const refund = firstOf(rows)
      return refund === undefined ? Effect.die(new Error("a refund was not inserted")) : Effect.succeed(refund)
    }
  )

/** Writes down what became of a refund. */
export const setRefundState = (
  sql: Sql,
  id: bigint,
  to: { readonly state: RefundState; readonly providerRefund?: string | null; readonly problem?: string }
): Read<void> =>
  Effect.asVoid(sql`UPDATE refund_requests SET state = ${to.state}, problem = ${to.problem ?? ""},
      provider_refund = coalesce(${to.providerRefund ?? null}, provider_refund), updated_at = now()
    WHERE id = ${id}`)

const sumOf = (rows: ReadonlyArray<{ readonly minor: string }>): bigint => BigInt(rows[0]?.minor ?? "0")

/** What root has asked to give back of a payment, whether or not it is known to have gone through, in its minor unit. */
export const requestedMinor = (sql: Sql, attemptId: bigint): Read<bigint> =>
  Effect.map(
    sql<{ minor: string }>`SELECT coalesce(sum(amount_minor), 0)::text AS minor FROM refund_requests
      WHERE attempt_id = ${attemptId} AND state <> 'failed'`,
    sumOf
  )

/** What has gone back of a payment by root's refunds, in its minor unit; those that failed later included. */
export const doneMinor = (sql: Sql, attemptId: bigint): Read<bigint> =>
  Effect.map(
    sql<{ minor: string }>`SELECT coalesce(sum(amount_minor), 0)::text AS minor FROM refund_requests
      WHERE attempt_id = ${attemptId} AND state = 'done'`,
    sumOf
  )
