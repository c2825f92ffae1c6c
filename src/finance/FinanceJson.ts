/**
 * Statements and comparisons as JSON, the same in the administration's API and on the command line: amounts are decimal texts, moments
 * are ISO 8601 in UTC.
 */
import { DateTime } from "effect"
import type { BillReport } from "./BillCheck.ts"
import { encodeBooks } from "./StatementLines.ts"
import type { Statement } from "./Statements.ts"

const iso = (at: Date): string => DateTime.formatIso(DateTime.fromDateUnsafe(at))

const isoOrNull = (at: Date | null): string | null => at === null ? null : iso(at)

export const statementJson = (statement: Statement) => ({
  from: statement.from,
  to: statement.to,
  time_zone: statement.timeZone,
  starts_at: iso(statement.startsAt),
  ends_at: iso(statement.endsAt),
  closed: statement.isClosed,
  closed_days: statement.closedDays,
  books: encodeBooks(statement.books),
  now: statement.now === null ? null : {
    usd_micros: statement.now.usdMicros.toString(),
    held_micros: statement.now.heldMicros.toString(),
    owed_micros: statement.now.owedMicros.toString()
  }
})

/** A comparison of a provider's file. */
export const billJson = (report: BillReport) => ({
  provider: report.provider,
  records: report.records,
  left_out: report.leftOut,
  ...report.results,
  differences: report.differences.map((found) => ({
    result: found.result,
    kind: found.kind,
    id: found.id,
    line: found.line,
    there_minor: found.thereMinor?.toString() ?? null,
    there_currency: found.thereCurrency,
    here_minor: found.hereMinor?.toString() ?? null,
    here_currency: found.hereCurrency
  })),
  categories: report.categories.map((category) => ({
    category: category.category,
    currency: category.currency,
    records: category.records,
    fee_minor: category.feeMinor.toString(),
    net_minor: category.netMinor.toString()
  })),
  from: isoOrNull(report.from),
  to: isoOrNull(report.to)
})
