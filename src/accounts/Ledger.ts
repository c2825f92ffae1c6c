/**
 * Ledger entries are the one way to post money, inside the transaction that causes them. The balance row of the account is locked
 * until that transaction ends. The actors of the account hear of the entry when it commits.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { publish } from "../platform/Notifications.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import type { PostedKind } from "./LedgerKinds.ts"

/**
 * One entry; (refType, refId, kind) is its identity. A credit pays what is owed first. A debit in mode `strict` is refused
 * when the balance is short; in mode `owe` it takes what there is and the rest is owed. Mode `waive`, of the kind `waiver`
 * alone, lets the user off `amountMicros` of what is owed; the balance stays as it is.
 */
export interface LedgerEntry {
  readonly kind: PostedKind
  /** Signed, in micros. */
  readonly amountMicros: bigint
  readonly refType: string
  readonly refId: string
  /** Who acts, as in the audit log; `system` where nobody does. */
  readonly actor: string
  readonly note: string
  readonly mode: "strict" | "owe" | "waive"
}

/**
 * How an entry went. `repeated`: one of the same kind and reference is there already, nothing was written. `short`: a strict
 * debit above the balance, or a waiver above the debt. Amounts in micros, after the entry.
 */
export const LedgerOutcome = Row({
  outcome: Schema.Literals(["posted", "repeated", "short", "unknown_user"]),
  usdMicros: Micros,
  owedMicros: Micros
}, { usdMicros: "usd", owedMicros: "owed" })
export interface LedgerOutcome extends Schema.Schema.Type<typeof LedgerOutcome> {}

/** Posts an entry as part of the transaction under way. */
export const postInTransaction = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  entry: LedgerEntry
): Effect.Effect<LedgerOutcome, SqlError.SqlError> =>
  oneRowOf(
    LedgerOutcome,
    sql`SELECT outcome, usd, owed FROM realms_ledger_entry_v1(${userId}::bigint, ${entry.kind}, ${entry.amountMicros}::bigint,
      ${entry.refType}, ${entry.refId}, ${entry.actor}, ${entry.note}, ${entry.mode})`
  )

/** Locks an account for the transaction under way, before rows that depend on it are read and written. */
export const lockAccount = (sql: SqlClient.SqlClient, userId: UserId): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`SELECT FROM user_balances WHERE user_id = ${userId} FOR UPDATE`)

/** In place of a user's id: something that many accounts are decided on has changed. */
export const EVERY_ACCOUNT = "every"

/** Tells every process, when the transaction under way commits, that an account has changed. */
export const announceAccount = (sql: SqlClient.SqlClient, userId: UserId): Effect.Effect<void, SqlError.SqlError> =>
  publish(sql, "account", userId.toString())

/** The same of all accounts. */
export const announceAccounts = (sql: SqlClient.SqlClient): Effect.Effect<void, SqlError.SqlError> =>
  publish(sql, "account", EVERY_ACCOUNT)
