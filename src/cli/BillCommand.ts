/**
 * `realms bill check FILE`: a provider's file against the books. Exits with 1 when they differ. On a terminal it shows how far it has
 * come on standard error.
 */
import { Effect, FileSystem, type Layer, Option, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { minorText } from "../domain/Currency.ts"
import { BillCheck, type BillDifference, billEncodings, type BillReport } from "../finance/BillCheck.ts"
import { billJson } from "../finance/FinanceJson.ts"
import { failed } from "./CliFailure.ts"
import { print, table } from "./Output.ts"

const fileArgument = Argument.String("file").pipe(
  Argument.withDescription("Stripe's itemized report of balance changes, or a gateway's list of trades, as CSV")
)

const providerFlag = Flag.Literals("provider", ["stripe", "epay"]).pipe(
  Flag.withDescription("The provider that the file is from")
)

const encodingFlag = Flag.Literals("encoding", billEncodings).pipe(
  Flag.withDescription("Encoding of the file; without it, detected from the first line that is not ASCII"),
  Flag.optional
)

const ERASE_LINE = "\r\u001B[K"

const showProgress = (records: number): void =>
  void process.stderr.write(`${ERASE_LINE}bill check: ${records} records read`)

const amount = (minor: bigint | null, currency: string | null): string =>
  minor === null || currency === null ? "" : `${minorText(minor, currency)} ${currency.toUpperCase()}`

const differenceRow = (found: BillDifference): ReadonlyArray<string> => [
  found.result.replace("_", " "),
  found.kind.replace("_", " "),
  found.id,
  found.line === null ? "" : String(found.line),
  amount(found.thereMinor, found.thereCurrency),
  amount(found.hereMinor, found.hereCurrency)
]

/** The report for people: counts, then what differs, then what the file says of fees and payouts. */
export const describeBill = (report: BillReport): string => {
  const { categories, differences, leftOut, records, results } = report
  const differing = results.different_amount + results.missing_here + results.missing_there
  const listed = differences.length < differing ? [`the first ${differences.length} of ${differing} differences:`] : []
  return [
    `${records} records${leftOut === 0 ? "" : `, ${leftOut} left out by their state`}: ${results.matched} matched, ` +
    `${results.different_amount} with a different amount, ${results.missing_here} missing here, ` +
    `${results.missing_there} missing there`,
    ...(report.from === null ? ["the file says no times: what is missing there was not looked for"] : []),
    ...listed,
    ...(differences.length === 0
      ? []
      : [table(["RESULT", "KIND", "ID", "LINE", "THERE", "HERE"], differences.map(differenceRow))]),
    ...(categories.length === 0 ? [] : [
      table(
        ["CATEGORY", "RECORDS", "FEE", "NET"],
        categories.map(({ category, currency, feeMinor, netMinor, records: count }) => [
          category,
          String(count),
          amount(feeMinor, currency),
          amount(netMinor, currency)
        ])
      )
    ])
  ].join("\n")
}

const flags = { file: fileArgument, provider: providerFlag, encoding: encodingFlag }

const run = Effect.fnUntraced(function*({ encoding, file, provider }: Command.Command.Config.Infer<typeof flags>) {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const isTerminal = yield* stderrIsTerminal
  const files = yield* FileSystem.FileSystem
  const report = yield* (yield* BillCheck).check({
    provider,
    encoding: Option.getOrUndefined(encoding),
    bytes: files.stream(file),
    onProgress: isTerminal ? showProgress : undefined
  }).pipe(
    Effect.ensuring(Effect.sync(() => isTerminal && process.stderr.write(ERASE_LINE))),
    Effect.catchTags({
      BillUnstored: ({ message }) => Effect.fail(failed(message)),
      BillRefused: ({ message }) => Effect.fail(failed(`${file}: ${message}`)),
      PlatformError: ({ message }) => Effect.fail(failed(`${file} cannot be read: ${message}`))
    })
  )
  yield* print(billJson(report), describeBill(report))
  const { different_amount, missing_here, missing_there } = report.results
  const differing = different_amount + missing_here + missing_there
  if (differing > 0) {
    return yield* failed(`the file and the books differ in ${differing} places: look at each payment at the provider`)
  }
})

export const billCommand = <E, R>(services: Layer.Layer<BillCheck, E, R>) =>
  Command.make("bill").pipe(
    Command.withDescription("Compare a provider's file with the books"),
    Command.withSubcommands([
      Command.make("check", flags, run).pipe(
        Command.provide(services),
        Command.withDescription("Match payments, refunds and disputes by their ids; exits with 1 where they differ"),
        Command.withExamples([{ command: "realms bill check balance.csv --provider stripe" }])
      )
    ])
  )
