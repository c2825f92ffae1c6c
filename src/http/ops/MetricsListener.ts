/**
 * A listener of its own for metrics, where `telemetry.metrics.port` names one: no stranger comes near it, and each runner has one. It
 * never keeps the server from serving: where its port is taken, by the runner that this one replaces for instance, it tries again.
 */
import { Effect, Layer } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { AppConfig } from "../../config/Config.ts"
import { GivenConnections } from "../../platform/GivenConnections.ts"
import { listen } from "../../platform/ListenFailed.ts"
import { inRounds } from "../../platform/Rounds.ts"
import { judgeMetricsQuestion, refusals } from "./MetricsAccess.ts"
import { METRICS_TYPE, ServerMetrics } from "./ServerMetrics.ts"

/** Connections at once, at most. */
const CONNECTIONS_MAX = 32

/** A request, and the wait for the next one on its connection, take no longer, in ms. */
const REQUEST_MS_MAX = 10_000

/** A port that is taken is tried again after so long, in ms. */
const LISTEN_AGAIN_MS = 1_000

const answer = (response: ServerResponse, status: number, type: string, text: string): void => {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" })
  response.end(text)
}

const pathOf = ({ url = "" }: IncomingMessage): string => url.split("?", 1)[0] ?? ""

export const MetricsListenerLayer = Layer.effectDiscard(Effect.gen(function*() {
  const { telemetry: { metrics: { host, port, token } } } = yield* AppConfig
  if (port === 0) return
  const metrics = yield* ServerMetrics
  const given = yield* GivenConnections
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const server = createServer({
    requestTimeout: REQUEST_MS_MAX,
    headersTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: REQUEST_MS_MAX
  }, (request, response) => {
    if (request.method !== "GET" || pathOf(request) !== "/metrics") {
      return answer(response, 404, "text/plain", "Metrics are at /metrics.\n")
    }
    const { authorization } = request.headers
    // Who may reach this listener is a matter of the address that it listens on.
    const verdict = judgeMetricsQuestion({
      token,
      authorization,
      peer: "127.0.0.1",
      isForwarded: false,
      publicUrl: HERE
    })
    if (verdict !== "allowed") return answer(response, refusals[verdict].status, "text/plain", refusals[verdict].text)
    run(Effect.map(metrics.text, (text) => answer(response, 200, METRICS_TYPE, text)))
  })
  server.maxConnections = CONNECTIONS_MAX
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
  )
  const own = port + Number(given?.place ?? 0)
  const listening = Effect.suspend(() => server.listening ? Effect.void : listen(server, host, own)).pipe(
    Effect.mapError((error) => ({ ...error, message: `metrics: ${error.message}` }))
  )
  yield* Effect.forkScoped(
    inRounds(listening, { failure: "the listener for metrics is not there yet", everyMs: LISTEN_AGAIN_MS })
  )
}))

const HERE = "http://127.0.0.1"
