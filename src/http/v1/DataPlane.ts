/**
 * The edge of `/v1/*`: authenticates, decodes, makes one call of the gateway and encodes what came of it. It stands
 * directly on Node's server, because here every microsecond is paid by every call.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Catalog } from "../../catalog/Catalog.ts"
import { makeReservationId } from "../../domain/Ids.ts"
import { CallRefused, unavailable, UpstreamRefused } from "../../gateway/CallError.ts"
import type { Dialect } from "../../gateway/CallRequest.ts"
import { parseChatRequest } from "../../gateway/ChatRequest.ts"
import { Gateway } from "../../gateway/Gateway.ts"
import type { CallContext } from "../../gateway/OpenCall.ts"
import { openAiError, openAiErrorBody, openAiErrors } from "../../gateway/OpenAiError.ts"
import { parseResponsesRequest } from "../../gateway/ResponsesRequest.ts"
import { type ApiKeyIdentity, ApiKeys } from "../../identity/ApiKeys.ts"
import { AppConfig } from "../../platform/Config.ts"
import { Receipts } from "../../usage/Receipts.ts"
import { ClientLimits } from "../ClientLimits.ts"
import { KeyLimits } from "./KeyLimits.ts"
import { NodeCallClient } from "./NodeCallClient.ts"
import { readRequestBody } from "./RequestBody.ts"

export class DataPlane extends Context.Service<DataPlane, {
  /** Answers a request whose path begins with `/v1/`. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** From now on every new call is refused with 503. */
  close(): void
  /** Requests under way, from their first byte. */
  openRequests(): number
}>()("realms/http/v1/DataPlane") {
  static readonly layer = Layer.effect(DataPlane, Effect.suspend(() => make))
}

const modelsPath = "/v1/models/"
const usagePath = "/v1/usage/"

