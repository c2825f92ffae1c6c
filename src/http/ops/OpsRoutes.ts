/**
 * What operators and load balancers ask: alive, ready, metrics. A server that cannot take calls now says why, with 503, so that
 * those that can get them.
 */
import { Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Accounts } from "../../accounts/Accounts.ts"
import { AppConfig } from "../../config/Config.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { forwardingHeaders, judgeMetricsQuestion, refusals } from "./MetricsAccess.ts"
import { Readiness } from "./Readiness.ts"
import { METRICS_TYPE, ServerMetrics } from "./ServerMetrics.ts"

const health = HttpRouter.add("GET", "/healthz", HttpServerResponse.text("ok\n"))

const ready = HttpRouter.add(
  "GET",
  "/readyz",
  Effect.gen(function*() {
    const accounts = yield* Accounts
    const readiness = yield* Readiness
    const problems = yield* readiness.problems
    const isAway = problems.some(({ reason }) => reason === "database_away")
    return yield* HttpServerResponse.json({
      status: problems.length === 0 ? "ready" : "not_ready",
      database: isAway ? "away" : "up",
      open_reservations: accounts.openCount(),
      problems
    }, { status: problems.length === 0 ? 200 : 503 })
  })
)

const answerMetrics = Effect.gen(function*() {
  const { telemetry: { metrics: { token } } } = yield* AppConfig
  const address = yield* PublicAddress
  const metrics = yield* ServerMetrics
  const { headers, peerAddress } = yield* HttpServerRequest.HttpServerRequest
  const verdict = judgeMetricsQuestion({
    token,
    authorization: headers["authorization"],
    peer: Option.getOrElse(peerAddress, () => ""),
    isForwarded: forwardingHeaders.some((name) => headers[name] !== undefined),
    publicUrl: address.url()
  })
  return verdict === "allowed"
    ? HttpServerResponse.text(yield* metrics.text, { contentType: METRICS_TYPE })
    : HttpServerResponse.text(refusals[verdict].text, { status: refusals[verdict].status })
})

/** Not here where they have a listener of their own. */
const metrics = Layer.unwrap(
  Effect.map(
    AppConfig,
    ({ telemetry }) => telemetry.metrics.port === 0 ? HttpRouter.add("GET", "/metrics", answerMetrics) : Layer.empty
  )
)

export const OpsRoutes = Layer.mergeAll(health, ready, metrics)
