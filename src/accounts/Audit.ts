/**
 * Proves over a live database, in one repeatable-read snapshot, that the books hold: no negative balance, every balance
 * and every debt the sum of its rows, windows the sum of their calls, each reservation resolved at most once and ended
 * by its lease, and the guards against deletion in place. Read only.
 */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { inTransaction } from "../platform/Transaction.ts"

/** A broken promise, for one user where it is one user's. */
export interface AuditProblem {
  readonly invariant: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I9"
  readonly userId: bigint | null
  readonly message: string
}

export interface AuditReport {
  readonly users: number
  readonly usageEvents: number
  readonly ledgerEntries: number
  readonly problems: ReadonlyArray<AuditProblem>
}

/** Users summed in one statement. */
const USERS_PER_STEP = 500

/** An open hold may outlive its lease by this, in seconds, before the audit calls it leaked: sweeps are not instant. */
const OVERDUE_SECONDS = 60

interface BalanceRow {
  readonly user_id: bigint
  readonly usd_micros: bigint
  readonly owed_micros: bigint
  readonly expected: bigint
  readonly expected_owed: bigint
}

const balancesSql = `
  SELECT b.user_id, b.usd_micros, b.owed_micros,
    (coalesce(l.amount, 0) - coalesce(u.charged, 0) - coalesce(u.held, 0))::bigint AS expected,
    (coalesce(l.owed, 0) + coalesce(l.recovered, 0) + coalesce(u.short, 0))::bigint AS expected_owed
  FROM user_balances b
  LEFT JOIN LATERAL (
    SELECT sum(amount_micros) AS amount, sum(owed_micros) AS owed,
      sum(amount_micros) FILTER (WHERE kind = 'recovery') AS recovered
    FROM ledger_entries WHERE user_id = b.user_id
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT sum(charged_micros) FILTER (WHERE funding = 'balance' AND state <> 'reserved') AS charged,
      sum(reserved_micros) FILTER (WHERE funding = 'balance' AND state = 'reserved') AS held,
      sum(cost_micros - charged_micros) FILTER (WHERE funding <> 'free' AND state <> 'reserved') AS short
    FROM usage_events WHERE user_id = b.user_id
  ) u ON true
  WHERE b.user_id > $1 ORDER BY b.user_id LIMIT $2`

const countsSql = `SELECT (SELECT count(*) FROM user_balances) AS users, (SELECT count(*) FROM usage_events) AS usage,
  (SELECT count(*) FROM ledger_entries) AS entries`

const windowsSql = `
  SELECT s.user_id, s.id, coalesce(w.micros, 0)::bigint AS windows, coalesce(u.micros, 0)::bigint AS calls
  FROM user_subscriptions s
  LEFT JOIN (SELECT subscription_id, sum(micros) AS micros FROM subscription_usage GROUP BY 1) w ON w.subscription_id = s.id
  LEFT JOIN (
    SELECT subscription_id, sum(CASE WHEN state = 'reserved' THEN reserved_micros ELSE charged_micros END) AS micros
    FROM usage_events WHERE funding = 'subscription' GROUP BY 1
  ) u ON u.subscription_id = s.id
  WHERE coalesce(w.micros, 0) <> coalesce(u.micros, 0)`

const resolvedSql = `
  SELECT user_id, id, state FROM usage_events
  WHERE (state = 'reserved' AND settled_at IS NOT NULL) OR (state = 'committed' AND usage_source IS NULL)
    OR charged_micros > cost_micros OR (late AND state <> 'committed')
  LIMIT 100`

const overdueSql = `SELECT user_id, id FROM usage_events
  WHERE state = 'reserved' AND lease_expires_at < now() - make_interval(secs => ${OVERDUE_SECONDS}) LIMIT 100`

const repeatedSql = `SELECT user_id, ref_type, ref_id FROM ledger_entries
  GROUP BY user_id, ref_type, ref_id, kind HAVING count(*) > 1 LIMIT 100`

const guards = [
  "keep_ledger_entries",
  "keep_ledger_entries_all",
  "keep_usage_events",
  "keep_usage_events_all",
  "keep_redemption_batches_gift",
  ...[
    "user_balances",
    "user_subscriptions",
    "topup_orders",
    "subscription_orders",
    "payment_attempts",
    "payment_events",
    "audit_log",
    "redemption_batches",
    "redemption_codes",
    "redemptions",
    "subscription_grants",
    "refund_requests"
  ]
    .flatMap((table) => [`keep_${table}`, `keep_${table}_all`])
]

