/**
 * The listening server: `/v1/*` goes straight to the data plane, everything else to the routes. It stops gracefully: no
 * new calls, open ones get their grace, then are settled and closed.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Clock, Context, Duration, Effect, Layer, Scope } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"
import { IpNetwork } from "effect/net"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { isIP, type Socket } from "node:net"
import { AppConfig } from "../config/Config.ts"
import { Gateway } from "../gateway/Gateway.ts"
import { openAiError, openAiErrorBody } from "../gateway/OpenAiError.ts"
import { GivenConnections, REPLACED_GRACE_SECONDS } from "../platform/GivenConnections.ts"
import { listen } from "../platform/ListenFailed.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { makeAccessLog } from "./AccessLog.ts"
import { AdminApiRoutes } from "./admin/AdminApi.ts"
import { answerClientError } from "./ClientErrors.ts"
import { ClientLimits } from "./ClientLimits.ts"
import { ConsoleRoutes } from "./console/ConsoleRoutes.ts"
import { OpsRoutes } from "./ops/OpsRoutes.ts"
import { Readiness } from "./ops/Readiness.ts"
import { ServerMetrics } from "./ops/ServerMetrics.ts"
import { apiPathOf } from "./v1/ApiPath.ts"
import { DataPlane } from "./v1/DataPlane.ts"
import { isBodyPending } from "./v1/DiscardBody.ts"
import { Pipelining } from "./Pipelining.ts"
import { PaymentRoutes } from "./webhooks/PaymentRoutes.ts"

/** A request that nobody reads is cut off so long after its body should have been here. */
const REQUEST_SLACK_MS = 30_000

/** After open calls were stopped, their clients have so long to take the last bytes. */
const CLOSE_MS_MAX = 2_000

const STOP_POLL_MS = 20

/** Where other processes serve, connections without a call stay open for so long after a stop began: a call may be on its way. */
const LEAVE_IDLE_MS = 2_000

/** A connection on which no call has begun after so long is not waited for. */
const LEAVE_MS_MAX = 5_000

export class HttpServer extends Context.Service<HttpServer, {
  readonly host: string
  readonly port: number
}>()("realms/http/HttpServer") {
  static readonly layer = Layer.effect(HttpServer)(Effect.gen(function*() {
    const config = yield* AppConfig
    const dataPlane = yield* DataPlane
    const gateway = yield* Gateway
    const limits = yield* ClientLimits
    const readiness = yield* Readiness
    const address = yield* PublicAddress
    const scope = yield* Scope.Scope
    const clock = yield* Clock.Clock
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
    const given = yield* GivenConnections
    let leaving = false
    const noteRequest = config.log.access ? yield* makeAccessLog : undefined
    const pipelining = new Pipelining()
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      if (!pipelining.admits(request, response)) return
      noteRequest?.(request, response)
      if (leaving) response.setHeader("connection", "close")
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
    let connections = 0
    server.on("connection", (connection: Socket) => {
      connections++
      connection.once("close", () => connections--)
    })
    const host = given?.host ?? config.server.host
    const port = given === undefined ? yield* listen(server, host, config.server.port) : takeFrom(given, server)
    address.listensOn(port)
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        leaving = true
        readiness.stops()
        return stop({
          server,
          dataPlane,
          gateway,
          given,
          graceSeconds: config.server.shutdownGraceSeconds,
          openConnections: () => connections,
          now: () => clock.currentTimeMillisUnsafe()
        })
      })
    )
    return HttpServer.of({ host, port })
  })).pipe(
    Layer.provide(Layer.mergeAll(Readiness.layer, NodeHttpServer.layerHttpServices)),
    Layer.provideMerge(ServerMetrics.layer.pipe(Layer.provideMerge(DataPlane.layer)))
  )
}

const isCall = ({ url }: IncomingMessage): boolean => apiPathOf(url) !== undefined

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

/** Serves the connections that another process accepts; answers the port that it listens on. */
const takeFrom = (given: GivenConnections, server: Server): number => {
  given.take((connection) => {
    server.emit("connection", connection)
    // It was accepted without a byte being read.
    connection.resume()
  })
  // Node watches over the times of connections, and knows the idle ones, from this event on.
  server.emit("listening")
  return given.port
}

interface Stop {
  readonly server: Server
  readonly dataPlane: DataPlane["Service"]
  readonly gateway: Gateway["Service"]
  /** Undefined: this process listens by itself, and refuses new calls while it stops. */
  readonly given: GivenConnections | undefined
  /** Open calls have so long to end. */
  readonly graceSeconds: number
  readonly openConnections: () => number
  /** The time in milliseconds. */
  readonly now: () => number
}

/**
 * Where other processes serve, a stop refuses no call: what comes on an open connection is answered, and the answer closes it.
 */
const stop = ({ dataPlane, gateway, given, graceSeconds, now, openConnections, server }: Stop): Effect.Effect<void> =>
  Effect.gen(function*() {
    const startedMs = now()
    const sinceMs = () => now() - startedMs
    if (given === undefined) {
      dataPlane.close()
      server.close()
    } else given.leave()
    const mayCome = () => given !== undefined && sinceMs() < LEAVE_MS_MAX && (openConnections() > 0 || !given.isOver())
    const isBusy = () => {
      if (given === undefined || sinceMs() > LEAVE_IDLE_MS) server.closeIdleConnections()
      return dataPlane.openRequests() > 0 || mayCome()
    }
    const graceMs = () => (given?.isReplaced() === true ? REPLACED_GRACE_SECONDS : graceSeconds) * 1_000
    const isWaitedFor = () => isBusy() && sinceMs() < graceMs()
    const open = dataPlane.openRequests()
    if (open > 0) yield* Effect.logInfo("waiting for open calls", { open, graceSeconds: graceMs() / 1_000 })
    if (isWaitedFor()) yield* Effect.sleep(STOP_POLL_MS).pipe(Effect.repeat({ while: isWaitedFor }))
    dataPlane.close()
    if (isBusy()) {
      gateway.stopCalls()
      const idle = Effect.sleep(STOP_POLL_MS).pipe(Effect.repeat({ while: isBusy }))
      yield* Effect.timeoutOption(idle, Duration.millis(CLOSE_MS_MAX))
    }
    server.close()
    server.closeAllConnections()
  })
