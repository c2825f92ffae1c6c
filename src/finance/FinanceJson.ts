/**
 * Statements and comparisons as JSON, the same in the administration's API and on the command line: amounts are decimal texts, moments
 * are ISO 8601 in UTC.
 */
import { DateTime, Schema } from "effect"
import { AmountJson, MomentJson } from "../domain/Fields.ts"
import { Json } from "../domain/Row.ts"
import type { BillReport } from "./BillCheck.ts"
import { Books } from "./StatementLines.ts"

const iso = (at: Date): string => DateTime.formatIso(DateTime.fromDateUnsafe(at))

const isoOrNull = (at: Date | null): string | null => at === null ? null : iso(at)

const Day = Schema.String.annotate({ identifier: "Day", description: "A local day, such as 2026-11-03." })

const BooksJson = Books.pipe(Schema.annotateEncoded({ identifier: "Books" }))

const stretch = {
  timeZone: Schema.String,
  startsAt: MomentJson,
  endsAt: MomentJson
}

export const StatementJson = Json({
  from: Day,
  to: Day,
  ...stretch,
  /** Every day of it is closed: it never changes again. */
  isClosed: Schema.Boolean,
  closedDays: Schema.Int,
  books: BooksJson,
  /** Of a statement that reaches to this moment: the closing balance is the first two, the closing debt the third. */
  now: Schema.NullOr(Json({ usdMicros: AmountJson, heldMicros: AmountJson, owedMicros: AmountJson }))
}, { isClosed: "closed" })

export const statementJson = Schema.encodeSync(StatementJson)

export const ClosedDayJson = Json({ day: Day, ...stretch, closedAt: MomentJson, books: BooksJson })

export const LiabilityJson = Json({
  day: Day,
  timeZone: Schema.String,
  at: MomentJson,
  /** What users have, holds of open calls included. */
  prepaidMicros: AmountJson,
  /** What users owe: a claim beside it. */
  owedMicros: AmountJson,
  /** Of plans: for time that had not passed. */
  unearned: Schema.Array(Json({ currency: Schema.String, minor: AmountJson }, { minor: "unearned_minor" }))
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
