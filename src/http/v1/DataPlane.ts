/**
 * The edge of `/v1/*`: authenticates, reads a bounded body, makes one call of the gateway and encodes what came of it. It stands
 * directly on Node's server, because here every microsecond is paid by every call.
 */
import { Clock, Context, Effect, Layer } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Accounts } from "../../accounts/Accounts.ts"
import { makeReservationId } from "../../domain/Ids.ts"
import { CallRefused, unavailable, UpstreamRefused } from "../../gateway/CallError.ts"
import { Gateway } from "../../gateway/Gateway.ts"
import { openAiError, openAiErrorBody, openAiErrors } from "../../gateway/OpenAiError.ts"
import type { Dialect } from "../../gateway/request/Call.ts"
import { CallParser } from "../../gateway/request/CallParser.ts"
import { type ApiKeyIdentity, ApiKeys } from "../../identity/ApiKeys.ts"
import { AppConfig } from "../../platform/Config.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { Settings } from "../../settings/Settings.ts"
import { Receipts } from "../../usage/Receipts.ts"
import { RefusedCalls, type RefusedStatus, refusedStatuses } from "../../usage/RefusedCalls.ts"
import { ClientLimits } from "../ClientLimits.ts"
import { ByteBudget } from "../../platform/ByteBudget.ts"
import { awaitsContinue } from "./AwaitedContinue.ts"
import { ClientWatch } from "./ClientWatch.ts"
import { answerPreflight, setCorsHeaders } from "./Cors.ts"
import { discardBody, isBodyPending } from "./DiscardBody.ts"
import { KeyLimits } from "./KeyLimits.ts"
import { ModelList } from "./ModelList.ts"
import { NodeCallClient } from "./NodeCallClient.ts"
import { readRequestBody } from "./RequestBody.ts"
import { tokenOf } from "./RequestToken.ts"

export class DataPlane extends Context.Service<DataPlane, {
  /** Answers a request whose path begins with `/v1/`. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** From now on every new call is refused with 503. */
  close(): void
  /** Requests under way, from their first byte. */
  openRequests(): number
}>()("realms/http/v1/DataPlane") {
  static readonly layer = Layer.effect(DataPlane, Effect.suspend(() => make)).pipe(
    Layer.provide(Layer.mergeAll(ModelList.layer, CallParser.layer))
  )
}

const modelsPath = "/v1/models/"
const usagePath = "/v1/usage/"

const dialects: Readonly<Record<string, Dialect>> = {
  "/v1/chat/completions": "chat",
  "/v1/responses": "responses",
  "/v1/embeddings": "embeddings"
}

const endpoints: Readonly<Record<Dialect, string>> = {
  chat: "chat.completions",
  responses: "responses",
  embeddings: "embeddings"
}

/** With a free model to call, a user without funds may send a body up to this, in bytes. */
const UNFUNDED_BODY_BYTES_MAX = 1_048_576

type Refusal = CallRefused | UpstreamRefused

/** What is known of a call when it is refused. */
interface RefusedCall {
  readonly dialect: Dialect
  readonly key: ApiKeyIdentity
  /** Null until the body was read. */
  model: string | null
}

