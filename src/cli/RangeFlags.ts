/**
 * `--month`, `--from` and `--to`: the days that a command is about, by the time zone of the books.
 */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import { Statements } from "../finance/Statements.ts"
import { misused } from "./CliFailure.ts"

const dayFlag = (name: string, { description, example }: { readonly description: string; readonly example: string }) =>
  Flag.String(name).pipe(Flag.withMetavar(example), Flag.withDescription(description), Flag.optional)

export const rangeFlags = {
  month: dayFlag("month", {
    example: "2026-11",
    description: "A month; without it and without --from, the month of now"
  }),
  from: dayFlag("from", { example: "2026-11-01", description: "The first day, by the time zone of the books" }),
  to: dayFlag("to", { example: "2026-11-30", description: "The last day; without it, the first" })
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
      Effect.catchTag("RangeRefused", ({ field, message }) => Effect.fail(misused(`--${field} ${message}`)))
    )
