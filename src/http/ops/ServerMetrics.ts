/**
 * The metrics of this process as Prometheus reads them: what was counted, and the figures that are read when somebody asks. With several
 * runners each has metrics of its own, which carry its place.
 */
import { Context, Effect, Layer, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { Accounts } from "../../accounts/Accounts.ts"
import { GivenConnections } from "../../platform/GivenConnections.ts"
import { DataPlane } from "../v1/DataPlane.ts"
import { makeDatabaseGauges } from "./DatabaseGauges.ts"
import { makeProcessGauges } from "./ProcessGauges.ts"

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

const requestsOpen = Metric.gauge("realms_requests_open", { description: "Requests to /v1 under way" })
const ownHolds = Metric.gauge("realms_own_holds_open", { description: "Holds of calls under way in this process" })
const journalUp = Metric.gauge("realms_journal_connected", {
  description: "1 while the journal has its connection to the database, else 0"
})

export class ServerMetrics extends Context.Service<ServerMetrics, {
  /** Answers within about a second, whatever the database does. */
  readonly text: Effect.Effect<string>
}>()("realms/http/ops/ServerMetrics") {
  static readonly layer = Layer.effect(ServerMetrics)(Effect.gen(function*() {
    const accounts = yield* Accounts
    const dataPlane = yield* DataPlane
    const given = yield* GivenConnections
    const context = yield* Effect.context<never>()
    const database = yield* makeDatabaseGauges
    const ofProcess = yield* Effect.acquireRelease(
      Effect.sync(() => makeProcessGauges(context)),
      (gauges) => Effect.sync(() => gauges.stop())
    )
    const text = Effect.map(database.refresh, () => {
      ofProcess.refresh()
      requestsOpen.updateUnsafe(dataPlane.openRequests(), context)
      ownHolds.updateUnsafe(accounts.openCount(), context)
      journalUp.updateUnsafe(accounts.isAvailable() ? 1 : 0, context)
      return PrometheusMetrics.formatUnsafe(given === undefined ? context : ofRunner(context, given.place))
    })
    return ServerMetrics.of({ text })
  }))
}

/** The same metrics, each with the place of the runner. */
const ofRunner = (context: Context.Context<never>, runner: string): Context.Context<never> =>
  Context.add(
    context,
    Metric.MetricRegistry,
    new Map(
      Array.from(
        Context.get(context, Metric.MetricRegistry),
        ([key, metric]) => [key, { ...metric, attributes: { ...metric.attributes, runner } }]
      )
    )
  )