const make = Effect.gen(function*() {
  const config = yield* AppConfig
  const keys = yield* ApiKeys
  const catalog = yield* Catalog
  const gateway = yield* Gateway
  const receipts = yield* Receipts
  const { bodyTimeoutMs, callsPerKeyMax } = yield* ClientLimits
  const limits = new KeyLimits(callsPerKeyMax)
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  let closed = false
  let underWay = 0

  const authenticate = (request: IncomingMessage): Effect.Effect<ApiKeyIdentity, CallRefused> => {
    const token = tokenOf(request)
    if (token === undefined) {
      return Effect.fail(
        new CallRefused({
          code: "invalid_api_key",
          message: "You did not provide an API key. Send it as `Authorization: Bearer sk-…`."
        })
      )
    }
    const cached = keys.cached(token)
    if (cached !== undefined) return Effect.succeed(cached)
    return Effect.mapError(keys.authenticate(token), (error) =>
      error._tag === "InvalidApiKey"
        ? new CallRefused({ code: "invalid_api_key", message: "Incorrect API key provided." })
        : unavailable("Keys cannot be checked at this moment. Please try again shortly."))
  }

  const answer = Effect.fnUntraced(function*(
    dialect: Dialect,
    asked: Omit<CallContext, "call">,
    request: IncomingMessage
  ) {
    const body = yield* readRequestBody(request, config.server.maxBodyBytes, bodyTimeoutMs)
    if (closed) return yield* stopping
    const parsed = dialect === "chat" ? parseChatRequest(body) : parseResponsesRequest(body)
    if (parsed._tag === "Refused") return yield* new CallRefused(parsed)
    yield* gateway.run({ ...asked, call: parsed })
  })

  const call = Effect.fnUntraced(function*(
    dialect: Dialect,
    requestId: string,
    request: IncomingMessage,
    response: ServerResponse
  ) {
    const startedMs = clock.currentTimeMillisUnsafe()
    if (closed) return yield* stopping
    const key = yield* authenticate(request)
    if (response.destroyed) return
    if (!limits.enter(key.keyId)) {
      return yield* new CallRefused({
        code: "rate_limit_exceeded",
        message: "Too many calls are open with this key.",
        retryAfterSeconds: 1
      })
    }
    yield* Effect.ensuring(
      answer(dialect, { requestId, key, client: new NodeCallClient(response), startedMs }, request),
      Effect.sync(() => limits.leave(key.keyId))
    )
  })

  const models = Effect.fnUntraced(
    function*(id: string | undefined, request: IncomingMessage, response: ServerResponse) {
      yield* authenticate(request)
      const all = yield* Effect.mapError(catalog.list, () => unavailable("The catalog is unavailable at this moment."))
      const shown = all.map((model) => ({
        id: model.id,
        object: "model",
        created: Math.floor(model.createdAtMs / 1_000),
        owned_by: "realms"
      }))
      if (id === undefined) return sendJson(response, 200, { object: "list", data: shown })
      const found = shown.find((model) => model.id === id)
      if (found !== undefined) return sendJson(response, 200, found)
      return yield* new CallRefused({
        code: "model_not_found",
        message: `The model '${id}' does not exist.`,
        param: "model"
      })
    }
  )

  const receipt = Effect.fnUntraced(function*(id: string, request: IncomingMessage, response: ServerResponse) {
    const key = yield* authenticate(request)
    const found = yield* Effect.mapError(
      receipts.find(key.userId, id),
      () => unavailable("Receipts are unavailable at this moment.")
    )
    if (found !== undefined) return sendJson(response, 200, found)
    return yield* new CallRefused({ code: "not_found", message: "There is no such call." })
  })

  const route = (
    requestId: string,
    request: IncomingMessage,
    response: ServerResponse
  ): Effect.Effect<void, CallRefused | UpstreamRefused> => {
    const url = request.url ?? "/"
    const query = url.indexOf("?")
    const path = query === -1 ? url : url.slice(0, query)
    if (request.method === "POST") {
      if (path === "/v1/chat/completions") return call("chat", requestId, request, response)
      if (path === "/v1/responses") return call("responses", requestId, request, response)
    }
    if (request.method === "GET") {
      if (path === "/v1/models") return models(undefined, request, response)
      if (path.startsWith(modelsPath)) return models(decodePath(path.slice(modelsPath.length)), request, response)
      if (path.startsWith(usagePath)) return receipt(path.slice(usagePath.length), request, response)
    }
    return Effect.fail(
      new CallRefused({ code: "not_found", message: `Unknown request URL: ${request.method} ${path.slice(0, 200)}.` })
    )
  }

  return DataPlane.of({
    handle: (request, response) => {
      const requestId = makeReservationId()
      response.setHeader("x-request-id", requestId)
      underWay++
      run(
        route(requestId, request, response).pipe(
          Effect.catch((error) => Effect.sync(() => refuse(request, response, error))),
          Effect.catchCause((cause) =>
            Effect.logError("a call failed unexpectedly", cause).pipe(
              Effect.annotateLogs({ requestId }),
              Effect.andThen(Effect.sync(() => refuse(request, response, failedInside)))
            )
          ),
          Effect.ensuring(Effect.sync(() => {
            underWay--
          }))
        )
      )
    },
    close: () => {
      closed = true
    },
    openRequests: () => underWay
  })
})

const stopping = unavailable("The server is stopping. Please try again shortly.")

const failedInside = unavailable("The gateway failed to answer this request.")

const bearer = /^Bearer\s+(\S+)\s*$/i

const tokenOf = (request: IncomingMessage): string | undefined => {
  const { authorization } = request.headers
  if (authorization !== undefined) return bearer.exec(authorization)?.[1]
  const key = request.headers["x-api-key"]
  return typeof key === "string" && key !== "" ? key : undefined
}

const decodePath = (text: string): string => {
  const decoded = new URLSearchParams(`id=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("id")
  return decoded ?? text
}

const sendJson = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(value))
}

const refuse = (request: IncomingMessage, response: ServerResponse, error: CallRefused | UpstreamRefused): void => {
  if (response.headersSent || response.destroyed) {
    if (!response.writableEnded) response.destroy()
    return
  }
  // A body that was not read to its end makes the connection useless for another request.
  if (!request.complete) response.setHeader("connection", "close")
  if (error instanceof UpstreamRefused) {
    response.writeHead(error.status, { "content-type": "application/json" })
    response.end(error.body)
    return
  }
  const kind = openAiErrors[error.code]
  if (!kind.retry) response.setHeader("x-should-retry", "false")
  if (error.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(error.retryAfterSeconds))
  response.writeHead(kind.status, { "content-type": "application/json" })
  response.end(openAiErrorBody(openAiError(error.code, error.message, error.param ?? null)))
}
