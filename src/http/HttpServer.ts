/**
 * The listening server: `/v1/*` goes straight to the data plane, everything else to the routes. It stops gracefully: no
 * new calls, open ones get their grace, then are settled and closed.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Data, Duration, Effect, Layer, Scope } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"
import { IpNetwork } from "effect/net"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { isIP } from "node:net"
import { AppConfig } from "../config/Config.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { openAiError, openAiErrorBody } from "../gateway/OpenAiError.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { makeAccessLog } from "./AccessLog.ts"
import { AdminApiRoutes } from "./admin/AdminApi.ts"
import { answerClientError } from "./ClientErrors.ts"
import { ClientLimits } from "./ClientLimits.ts"
import { ConsoleRoutes } from "./console/ConsoleRoutes.ts"
import { OpsRoutes } from "./ops/OpsRoutes.ts"
import { Readiness } from "./ops/Readiness.ts"
import { DataPlane } from "./v1/DataPlane.ts"
import { isBodyPending } from "./v1/DiscardBody.ts"
import { PaymentRoutes } from "./webhooks/PaymentRoutes.ts"

/** The address could not be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{ readonly message: string }> {}

/** A request that nobody reads is cut off so long after its body should have been here. */
const REQUEST_SLACK_MS = 30_000

/** After open calls were stopped, their clients have so long to take the last bytes. */
const CLOSE_MS_MAX = 2_000

const STOP_POLL_MS = 20

/** Connections that wait to be accepted, at most: those of a burst beyond it come back only after a second or more. */
const BACKLOG_MAX = 4_096

export class HttpServer extends Context.Service<HttpServer, {
  readonly host: string
  readonly port: number
}>()("realms/http/HttpServer") {
  static readonly layer = Layer.effect(HttpServer)(Effect.gen(function*() {
    const config = yield* AppConfig
    const dataPlane = yield* DataPlane
    const gateway = yield* Gateway
    const limits = yield* ClientLimits
    const address = yield* PublicAddress
    const scope = yield* Scope.Scope
    const routes = yield* HttpRouter.toHttpEffect(
      Layer.mergeAll(AdminApiRoutes, OpsRoutes, PaymentRoutes, ConsoleRoutes)
    )
    const trustedProxies = config.server.trustedProxies.map(networkOf)
    const answerRoute = yield* NodeHttpServer.makeHandler(
      routes.pipe(
        Effect.catch(() => Effect.succeed(notFound)),
        HttpMiddleware.xForwardedHeaders({ trustedProxies })
      ),
      { scope }
    )
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: requestTimeoutMs(limits, config.server.maxBodyBytes),
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkMs
    })
    const noteRequest = config.log.access ? yield* makeAccessLog : undefined
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      noteRequest?.(request, response)
      if (isCall(request)) return dataPlane.handle(request, response)
      // No cache keeps what does not say that it may be kept.
      response.setHeader("cache-control", "no-store")
      closeUnfinished(request, limits.bodyTimeoutMs + REQUEST_SLACK_MS)
      answerRoute(request, response)
    }
    server.on("request", handle)
    // Without this Node would ask for the body at once, also for that of a call that is refused.
    server.on("checkContinue", (request, response) => {
      if (!isCall(request)) response.writeContinue()
      handle(request, response)
    })
    server.on("clientError", answerClientError)
    const port = yield* listen(server, config.server.host, config.server.port)
    address.listensOn(port)
    yield* Effect.addFinalizer(() => stop(server, dataPlane, gateway, config.server.shutdownGraceSeconds))
    return HttpServer.of({ host: config.server.host, port })
  })).pipe(
    Layer.provide(Layer.mergeAll(DataPlane.layer, Readiness.layer, NodeHttpServer.layerHttpServices))
  )
}

const isCall = ({ url }: IncomingMessage): boolean =>
  url !== undefined && (url.startsWith("/v1/") || url.startsWith("/dashboard/billing/"))

/** No request takes longer: the slowest body of a call that is still read, and of a page. */
const requestTimeoutMs = (limits: ClientLimits, bodyBytesMax: number): number =>
  limits.headersTimeoutMs + REQUEST_SLACK_MS +
  Math.max(
    limits.bodyTimeoutMs,
    limits.bodySlowAfterMs + Math.ceil((bodyBytesMax / limits.bodyBytesPerSecondMin) * 1_000)
  )

/** Cuts a request off whose body is not complete in time; calls have bounds of their own. */
const closeUnfinished = (request: IncomingMessage, timeoutMs: number): void => {
  if (!isBodyPending(request)) return
  const timer = setTimeout(() => request.complete ? undefined : request.destroy(), timeoutMs).unref()
  request.once("close", () => clearTimeout(timer))
}

/** An address alone is a network of its own. */
const networkOf = (range: string): IpNetwork.IpNetwork =>
  IpNetwork.fromStringUnsafe(range.includes("/") ? range : `${range}/${isIP(range) === 4 ? 32 : 128}`)

const notFound = HttpServerResponse.text(openAiErrorBody(openAiError("not_found", "There is no such page.")), {
  status: 404,
  contentType: "application/json"
})

const listen = (server: Server, host: string, port: number): Effect.Effect<number, ListenFailed> =>
  Effect.callback((resume) => {
    server.once(
      "error",
      (error) => resume(Effect.fail(new ListenFailed({ message: listenMessage(error, host, port) })))
    )
    server.listen({ port, host, backlog: BACKLOG_MAX }, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const listenMessage = (error: Error, host: string, port: number): string =>
  "code" in error && error.code === "EADDRINUSE"
    ? `${host}:${port} is already in use. Stop what listens there, or set PORT (or server.port) to another port.`
    : `cannot listen on ${host}:${port}: ${error.message}`

const stop = (
  server: Server,
  dataPlane: DataPlane["Service"],
  gateway: Gateway["Service"],
  graceSeconds: number
): Effect.Effect<void> =>
  Effect.gen(function*() {
    dataPlane.close()
    server.close()
    server.closeIdleConnections()
    const idle = Effect.sleep(STOP_POLL_MS).pipe(
      Effect.repeat({ while: () => dataPlane.openRequests() > 0 }),
      Effect.asVoid
    )
    if (dataPlane.openRequests() > 0) {
      yield* Effect.logInfo("waiting for open calls", { open: dataPlane.openRequests(), graceSeconds })
      yield* Effect.timeoutOption(idle, Duration.seconds(graceSeconds))
    }
    if (dataPlane.openRequests() > 0) {
      gateway.stopCalls()
      yield* Effect.timeoutOption(idle, Duration.millis(CLOSE_MS_MAX))
    }
    server.closeAllConnections()
  })
