/**
 * The part of the ledger check that sums each account: its balance, its debt, what its open calls hold and how many they are,
 * each against its rows. Read in bounded steps.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { rowsOf } from "../postgres/Rows.ts"
import type { AuditProblem } from "./Audit.ts"
import { chargedOf } from "./Charged.ts"

/** Users summed in one statement. */
const USERS_PER_STEP = 500

const AccountSums = Row({
  userId: UserId,
  usdMicros: Micros,
  owedMicros: Micros,
  heldMicros: Micros,
  openHolds: Schema.Number,
  expected: Micros,
  expectedOwed: Micros,
  expectedHeld: Micros,
  expectedHolds: Schema.Number
})

const sumsSql = `
  SELECT b.user_id, b.usd_micros, b.owed_micros, b.held_micros, b.open_holds,
    (coalesce(l.amount, 0) - coalesce(u.charged, 0) - coalesce(o.held, 0))::bigint AS expected,
    (coalesce(l.owed, 0) + coalesce(l.recovered, 0) + coalesce(u.short, 0))::bigint AS expected_owed,
    coalesce(o.held, 0)::bigint AS expected_held, coalesce(o.holds, 0)::integer AS expected_holds
  FROM user_balances b
  LEFT JOIN LATERAL (
    SELECT sum(amount_micros) AS amount, sum(owed_micros) AS owed,
      sum(amount_micros) FILTER (WHERE kind = 'recovery') AS recovered
    FROM ledger_entries WHERE user_id = b.user_id
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT sum(${chargedOf("usage_events")}) FILTER (WHERE funding = 'balance') AS charged,
      sum(cost_micros - ${chargedOf("usage_events")}) FILTER (WHERE funding <> 'free') AS short
    FROM usage_events WHERE user_id = b.user_id
  ) u ON true
  LEFT JOIN LATERAL (
    SELECT sum(reserved_micros) FILTER (WHERE funding = 'balance') AS held, count(*) AS holds
    FROM open_holds WHERE user_id = b.user_id
  ) o ON true
  WHERE b.user_id > $1 ORDER BY b.user_id LIMIT $2`

const problemsOf = (sums: typeof AccountSums.Type): ReadonlyArray<AuditProblem> => {
  const problems: Array<AuditProblem> = []
  const add = (invariant: AuditProblem["invariant"], message: string) =>
    problems.push({ invariant, userId: sums.userId, message })
  if (sums.usdMicros < 0n) add("I1", `the balance is ${sums.usdMicros} micros`)
  if (sums.usdMicros !== sums.expected) {
    add("I2", `the balance is ${sums.usdMicros}, its rows sum to ${sums.expected} micros`)
  }
  if (sums.owedMicros !== sums.expectedOwed) {
    add("I2", `${sums.owedMicros} is owed, its rows sum to ${sums.expectedOwed} micros`)
  }
  if (sums.heldMicros !== sums.expectedHeld) {
    add("I2", `${sums.heldMicros} is held, its open calls hold ${sums.expectedHeld} micros`)
  }
  if (sums.openHolds !== sums.expectedHolds) {
    add("I3", `${sums.openHolds} calls are counted as open, ${sums.expectedHolds} are`)
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
    const step = yield* rowsOf(AccountSums, sql.unsafe(sumsSql, [after, USERS_PER_STEP]))
    for (const sums of step) problems.push(...problemsOf(sums))
    done += step.length
    onProgress(done)
    const last = step[step.length - 1]
    if (last === undefined || step.length < USERS_PER_STEP) return problems
    after = last.userId
  }
})
