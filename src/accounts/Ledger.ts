/**
 * Ledger entries made inside another's own transaction: how settlement credits what was bought and takes back what was
 * refunded. The account's balance row is locked by it until that transaction ends; its actors hear of it when it commits.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Post } from "./AccountState.ts"

/**
 * How an entry went. `repeated`: one of the same kind and reference is there already, nothing was written. `short`: a strict
 * debit above the balance. Amounts in micros, after the entry.
 */
export interface LedgerOutcome {
  readonly outcome: "posted" | "repeated" | "short" | "unknown_user"
  readonly usdMicros: bigint
  readonly owedMicros: bigint
}

/** Posts an entry as part of the transaction under way. */
export const postInTransaction = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  entry: Post
): Effect.Effect<LedgerOutcome, SqlError.SqlError> =>
  sql<{ outcome: LedgerOutcome["outcome"]; usd: bigint; owed: bigint }>`
    SELECT outcome, usd, owed FROM realms_ledger_entry_v1(${userId}::bigint, ${entry.kind}, ${entry.amountMicros}::bigint,
      ${entry.refType}, ${entry.refId}, ${entry.actor}, ${entry.note}, ${entry.mode})`.pipe(
    Effect.map(([row]) => ({
      outcome: row?.outcome ?? "unknown_user",
      usdMicros: row?.usd ?? 0n,
      owedMicros: row?.owed ?? 0n
    }))
  )

/** Locks an account for the transaction under way, before rows that depend on it are read and written. */
export const lockAccount = (sql: SqlClient.SqlClient, userId: bigint): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`SELECT FROM user_balances WHERE user_id = ${userId} FOR UPDATE`)

/** Tells every process, when the transaction under way commits, that an account has changed. */
export const announceAccount = (sql: SqlClient.SqlClient, userId: bigint): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`SELECT pg_notify('realms', ${`account:${userId}`})`)
