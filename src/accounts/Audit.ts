/**
 * The ledger check: proves over a live database, in one repeatable-read snapshot, that the books hold. No balance is negative;
 * every balance and debt is the sum of its rows; every cost is that of its tokens; windows are the sum of their calls and within
 * their limits; each reservation ends once and by its lease; every ledger entry is explained; and the guards against deletion are
 * in place. It also lists what is not wrong but worth a look. Read only.
 */
import { Effect, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { auditAccounts } from "./AuditAccounts.ts"
import { auditBooks, auditDebts, type Debt } from "./AuditBooks.ts"
import { auditCalls, type CallAboveHold, type FlaggedCall } from "./AuditCalls.ts"

/** A broken promise, for one user where it is one user's. */
export interface AuditProblem {
  readonly invariant: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9"
  readonly userId: UserId | null
  readonly message: string
}

/** How many there are, and the newest of them. */
export interface AuditList<A> {
  readonly count: number
  /** At most 20. */
  readonly newest: ReadonlyArray<A>
}

export interface AuditReport {
  readonly users: number
  readonly usageEvents: number
  readonly ledgerEntries: number
  readonly problems: ReadonlyArray<AuditProblem>
  /** Calls whose reported usage was clamped or looked wrong. */
  readonly flagged: AuditList<FlaggedCall>
  /** Users who owe something; the newest are those of the newest users. */
  readonly debts: AuditList<Debt>
  /** Calls that cost more than was held for them. */
  readonly aboveHolds: AuditList<CallAboveHold>
}

const countsSql = `SELECT (SELECT count(*) FROM user_balances) AS users, (SELECT count(*) FROM calls) AS usage,
  (SELECT count(*) FROM ledger_entries) AS entries`

const Counts = Row({ users: Schema.BigInt, usage: Schema.BigInt, entries: Schema.BigInt })

/** A part of the ledger check that another folder knows about; read in the same snapshot. */
export type AuditCheck = (
  sql: SqlClient.SqlClient
) => Effect.Effect<ReadonlyArray<AuditProblem>, SqlError.SqlError>

export interface AuditOptions {
  /** Hears how many of how many users are summed. */
  readonly onProgress?: (done: number, total: number) => void
  /** What others check. */
  readonly checks?: ReadonlyArray<AuditCheck>
}

/** Runs the ledger check. */
export const audit = Effect.fn("Audit.audit")(function*(options: AuditOptions) {
  const sql = yield* SqlClient.SqlClient
  return yield* inTransaction(sql, inSnapshot(sql, options)).pipe(
    Effect.provideService(SqlClient.BeginTransaction, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  )
})

const inSnapshot = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { checks = [], onProgress }: AuditOptions
): Effect.fn.Return<AuditReport, SqlError.SqlError> {
  yield* sql`SET LOCAL statement_timeout = 0`
  const counts = yield* oneRowOf(Counts, sql.unsafe(countsSql))
  const users = Number(counts.users)
  const problems = [...yield* auditAccounts(sql, (done) => onProgress?.(done, users))]
  const calls = yield* auditCalls(sql)
  problems.push(...calls.problems)
  for (const check of [auditBooks, ...checks]) problems.push(...yield* check(sql))
  return {
    users,
    usageEvents: Number(counts.usage),
    ledgerEntries: Number(counts.entries),
    problems,
    flagged: calls.flagged,
    debts: yield* auditDebts(sql),
    aboveHolds: calls.aboveHolds
  }
})
