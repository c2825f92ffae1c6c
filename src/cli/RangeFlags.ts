/**
 * `--month`, `--from` and `--to`: the days that a command is about, by the time zone of the books.
 */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { Statements } from "../finance/Statements.ts"
import { CliFailure, EXIT_USAGE } from "./CliFailure.ts"

const day = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

export const rangeFlags = {
  month: day("month", "2026-11", "A month; without it and without --from, the month of now"),
  from: day("from", "2026-11-01", "The first day, by the time zone of the books"),
  to: day("to", "2026-11-30", "The last day; without it, the first")
}

/** The days that the flags name. */
export const rangeOf = (
  flags: { readonly [name in keyof typeof rangeFlags]: Option.Option<string> }
) =>
  Effect.flatMap(Statements, (statements) =>
    statements.range({
      month: Option.getOrUndefined(flags.month),
      from: Option.getOrUndefined(flags.from),
      to: Option.getOrUndefined(flags.to)
    })).pipe(
      Effect.catchTag("RangeRefused", ({ field, message }) =>
        Effect.fail(new CliFailure({ message: `--${field} ${message}`, exitCode: EXIT_USAGE })))
    )
