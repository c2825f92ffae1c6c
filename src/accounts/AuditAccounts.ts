/**
 * The part of the ledger check that sums each account: its balance, its debt, what its open calls hold and how many they are,
 * each against its rows. Read in bounded steps.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { AuditProblem } from "./Audit.ts"
import { chargedOf } from "./Charged.ts"

/** Users summed in one statement. */
const USERS_PER_STEP = 500

interface AccountSums {
  readonly user_id: bigint
  readonly usd_micros: bigint
  readonly owed_micros: bigint
  readonly held_micros: bigint
  readonly open_holds: number
  readonly expected: bigint
  readonly expected_owed: bigint
  readonly expected_held: bigint
  readonly expected_holds: number
}

const sumsSql = `
  SELECT b.user_id, b.usd_micros, b.owed_micros, b.held_micros, b.open_holds,
    (coalesce(l.amount, 0) - coalesce(u.charged, 0) - coalesce(u.held, 0))::bigint AS expected,
    (coalesce(l.owed, 0) + coalesce(l.recovered, 0) + coalesce(u.short, 0))::bigint AS expected_owed,
    coalesce(u.held, 0)::bigint AS expected_held, coalesce(u.holds, 0)::integer AS expected_holds
  FROM user_balances b
  LEFT JOIN LATERAL (
    SELECT sum(amount_micros) AS amount, sum(owed_micros) AS owed,
      sum(amount_micros) FILTER (WHERE kind = 'recovery') AS recovered
    FROM ledger_entries WHERE user_id = b.user_id
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT sum(${chargedOf("usage_events")}) FILTER (WHERE funding = 'balance' AND state <> 'reserved') AS charged,
      sum(reserved_micros) FILTER (WHERE funding = 'balance' AND state = 'reserved') AS held,
      count(*) FILTER (WHERE state = 'reserved') AS holds,
      sum(cost_micros - ${chargedOf("usage_events")}) FILTER (WHERE funding <> 'free' AND state <> 'reserved') AS short
    FROM usage_events WHERE user_id = b.user_id
  ) u ON true
  WHERE b.user_id > $1 ORDER BY b.user_id LIMIT $2`

const problemsOf = (row: AccountSums): ReadonlyArray<AuditProblem> => {
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
  if (row.held_micros !== row.expected_held) {
    add("I2", `${row.held_micros} is held, its open calls hold ${row.expected_held} micros`)
  }
  if (row.open_holds !== row.expected_holds) {
    add("I3", `${row.open_holds} calls are counted as open, ${row.expected_holds} are`)
  }
  return problems
}

/** Sums every account, in the snapshot of the transaction under way. `onProgress` hears how many are summed. */
export const auditAccounts = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  onProgress: (done: number) => void
): Effect.fn.Return<ReadonlyArray<AuditProblem>, SqlError.SqlError> {
  const problems: Array<AuditProblem> = []
  let after = -1n
  let done = 0
  while (true) {
    const rows = yield* sql.unsafe<AccountSums>(sumsSql, [after, USERS_PER_STEP])
    for (const row of rows) problems.push(...problemsOf(row))
    done += rows.length
    onProgress(done)
    const last = rows[rows.length - 1]
    if (last === undefined || rows.length < USERS_PER_STEP) return problems
    after = last.user_id
  }
})
