/**
 * The part of the ledger check that is about the books: the lines of all time add up to what users have, hold and owe; movements of
 * cash to the rows that they are of; and closed days, one after the other, to what is booked in them.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { AuditCheck, AuditProblem } from "../accounts/Audit.ts"
import { checkOf } from "../accounts/AuditFindings.ts"
import { heldNow, movementsIn } from "./MovementSums.ts"
import { closedBooks, lastClosedBy } from "./StatementDays.ts"
import { type Books, booksAfter, encodeBooks, joinAll, noBooks } from "./StatementLines.ts"

const problem = (message: string): AuditProblem => ({ invariant: "I2", userId: null, message })

/** What each payment, refund and dispute should have booked, against what is. */
const cashSql = `
  SELECT NULL::bigint AS user_id, format('%s is booked with %s in the minor unit, its row says %s', d.what, d.booked, d.due) AS message
  FROM (
    SELECT format('payment %s (%s)', p.id, k.what) AS what, k.due, coalesce((
        SELECT sum(m.amount_minor) FROM cash_movements m WHERE m.payment_id = p.id AND m.kind = ANY (k.kinds)), 0) AS booked
      FROM payments p CROSS JOIN LATERAL (VALUES
        ('payment', '{payment,payment_correction}'::text[], coalesce(p.received_minor, 0)),
        ('manual', '{manual}', CASE WHEN p.manual AND p.received_minor IS NULL THEN coalesce(p.paid_minor, 0) ELSE 0 END),
        ('in_review', '{in_review}', CASE WHEN p.state = 'in_review' THEN coalesce(p.received_minor, 0) ELSE 0 END),
        ('dismissed', '{dismissed}', CASE WHEN p.state = 'dismissed' THEN coalesce(p.received_minor, 0) ELSE 0 END)
      ) AS k (what, kinds, due)
    UNION ALL
    SELECT format('refund %s', r.id), CASE WHEN r.state IN ('failed', 'canceled') THEN 0 ELSE -r.amount_minor END, coalesce((
        SELECT sum(m.amount_minor) FROM cash_movements m WHERE m.refund_id = r.id), 0)
      FROM payment_refunds r
    UNION ALL
    SELECT format('dispute %s', t.id), -t.taken_minor, coalesce((
        SELECT sum(m.amount_minor) FROM cash_movements m WHERE m.dispute_id = t.id), 0)
      FROM payment_disputes t
  ) d WHERE d.booked <> d.due`

/** A day begins where the one before it ended, with what that one ended with. */
const chainSql = `
  SELECT NULL::bigint AS user_id, format('the closed day %s does not begin where %s ended', d.day, d.before) AS message
  FROM (
    SELECT day, starts_at, lines, lag(day) OVER w AS before, lag(ends_at) OVER w AS ended_at, lag(lines) OVER w AS ended_with
      FROM statement_days WINDOW w AS (ORDER BY starts_at)
  ) d
  WHERE d.before IS NOT NULL AND (d.starts_at <> d.ended_at OR d.day <= d.before
    OR d.lines #> '{balances,opening}' <> d.ended_with #> '{balances,closing}'
    OR d.lines #> '{debts,opening}' <> d.ended_with #> '{debts,closing}')`

const differ = (
  what: string,
  { real, stated }: { readonly stated: bigint; readonly real: bigint }
): ReadonlyArray<AuditProblem> =>
  stated === real ? [] : [problem(`the lines of all time make ${what} ${stated}, the rows ${real} micros`)]

const cashDiffers = (stated: Books, real: Books): ReadonlyArray<AuditProblem> => {
  const textOf = ({ cash }: Books) => JSON.stringify(encodeBooks({ ...noBooks, cash }).cash)
  return textOf(stated) === textOf(real) ? [] : [problem("the cash of closed days is not what is booked in them")]
}

const sumsAgree = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const all = booksAfter(noBooks, yield* movementsIn(sql, { from: null, to: null }), new Map())
  const held = yield* heldNow(sql)
  const last = yield* lastClosedBy(sql, null)
  const closed = last === undefined
    ? undefined
    : booksAfter(noBooks, yield* movementsIn(sql, { from: null, to: last.endsAt }), new Map())
  return [
    ...differ("what users have", { stated: all.balances.closing, real: held.usdMicros + held.heldMicros }),
    ...differ("what users owe", { stated: all.debts.closing, real: held.owedMicros }),
    ...last === undefined || closed === undefined ? [] : [
      ...differ(`the closing balance of ${last.day}`, {
        stated: last.books.balances.closing,
        real: closed.balances.closing
      }),
      ...differ(`the closing debt of ${last.day}`, {
        stated: last.books.debts.closing,
        real: closed.debts.closing
      }),
      ...cashDiffers(joinAll(noBooks, yield* closedBooks(sql)), closed)
    ]
  ]
})

const comparisons = checkOf([["I2", cashSql], ["I2", chainSql]])

export const booksAudit: AuditCheck = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient): Effect.fn.Return<ReadonlyArray<AuditProblem>, SqlError.SqlError> {
    const found = yield* comparisons(sql)
    const sums = yield* sumsAgree(sql).pipe(
      Effect.catchTag("UnknownKind", (error) => Effect.succeed([problem(error.message)]))
    )
    return [...found, ...sums]
  }
)