const make = Effect.gen(function*() {
  const config = yield* AppConfig
  const keys = yield* ApiKeys
  const accounts = yield* Accounts
  const models = yield* ModelList
  const parser = yield* CallParser
  const gateway = yield* Gateway
  const receipts = yield* Receipts
  const refused = yield* RefusedCalls
  const settings = yield* Settings
  const address = yield* PublicAddress
  const clientLimits = yield* ClientLimits
  const limits = new KeyLimits(clientLimits.callsPerKeyMax)
  const budget = new ByteBudget(clientLimits.bodyBudget)
  const watch = new ClientWatch(clientLimits)
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  let closed = false
  let underWay = 0

  const authenticate = (request: IncomingMessage): Effect.Effect<ApiKeyIdentity, CallRefused> => {
    const token = tokenOf(request)
    if (token === undefined) return Effect.fail(noKey)
    const cached = keys.cached(token)
    if (cached !== undefined) return Effect.succeed(cached)
    return Effect.mapError(keys.authenticate(token), (error) =>
      error._tag === "InvalidApiKey"
        ? new CallRefused({ code: "invalid_api_key", message: "Incorrect API key provided." })
        : unavailable("Keys cannot be checked at this moment. Please try again shortly."))
  }

  /** Refuses a user without any funds before the body is read, as far as every call costs something. */
  const checkStanding = Effect.fnUntraced(function*(key: ApiKeyIdentity, request: IncomingMessage) {
    if (!settings.current().billing.enabled) return config.server.maxBodyBytes
    const standing = yield* Effect.mapError(
      accounts.standing(key.userId),
      () => unavailable("Billing is unavailable at this moment. Please try again shortly.")
    )
    if (standing === "funded") return config.server.maxBodyBytes
    const free = yield* models.hasFree
    const declared = Number(request.headers["content-length"] ?? "0")
    if (!free || declared > UNFUNDED_BODY_BYTES_MAX) return yield* noFunds(address.url())
    return Math.min(UNFUNDED_BODY_BYTES_MAX, config.server.maxBodyBytes)
  })

  const answer = Effect.fnUntraced(function*(
    requestId: string,
    note: RefusedCall,
    startedMs: number,
    request: IncomingMessage,
    response: ServerResponse
  ) {
    const { dialect, key } = note
    const bytesMax = yield* checkStanding(key, request)
    const { body, release } = yield* readRequestBody(request, {
      userId: key.userId,
      bytesMax,
      budget,
      onReading: () => awaitsContinue(request) ? response.writeContinue() : undefined,
      slowAfterMs: clientLimits.bodySlowAfterMs,
      bytesPerSecondMin: clientLimits.bodyBytesPerSecondMin
    })
    yield* Effect.ensuring(
      Effect.suspend((): Effect.Effect<void, Refusal> => {
        if (closed) return Effect.fail(stopping)
        return Effect.flatMap(parser.parse(dialect, body), (call): Effect.Effect<void, Refusal> => {
          if (call._tag === "Refused") return Effect.fail(new CallRefused(call))
          note.model = call.model
          return gateway.run({ requestId, key, call, client: new NodeCallClient(response, watch), startedMs })
        })
      }),
      Effect.sync(release)
    )
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
    if (!limits.enter(key.keyId)) return yield* tooManyCalls
    const note: RefusedCall = { dialect, key, model: null }
    yield* answer(requestId, note, startedMs, request, response).pipe(
      Effect.tapError((error) => Effect.sync(() => record(error, requestId, note))),
      Effect.ensuring(Effect.sync(() => limits.leave(key.keyId)))
    )
  })

  /** Keeps a refusal for its user's list of calls. */
  const record = (error: Refusal, requestId: string, { dialect, key, model }: RefusedCall): void => {
    const status = statusOf(error)
    if (!isRefusedStatus(status)) return
    refused.record({
      id: requestId,
      userId: key.userId,
      keyId: key.keyId,
      model,
      endpoint: endpoints[dialect],
      status,
      code: error._tag === "CallRefused" ? error.code : error.error.code ?? "upstream_refused"
    })
  }

  const listModels = Effect.fnUntraced(
    function*(id: string | undefined, request: IncomingMessage, response: ServerResponse) {
      yield* authenticate(request)
      if (id === undefined) return sendJson(response, 200, { object: "list", data: yield* models.list })
      const found = (yield* models.list).find((model) => model.id === id)
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
  ): Effect.Effect<void, Refusal> => {
    const url = request.url ?? "/"
    const query = url.indexOf("?")
    const path = query === -1 ? url : url.slice(0, query)
    if (request.method === "POST") {
      const dialect = dialects[path]
      if (dialect !== undefined) return call(dialect, requestId, request, response)
    }
    if (request.method === "GET") {
      if (path === "/v1/models") return listModels(undefined, request, response)
      if (path.startsWith(modelsPath)) return listModels(decodePath(path.slice(modelsPath.length)), request, response)
      if (path.startsWith(usagePath)) return receipt(path.slice(usagePath.length), request, response)
    }
    return Effect.fail(
      new CallRefused({ code: "not_found", message: `Unknown request URL: ${request.method} ${path.slice(0, 200)}.` })
    )
  }

  const refuse = (request: IncomingMessage, response: ServerResponse, error: Refusal): void => {
    if (response.headersSent || response.destroyed) {
      if (!response.writableEnded) response.destroy()
      return
    }
    const isEarly = isBodyPending(request)
    // A body that was not read to its end makes the connection useless for another request.
    if (isEarly) response.setHeader("connection", "close")
    const body = refusalBody(response, error)
    if (!isEarly) return void response.end(body)
    response.write(body)
    discardBody(request, () => response.end(), {
      bytesMax: config.server.maxBodyBytes,
      waitMs: clientLimits.discardMs
    })
  }

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === "OPTIONS") return answerPreflight(request, response)
    const requestId = makeReservationId()
    response.setHeader("x-request-id", requestId)
    setCorsHeaders(response)
    underWay++
    run(
      route(requestId, request, response).pipe(
        // Once the bytes at hand are parsed, Node knows whether the body came along with the headers.
        Effect.catch((error) => Effect.sync(() => void setImmediate(() => refuse(request, response, error)))),
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
  }

  return DataPlane.of({
    handle: (request, response) => {
      if (response.socket !== null) return handle(request, response)
      // A pipelined request is begun when the answers before it have ended: until then nobody would see its client leave.
      response.once("socket", () => handle(request, response))
    },
    close: () => {
      closed = true
    },
    openRequests: () => underWay
  })
})

const noKey = new CallRefused({
  code: "invalid_api_key",
  message: "You did not provide an API key. Send it as `Authorization: Bearer sk-…`."
})

const tooManyCalls = new CallRefused({
  code: "rate_limit_exceeded",
  message: "Too many calls are open with this key.",
  retryAfterSeconds: 1
})

const noFunds = (publicUrl: string) =>
  new CallRefused({
    code: "insufficient_quota",
    message: `You have no balance and no subscription. Top up at ${publicUrl}/topup to make calls.`
  })

const stopping = unavailable("The server is stopping. Please try again shortly.")

const failedInside = unavailable("The gateway failed to answer this request.")

const isRefusedStatus = (status: number): status is RefusedStatus => refusedStatuses.some((known) => known === status)

const statusOf = (error: Refusal): number =>
  error._tag === "CallRefused" ? openAiErrors[error.code].status : error.status

const decodePath = (text: string): string => {
  const decoded = new URLSearchParams(`id=${text.replaceAll("+", "%2B").replaceAll("&", "%26")}`).get("id")
  return decoded ?? text
}

const sendJson = (response: ServerResponse, status: number, value: unknown): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(value))
}

/** Sends status and headers of a refusal; answers its body. */
const refusalBody = (response: ServerResponse, error: Refusal): string => {
  const isPassed = error instanceof UpstreamRefused
  const body = isPassed ? error.body : openAiErrorBody(openAiError(error.code, error.message, error.param ?? null))
  if (!isPassed) {
    if (!openAiErrors[error.code].retry) response.setHeader("x-should-retry", "false")
    if (error.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(error.retryAfterSeconds))
  }
  response.writeHead(statusOf(error), {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body))
  })
  return body
}
