/**
 * `realms statement`: what users have, owe and have paid in a month, or in any range of days.
 */
import { Console, Effect, type Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { rangeAsked } from "../finance/RangeAsked.ts"
import { encodeBooks } from "../finance/StatementLines.ts"
import { statementColumns, type StatementRow, statementRows } from "../finance/StatementRows.ts"
import { type Statement, Statements } from "../finance/Statements.ts"
import { csvText } from "../platform/Csv.ts"
import { CliFailure, EXIT_USAGE } from "./CliFailure.ts"
import { print, type Printable } from "./Output.ts"

const monthFlag = Flag.String("month").pipe(
  Flag.withMetavar("2026-11"),
  Flag.withDescription("A month; without it and without --from, the month of now"),
  Flag.optional
)

const fromFlag = Flag.String("from").pipe(
  Flag.withMetavar("2026-11-01"),
  Flag.withDescription("The first day, by the time zone of the books"),
  Flag.optional
)

const toFlag = Flag.String("to").pipe(
  Flag.withMetavar("2026-11-30"),
  Flag.withDescription("The last day; without it, the first"),
  Flag.optional
)

const csvFlag = Flag.Boolean("csv").pipe(
  Flag.withoutNegation,
  Flag.withDefault(false),
  Flag.withDescription("Print a line of comma-separated values for each amount")
)

const fieldsOf = (statement: Statement): Printable => ({
  from: statement.from,
  to: statement.to,
  time_zone: statement.timeZone,
  starts_at: statement.startsAt,
  ends_at: statement.endsAt,
  closed: statement.isClosed,
  closed_days: statement.closedDays,
  books: encodeBooks(statement.books),
  now: statement.now === null ? null : {
    usd_micros: statement.now.usdMicros,
    held_micros: statement.now.heldMicros,
    owed_micros: statement.now.owedMicros
  }
})

const titleOf = ({ currency, provider, statement }: StatementRow): string =>
  [statement, provider, currency].filter((part) => part !== "").join(" ")

/** The statement for people: a block for each account, amounts aligned. */
export const describeStatement = (statement: Statement): string => {
  const { closedDays, from, isClosed, timeZone, to } = statement
  const state = isClosed ? "closed" : `open: it may still change, ${closedDays} days of it are closed`
  const rows = statementRows(statement)
  const widest = Math.max(...rows.map(({ line }) => line.length))
  const amounts = Math.max(...rows.map(({ amount }) => amount.length))
  const lines = rows.map((row, index) => {
    const title = titleOf(row)
    const before = rows[index - 1]
    const heading = before === undefined || titleOf(before) !== title ? `\n${title}\n` : ""
    return `${heading}  ${row.line.padEnd(widest)}  ${row.amount.padStart(amounts)}`
  })
  return [`${from} to ${to} (${timeZone}), ${state}`, ...lines].join("\n")
}

const asked = (flags: { readonly [name in "month" | "from" | "to"]: Option.Option<string> }) =>
  rangeAsked({
    month: Option.getOrUndefined(flags.month),
    from: Option.getOrUndefined(flags.from),
    to: Option.getOrUndefined(flags.to)
  }).pipe(
    Effect.catchTag("RangeRefused", ({ field, message }) =>
      Effect.fail(new CliFailure({ message: `--${field} ${message}`, exitCode: EXIT_USAGE })))
  )

const run = Effect.fnUntraced(function*(
  flags: { readonly [name in "month" | "from" | "to"]: Option.Option<string> } & { readonly csv: boolean }
) {
  const statement = yield* (yield* Statements).statement(yield* asked(flags))
  if (flags.csv) return yield* Console.log(csvText(statementColumns, statementRows(statement)).trimEnd())
  yield* print(fieldsOf(statement), describeStatement(statement))
})

export const statementCommand = <E, R>(services: Layer.Layer<Statements, E, R>) =>
  Command.make("statement", { month: monthFlag, from: fromFlag, to: toFlag, csv: csvFlag }, run).pipe(
    Command.provide(services),
    Command.withDescription("Show what users have, owe and have paid in a month or a range of days"),
    Command.withExamples([{ command: "realms statement --month 2026-11 --csv" }])
  )
