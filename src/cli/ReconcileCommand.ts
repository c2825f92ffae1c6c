/**
 * `realms reconcile`: asks the payment providers about every attempt whose outcome is not known, and settles what was paid.
 */
import { Effect, type Layer, Stdio } from "effect"
import { Command } from "effect/cli"
import { type ReconcileReport, Reconciliation } from "../events/Reconciliation.ts"
import { failed } from "./CliFailure.ts"
import { print } from "./Output.ts"

const ERASE_LINE = "\r\u001B[K"

const showProgress = (done: number, total: number): void =>
  void process.stderr.write(
    `${ERASE_LINE}${done >= total ? "" : `reconcile: ${done} of ${total} attempts asked about`}`
  )

const describe = ({ asked, failed: unanswered, settled }: ReconcileReport): string =>
  `asked about ${asked} attempts: ${settled} payments settled, ${unanswered} without a usable answer`

const run = Effect.gen(function*() {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const isTerminal = yield* stderrIsTerminal
  const reconciliation = yield* Reconciliation
  const report = yield* reconciliation.all(isTerminal ? showProgress : () => undefined)
  yield* reconciliation.tidy
  yield* print({ ...report }, describe(report))
  if (report.failed > 0) {
    return yield* failed(`${report.failed} attempts could not be asked about; a running server asks again by itself`)
  }
})

export const reconcileCommand = <E, R>(services: Layer.Layer<Reconciliation, E, R>) =>
  Command.make("reconcile", {}, () => run).pipe(
    Command.provide(services),
    Command.withDescription("Ask the payment providers about open payment attempts, and settle what was paid")
  )
