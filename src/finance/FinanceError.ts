/** How the books refuse: a range of days that does not exist, and entries that belong to no line. */
import { Schema } from "effect"
import { BillProblem, billProblemText } from "./BillProblem.ts"

/** Days of one range, at most. */
export const RANGE_DAYS_MAX = 1_100

const problems = {
  day: "is not a day: write it as 2026-11-03",
  month: "is not a month: write it as 2026-11",
  both: "cannot be combined with a month: give the month, or `from` and `to`",
  order: "ends before it begins",
  length: `is longer than ${RANGE_DAYS_MAX} days`
} as const

/** The range cannot be stated, and why. `field`: which of `month`, `from` and `to` it is about. */
export class RangeRefused extends Schema.TaggedError<RangeRefused>()("RangeRefused", {
  field: Schema.Literals(["month", "from", "to"]),
  reason: Schema.Literals(["day", "month", "both", "order", "length"])
}) {
  override readonly message = problems[this.reason]
}

/** Entries of a kind that is in no line: nothing is stated as long as there are any. */
export class UnknownKind extends Schema.TaggedError<UnknownKind>()("UnknownKind", { kind: Schema.String }) {
  override get message(): string {
    return `entries of the kind "${this.kind}" are in no line of the statements: this server is older than they are, or somebody ` +
      "else has written them"
  }
}

/** Rows of this kind of export have no such field to be narrowed by. */
export class FilterRefused extends Schema.TaggedError<FilterRefused>()("FilterRefused", {
  field: Schema.Literals(["provider", "currency", "state"]),
  kind: Schema.String
}) {
  override readonly message = `rows of ${this.kind} cannot be filtered by ${this.field}`
}

/** A provider's file cannot be compared: where, and why. Nothing was compared. */
export class BillRefused extends Schema.TaggedError<BillRefused>()("BillRefused", {
  /** From 1; null: it is about no line. */
  line: Schema.NullOr(Schema.Int),
  /** Of a character or a field, from 1, as the problem says; null: of the whole line. */
  column: Schema.NullOr(Schema.Int),
  problem: BillProblem
}) {
  override get message(): string {
    const at = this.line === null ? "" : `line ${this.line}${this.column === null ? "" : `, column ${this.column}`}: `
    return `${at}${billProblemText(this.problem)}`
  }
}

/** There is no room, or no right, to keep a provider's file while it is compared. */
export class BillUnstored extends Schema.TaggedError<BillUnstored>()("BillUnstored", { why: Schema.String }) {
  override readonly message = `the file cannot be kept while it is compared: ${this.why}`
}
