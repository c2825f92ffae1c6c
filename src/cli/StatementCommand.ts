/**
 * `realms statement`: what users have, owe and have paid in a month, or in any range of days.
 */
import { Console, Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import { statementJson } from "../finance/FinanceJson.ts"
import { statementColumns, type StatementRow, statementRows } from "../finance/StatementRows.ts"
import { type Statement, Statements } from "../finance/Statements.ts"
import { csvText } from "../platform/Csv.ts"
import { print } from "./Output.ts"
import { switchFlag } from "./Parameters.ts"
import { rangeFlags, rangeOf } from "./RangeFlags.ts"

const csvFlag = switchFlag("csv", "Print a line of comma-separated values for each amount")

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

const run = Effect.fnUntraced(function*(
  flags: Parameters<typeof rangeOf>[0] & { readonly csv: boolean }
) {
  const statement = yield* (yield* Statements).statement(yield* rangeOf(flags))
  if (flags.csv) return yield* Console.log(csvText(statementColumns, statementRows(statement)).trimEnd())
  yield* print(statementJson(statement), describeStatement(statement))
})

export const statementCommand = <E, R>(services: Layer.Layer<Statements, E, R>) =>
  Command.make("statement", { ...rangeFlags, csv: csvFlag }, run).pipe(
    Command.provide(services),
    Command.withDescription("Show what users have, owe and have paid in a month or a range of days"),
    Command.withExamples([{ command: "realms statement --month 2026-11 --csv" }])
  )
