/**
 * What operators and load balancers ask: alive, ready, metrics. A server that cannot take calls now says why, with 503, so that
 * those that can get them.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { Accounts } from "../../accounts/Accounts.ts"
import { Readiness } from "./Readiness.ts"

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

export const OpsRoutes = Layer.mergeAll(health, ready, PrometheusMetrics.layerHttp())
