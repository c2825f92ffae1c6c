/**
 * What operators and load balancers ask: alive, ready, metrics. Readiness stays up while the database is away for a
 * moment - calls are then refused one by one - so that an outage does not take every instance out of rotation at once.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import { Accounts } from "../../accounts/Accounts.ts"

const health = HttpRouter.add("GET", "/healthz", HttpServerResponse.text("ok\n"))

const ready = HttpRouter.add(
  "GET",
  "/readyz",
  Effect.gen(function*() {
    const accounts = yield* Accounts
    const database = accounts.isAvailable() ? "up" : "away"
    return yield* HttpServerResponse.json({ status: "ready", database, open_reservations: accounts.openCount() })
  })
)

export const OpsRoutes = Layer.mergeAll(health, ready, PrometheusMetrics.layerHttp())
