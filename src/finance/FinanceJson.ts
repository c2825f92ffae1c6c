/**
 * Statements and comparisons as JSON, the same in the administration's API and on the command line: amounts are decimal texts, moments
 * are ISO 8601 in UTC.
 */
import { Schema } from "effect"
import { AmountJson, MomentJson } from "../domain/Fields.ts"
import { Json } from "../domain/Row.ts"
import { type BillReport, DifferentResult } from "./BillCheck.ts"
import { BillKind } from "./BillItems.ts"
import { Books } from "./StatementLines.ts"

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

const DifferenceJson = Json({
  result: DifferentResult,
  kind: BillKind,
  id: Schema.String,
  /** Of the file. */
  line: Schema.NullOr(Schema.Int),
  thereMinor: Schema.NullOr(AmountJson),
  thereCurrency: Schema.NullOr(Schema.String),
  hereMinor: Schema.NullOr(AmountJson),
  hereCurrency: Schema.NullOr(Schema.String)
}).pipe(Schema.annotateEncoded({ identifier: "BillDifference" }))

/** A comparison of a provider's file, as {@link shownBill} has it. */
export const BillJson = Json({
  provider: Schema.Literals(["epay", "stripe"]),
  records: Schema.Int,
  /** Of a state that does not count. */
  leftOut: Schema.Int,
  matched: Schema.Int,
  different_amount: Schema.Int,
  missing_here: Schema.Int,
  missing_there: Schema.Int,
  /** By kind and id, the first 1,000. */
  differences: Schema.Array(DifferenceJson),
  /** What the file says of each category, fees and payouts too: signed, in the currency that the provider settles in. */
  categories: Schema.Array(Json({
    category: Schema.String,
    currency: Schema.String,
    records: Schema.Int,
    feeMinor: AmountJson,
    netMinor: AmountJson
  })),
  /** What the file is about; null where it says no times, and then nothing is missing there. */
  from: Schema.NullOr(MomentJson),
  to: Schema.NullOr(MomentJson)
})

export const shownBill = ({ results, ...report }: BillReport): typeof BillJson.Type => ({ ...report, ...results })

export const billJson = (report: BillReport) => Schema.encodeSync(BillJson)(shownBill(report))
