/**
 * `realms export orders|payments|refunds|disputes|ledger|cash`: rows as comma-separated values on standard output, written as they
 * are read.
 */
import { Effect, type Layer, Option, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exportNames, Exports } from "../finance/Exports.ts"
import type { Statements } from "../finance/Statements.ts"
import { misused } from "./CliFailure.ts"
import { rangeFlags, rangeOf } from "./RangeFlags.ts"

const kindArgument = Argument.Literals("kind", exportNames).pipe(
  Argument.withDescription("What to export; cash lists every movement of money by itself")
)

const filterFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const flags = {
  kind: kindArgument,
  ...rangeFlags,
  provider: filterFlag("provider", "Only of this provider: epay, stripe or manual"),
  currency: filterFlag("currency", "Only in this currency, such as cny"),
  state: filterFlag("state", "Only in this state; of the ledger and of cash, of this kind")
}

const run = Effect.fnUntraced(function*(asked: Command.Command.Config.Infer<typeof flags>) {
  const pieces = yield* (yield* Exports).csv(asked.kind, {
    ...yield* rangeOf(asked),
    provider: Option.getOrUndefined(asked.provider),
    currency: Option.getOrUndefined(asked.currency),
    state: Option.getOrUndefined(asked.state)
  }).pipe(
    Effect.catchTag(
      "FilterRefused",
      ({ field, message }) => Effect.fail(misused(`--${field}: ${message}`))
    )
  )
  const stdio = yield* Stdio.Stdio
  yield* Stream.run(pieces, stdio.stdout())
})

export const exportCommand = <E, R>(services: Layer.Layer<Exports | Statements, E, R>) =>
  Command.make("export", flags, run).pipe(
    Command.provide(services),
    Command.withDescription(
      "Print what was booked in a month or a range of days as comma-separated values, with totals"
    ),
    Command.withExamples([{ command: "realms export payments --month 2026-11 --provider stripe > payments.csv" }])
  )
