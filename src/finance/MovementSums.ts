/**
 * What was booked in a stretch of time, summed from the rows by the dates on which they were written, and what plans have been paid
 * with for time that had not passed at a moment. The one place that reads them for statements, closings and the ledger check.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { isLedgerKind } from "../accounts/LedgerKinds.ts"
import { Micros, Minor } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { oneRowOf, rowsOf } from "../postgres/Rows.ts"
import { UnknownKind } from "./FinanceError.ts"
import { isCashKind, type Movements, type Unearned } from "./StatementLines.ts"

type Sql = SqlClient.SqlClient

/** From a moment on, and before another. Null: no bound, everything that the transaction sees. */
export interface Stretch {
  readonly from: Date | null
  readonly to: Date | null
}

/** The bounds that there are, as conditions: what is not asked for keeps no plan from using an index. */
const within = (column: string, { from, to }: Stretch): string =>
  [
    ...from === null ? [] : [`${column} >= $1`],
    ...to === null ? [] : [`${column} < $${from === null ? 1 : 2}`]
  ].map((condition) => ` AND ${condition}`).join("")

const ledgerSql = (stretch: Stretch) => `
  SELECT kind, sum(amount_micros)::bigint AS amount, sum(owed_micros)::bigint AS owed
  FROM ledger_entries WHERE true${within("created_at", stretch)} GROUP BY kind ORDER BY kind`

/**
 * A commit after the expiry is a movement of its own, on its own date: until then the call had cost what it was charged. Commits
 * from before there was \`late_at\` are one with the first settlement.
 */
const callsSql = (stretch: Stretch) => `
  SELECT coalesce(sum(charged), 0)::bigint AS charged, coalesce(sum(short), 0)::bigint AS short FROM (
    SELECT sum(charged_micros) FILTER (WHERE funding = 'balance') AS charged,
      sum(cost_micros - charged_micros) FILTER (WHERE funding <> 'free' AND late_at IS NULL) AS short
    FROM usage_events WHERE true${within("settled_at", stretch)}
    UNION ALL
    SELECT sum(late_charged_micros) FILTER (WHERE funding = 'balance'),
      sum(cost_micros - charged_micros - late_charged_micros) FILTER (WHERE funding <> 'free')
    FROM usage_events WHERE late_at IS NOT NULL${within("late_at", stretch)}
  ) parts`

const cashSql = (stretch: Stretch) => `
  SELECT kind, provider, currency, sum(amount_minor)::bigint AS amount
  FROM cash_movements WHERE true${within("booked_at", stretch)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`

const SumOfEntries = Row({ kind: Schema.String, amountMicros: Micros, owedMicros: Micros }, {
  amountMicros: "amount",
  owedMicros: "owed"
})

const SumOfCalls = Row({ chargedMicros: Micros, shortMicros: Micros }, {
  chargedMicros: "charged",
  shortMicros: "short"
})

const SumOfCash = Row(
  { kind: Schema.String, provider: Schema.String, currency: Schema.String, amountMinor: Minor },
  { amountMinor: "amount" }
)

/** What was booked in a stretch of time. */
export const movementsIn = (
  sql: Sql,
  stretch: Stretch
): Effect.Effect<Movements, SqlError.SqlError | UnknownKind> =>
  Effect.gen(function*() {
    const bounds = [stretch.from, stretch.to].filter((bound) => bound !== null)
    const entries = yield* rowsOf(SumOfEntries, sql.unsafe(ledgerSql(stretch), bounds))
    const ledger = yield* Effect.forEach(entries, ({ kind, ...sums }) =>
      isLedgerKind(kind) ? Effect.succeed({ kind, ...sums }) : Effect.fail(new UnknownKind({ kind })))
    const calls = yield* oneRowOf(SumOfCalls, sql.unsafe(callsSql(stretch), bounds))
    const moved = yield* rowsOf(SumOfCash, sql.unsafe(cashSql(stretch), bounds))
    const cash = yield* Effect.forEach(moved, ({ kind, ...sum }) =>
      isCashKind(kind) ? Effect.succeed({ kind, ...sum }) : Effect.fail(new UnknownKind({ kind })))
    return { ledger, calls, cash }
  })

/**
 * For each plan that was paid for: what was paid less what had come back, in proportion to the time left of its whole time, by its
 * terms at that moment. A plan that was suspended or ended then has none left.
 */
const unearnedSql = `
  SELECT p.currency, sum(div(
      (p.sold + p.returned) * greatest((extract(epoch FROM t.ends_at - greatest(c.at, t.starts_at)) * 1000000)::numeric, 0),
      (extract(epoch FROM t.ends_at - t.starts_at) * 1000000)::numeric
    ))::bigint AS minor
  FROM (SELECT coalesce($1::timestamptz, now()) AS at, $1::timestamptz AS bound) c
  CROSS JOIN user_subscriptions s
  CROSS JOIN LATERAL (
    SELECT status, starts_at, ends_at FROM (
      SELECT 0 AS place, h.id, h.status_before AS status, h.starts_before AS starts_at, h.ends_before AS ends_at
        FROM subscription_changes h WHERE h.subscription_id = s.id AND h.at >= c.bound
      UNION ALL
      SELECT 1, 0, s.status, s.starts_at, s.ends_at
    ) terms ORDER BY place, id LIMIT 1
  ) t
  CROSS JOIN LATERAL (
    SELECT m.currency, coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = 'plan_sold'), 0) AS sold,
        coalesce(sum(m.amount_minor) FILTER (WHERE m.kind = 'plan_returned'), 0) AS returned
      FROM payment_attempts a JOIN payments f ON f.attempt_id = a.id AND f.state = 'fulfilled'
        JOIN cash_movements m ON m.payment_id = f.id AND (c.bound IS NULL OR m.booked_at < c.bound)
      WHERE a.order_id = s.order_id GROUP BY m.currency
  ) p
  WHERE s.order_id IS NOT NULL AND (c.bound IS NULL OR s.created_at < c.bound) AND t.status = 'active' AND t.ends_at > c.at
    AND p.sold > 0
  GROUP BY p.currency ORDER BY p.currency`

const UnearnedSum = Row({ currency: Schema.String, minor: Minor })

/** What plans have been paid with for time after a moment, in the minor unit, by currency. Null: now, all that is seen counts. */
export const unearnedAt = (sql: Sql, at: Date | null): Effect.Effect<Unearned, SqlError.SqlError> =>
  Effect.map(
    rowsOf(UnearnedSum, sql.unsafe(unearnedSql, [at])),
    (rows) => new Map(rows.map(({ currency, minor }) => [currency, minor]))
  )

/** What balances, open holds and debts are at this moment. */
export const Held = Row(
  { usdMicros: Micros, heldMicros: Micros, owedMicros: Micros },
  { usdMicros: "usd", heldMicros: "held", owedMicros: "owed" }
)
export interface Held extends Schema.Schema.Type<typeof Held> {}

export const heldNow = (sql: Sql): Effect.Effect<Held, SqlError.SqlError> =>
  oneRowOf(
    Held,
    sql`SELECT coalesce(sum(usd_micros), 0)::bigint AS usd, coalesce(sum(held_micros), 0)::bigint AS held,
        coalesce(sum(owed_micros), 0)::bigint AS owed FROM user_balances`
  )