/** A part of the audit that another folder knows about; read in the same snapshot. */
export type AuditCheck = (
  sql: SqlClient.SqlClient
) => Effect.Effect<ReadonlyArray<AuditProblem>, SqlError.SqlError>

/** Runs the audit with `checks` of others. `onProgress` is told how many of how many users are summed. */
export const audit = Effect.fn("Audit.audit")(function*(options: {
  readonly onProgress?: (done: number, total: number) => void
  readonly checks?: ReadonlyArray<AuditCheck>
}) {
  const sql = yield* SqlClient.SqlClient
  const checks = [otherProblems, ...options.checks ?? []]
  return yield* inTransaction(sql, inSnapshot(sql, options.onProgress ?? (() => undefined), checks)).pipe(
    Effect.provideService(SqlClient.BeginTransaction, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
  )
})

const inSnapshot = (
  sql: SqlClient.SqlClient,
  onProgress: (done: number, total: number) => void,
  checks: ReadonlyArray<AuditCheck>
): Effect.Effect<AuditReport, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* sql`SET LOCAL statement_timeout = 0`
    const [counts] = yield* sql.unsafe<{ users: bigint; usage: bigint; entries: bigint }>(countsSql)
    const users = Number(counts?.users ?? 0n)
    const problems: Array<AuditProblem> = []
    let after = -1n
    let done = 0
    while (true) {
      const rows: ReadonlyArray<BalanceRow> = yield* sql.unsafe<BalanceRow>(balancesSql, [after, USERS_PER_STEP])
      for (const row of rows) problems.push(...balanceProblems(row))
      done += rows.length
      onProgress(done, users)
      const last = rows[rows.length - 1]
      if (last === undefined || rows.length < USERS_PER_STEP) break
      after = last.user_id
    }
    for (const check of checks) problems.push(...yield* check(sql))
    return {
      users,
      usageEvents: Number(counts?.usage ?? 0n),
      ledgerEntries: Number(counts?.entries ?? 0n),
      problems
    }
  })

const balanceProblems = (row: BalanceRow): ReadonlyArray<AuditProblem> => {
  const problems: Array<AuditProblem> = []
  const add = (invariant: AuditProblem["invariant"], message: string) =>
    problems.push({ invariant, userId: row.user_id, message })
  if (row.usd_micros < 0n) add("I1", `the balance is ${row.usd_micros} micros`)
  if (row.usd_micros !== row.expected) {
    add("I2", `the balance is ${row.usd_micros}, its rows sum to ${row.expected} micros`)
  }
  if (row.owed_micros !== row.expected_owed) {
    add("I2", `${row.owed_micros} is owed, its rows sum to ${row.expected_owed} micros`)
  }
  return problems
}

const otherProblems: AuditCheck = (sql) =>
  Effect.gen(function*() {
    const problems: Array<AuditProblem> = []
    const windows = yield* sql.unsafe<{ user_id: bigint; id: bigint; windows: bigint; calls: bigint }>(windowsSql)
    for (const row of windows) {
      const message = `the windows of subscription ${row.id} hold ${row.windows}, its calls sum to ${row.calls} micros`
      problems.push({ invariant: "I7", userId: row.user_id, message })
    }
    for (const row of yield* sql.unsafe<{ user_id: bigint; id: string; state: string }>(resolvedSql)) {
      problems.push({
        invariant: "I3",
        userId: row.user_id,
        message: `reservation ${row.id} (${row.state}) contradicts itself`
      })
    }
    for (const row of yield* sql.unsafe<{ user_id: bigint; id: string }>(overdueSql)) {
      const message = `reservation ${row.id} is open past its lease: is a server running to sweep it?`
      problems.push({ invariant: "I6", userId: row.user_id, message })
    }
    for (const row of yield* sql.unsafe<{ user_id: bigint; ref_type: string; ref_id: string }>(repeatedSql)) {
      problems.push({ invariant: "I4", userId: row.user_id, message: `${row.ref_type} ${row.ref_id} was posted twice` })
    }
    const enabled = yield* sql.unsafe<{ tgname: string }>(
      "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'keep\\_%' AND tgenabled = 'O'"
    )
    const present = new Set(enabled.map((row) => row.tgname))
    for (const guard of guards.filter((name) => !present.has(name))) {
      problems.push({ invariant: "I9", userId: null, message: `the guard ${guard} is missing or switched off` })
    }
    return problems
  })
