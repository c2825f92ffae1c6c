/**
 * The whole server inside the test's process: what the worlds of calls, of payments and of pages are made of.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ServerServices } from "../../src/App.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { ChartMsMax } from "../../src/http/console/charts/Charts.ts"
import { HttpServer } from "../../src/http/HttpServer.ts"
import { Telemetry } from "../../src/platform/Telemetry.ts"

/** What a chart takes on a busy machine, at most; within what a page may take. */
const CHART_MS_MAX = 10_000

/**
 * A server of this configuration on a free port, as long as the scope: where it listens, and its services. `observing` hears its
 * logs and spans in place of its own telemetry.
 */
export const startServer = Effect.fnUntraced(function*(document: object, observing?: Layer.Layer<never>) {
  const config = testConfig({ server: { port: 0 }, log: { level: "none" }, ...document })
  const services = yield* Layer.build(
    ServerServices.pipe(
      Layer.provideMerge(observing ?? Telemetry.layerOf(config.log)),
      Layer.provide(AppConfig.layerOf(config))
    )
  ).pipe(
    // A map of its own: nothing of another server in this process is shared.
    Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe()),
    Effect.provideService(ChartMsMax, CHART_MS_MAX),
    Effect.orDie
  )
  return {
    services,
    origin: `http://127.0.0.1:${Context.get(services, HttpServer).port}`,
    sql: Context.get(services, SqlClient.SqlClient)
  }
})
