/**
 * The edge of `/v1/*`: authenticates, reads a bounded body, makes one call of the gateway and encodes what came of it. It stands
 * directly on Node's server, because here every microsecond is paid by every call.
 */
import { Cause, Clock, Context, Effect, Layer, Option } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Accounts } from "../../accounts/Accounts.ts"
import type { CallClaim } from "../../accounts/AccountState.ts"
import { AppConfig } from "../../config/Config.ts"
import { type ApiKeyId, makeReservationId } from "../../domain/Ids.ts"
import { ipRanges, isIpIn } from "../../domain/IpRange.ts"
import { CallRefused, unavailable, UpstreamRefused } from "../../gateway/CallError.ts"
import { CallNotes } from "../../gateway/CallNotes.ts"
import { CallTracer } from "../../gateway/CallTracer.ts"
import { Gateway } from "../../gateway/Gateway.ts"
import { rateHeaders } from "../../gateway/Limits.ts"
import { openAiError, openAiErrorBody, openAiErrors } from "../../gateway/OpenAiError.ts"
import type { Call, Dialect, Refused } from "../../gateway/request/Call.ts"
import { CallParser } from "../../gateway/request/CallParser.ts"
import { type ApiKeyIdentity, ApiKeys } from "../../identity/ApiKeys.ts"
import { ByteBudget, shareOf } from "../../platform/ByteBudget.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { Settings } from "../../settings/Settings.ts"
import { RefusedCalls, type RefusedStatus, refusedStatuses } from "../../usage/RefusedCalls.ts"
import { ClientLimits } from "../ClientLimits.ts"
import { apiPathOf } from "./ApiPath.ts"
import { awaitsContinue } from "./AwaitedContinue.ts"
import { callAddress } from "./CallAddress.ts"
import { ClientWatch } from "./ClientWatch.ts"
import { codeOf, makeCallReport, type Refusal, type RequestEnd, statusOf } from "./CallReport.ts"
import { answerPreflight, corsHeaders } from "./Cors.ts"
import { DataReads } from "./DataReads.ts"
import { discardBody, isBodyPending } from "./DiscardBody.ts"
import { claimOf, Idempotency, idempotencyKeyOf } from "./Idempotency.ts"
import { failedInside, invalidKey, noFunds, noKey, stopping, tooManyCalls, wrongNetwork } from "./EdgeRefusals.ts"
import { ModelList } from "./ModelList.ts"
import { NodeCallClient } from "./NodeCallClient.ts"
import { OpenLimits } from "./OpenLimits.ts"
import { readRequestBody } from "./RequestBody.ts"
import { tokenOf } from "./RequestToken.ts"

export class DataPlane extends Context.Service<DataPlane, {
  /** Answers a request to the API. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** From now on every new call is refused with 503. */
  close(): void
  /** Requests under way, from their first byte. */
  openRequests(): number
}>()("realms/http/v1/DataPlane") {
  static readonly layer = Layer.effect(DataPlane)(Effect.gen(function*() {
    const config = yield* AppConfig
    const keys = yield* ApiKeys
    const accounts = yield* Accounts
    const models = yield* ModelList
    const parser = yield* CallParser
    const gateway = yield* Gateway
    const reads = yield* DataReads
    const refused = yield* RefusedCalls
    const settings = yield* Settings
    const address = yield* PublicAddress
    const clientLimits = yield* ClientLimits
    const limits = new OpenLimits<ApiKeyId>(clientLimits.callsPerKeyMax)
    const { maxBodyBytes, runners } = config.server
    const budget = new ByteBudget(shareOf(clientLimits.bodyBudget, runners, maxBodyBytes))
    const idempotency = yield* Idempotency
    const watch = new ClientWatch(clientLimits)
    const trusted = ipRanges(config.server.trustedProxies)
    const clock = yield* Clock.Clock
    const report = yield* makeCallReport
    const tracer = yield* CallTracer
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
          ? invalidKey[error.reason]
          : unavailable("Keys cannot be checked at this moment. Please try again shortly."))
    }

    /** Bytes that a body may have. A user without any funds is refused before it is read, as far as every call costs something. */
    const bodyBytesMax = (key: ApiKeyIdentity, visit: Visit): Effect.Effect<number, CallRefused> =>
      accounts.standing(key.userId).pipe(
        Effect.mapError(() => unavailable("Billing is unavailable at this moment. Please try again shortly.")),
        Effect.flatMap((standing) =>
          standing === "funded" ? Effect.succeed(config.server.maxBodyBytes) : unfundedBytesMax(key, visit)
        )
      )

    /** An answer that was paid is given again, whatever is left to spend. */
    const unfundedBytesMax = (
      key: ApiKeyIdentity,
      { idempotencyKey, request }: Visit
    ): Effect.Effect<number, CallRefused> =>
      idempotencyKey === undefined ? freeBytesMax(request) : Effect.flatMap(
        idempotency.isTaken(key.userId, idempotencyKey),
        (isTaken) => isTaken ? Effect.succeed(config.server.maxBodyBytes) : freeBytesMax(request)
      )

    const freeBytesMax = (request: IncomingMessage): Effect.Effect<number, CallRefused> =>
      Effect.flatMap(models.hasFree, (free) => {
        const declared = Number(request.headers["content-length"] ?? "0")
        return free && declared <= UNFUNDED_BODY_BYTES_MAX
          ? Effect.succeed(Math.min(UNFUNDED_BODY_BYTES_MAX, config.server.maxBodyBytes))
          : Effect.fail(noFunds(address.url()))
      })

    /** Reads the body of a call whose key is known, and makes the call. */
    const answer = (visit: Visit, key: ApiKeyIdentity, bytesMax: number): Effect.Effect<void, Refusal> => {
      const { notes, request, requestId, response } = visit
      notes.enter("body")
      const body = readRequestBody(request, {
        userId: key.userId,
        bytesMax,
        budget,
        onReading: () => awaitsContinue(request) ? response.writeContinue() : undefined,
        slowAfterMs: clientLimits.bodySlowAfterMs,
        bytesPerSecondMin: clientLimits.bodyBytesPerSecondMin
      })
      const parsed = Effect.flatMap(body, (received): Effect.Effect<Call | Refused, CallRefused> => {
        notes.enter("gateway")
        visit.release = received.release
        if (visit.idempotencyKey !== undefined) {
          visit.claim = claimOf(visit.idempotencyKey, visit.dialect, received.body)
        }
        return closed ? Effect.fail(stopping) : parser.parse(visit.dialect, received.body)
      })
      return Effect.flatMap(parsed, (call): Effect.Effect<void, Refusal> => {
        if (call._tag === "Refused") return Effect.fail(new CallRefused(call))
        visit.model = call.model
        notes.stream = call.stream
        const client = new NodeCallClient(response, watch, headersOf(requestId))
        const context = { requestId, key, call, startedMs: visit.startedMs, notes }
        const { claim } = visit
        // What the key may not call, it is not told either.
        const mayCall = key.allowedModels === null || key.allowedModels.includes(call.model)
        return claim === undefined || !mayCall
          ? gateway.run({ ...context, client })
          : idempotency.run(
            { userId: key.userId, requestId, claim, client, notes },
            (kept) => gateway.run({ ...context, client: kept, claim })
          )
      })
    }

    /** Whether the key may be used from where the request comes. */
    const mayCome = (key: ApiKeyIdentity, request: IncomingMessage): boolean =>
      key.networks === null || isIpIn(key.networks, callAddress(request, trusted))

    const enter = (visit: Visit, key: ApiKeyIdentity): Effect.Effect<void, Refusal> => {
      if (visit.response.destroyed) return Effect.void
      if (!mayCome(key, visit.request)) return Effect.fail(wrongNetwork)
      if (!limits.enter(key.keyId)) return Effect.fail(tooManyCalls)
      visit.key = key
      const named = idempotencyKeyOf(visit.request)
      if (named instanceof CallRefused) return Effect.fail(named)
      visit.idempotencyKey = named
      // Most calls by far: what is in memory answers at once.
      return settings.current().billing.enabled && !accounts.isKnownFunded(key.userId)
        ? Effect.flatMap(bodyBytesMax(key, visit), (bytesMax) => answer(visit, key, bytesMax))
        : answer(visit, key, config.server.maxBodyBytes)
    }

    const call = (visit: Visit): Effect.Effect<void, Refusal> => {
      if (closed) return Effect.fail(stopping)
      const token = tokenOf(visit.request)
      const cached = token === undefined ? undefined : keys.cached(token)
      return cached === undefined
        ? Effect.flatMap(authenticate(visit.request), (key) => enter(visit, key))
        : enter(visit, cached)
    }

    /** What a call has taken is given back, and its refusal kept for its user's list of calls. */
    const leave = (visit: Visit, end: RequestEnd): void => {
      visit.release?.()
      const { dialect, key, model, notes, requestId } = visit
      report(notes, key, end)
      if (key === undefined) return
      limits.leave(key.keyId)
      if (end === "answered" || end === "failed") return
      const refusal = end
      const status = statusOf(refusal)
      if (!isRefusedStatus(status)) return
      refused.record({
        id: requestId,
        userId: key.userId,
        keyId: key.keyId,
        model,
        endpoint: endpoints[dialect],
        status,
        code: codeOf(refusal)
      })
    }

    /** What is asked for other than a call. */
    const route = (
      requestId: string,
      path: string,
      request: IncomingMessage,
      response: ServerResponse
    ): Effect.Effect<void, Refusal> => {
      // Node leaves the body of an answer to `HEAD` out.
      const read = request.method === "GET" || request.method === "HEAD" ? reads.find(path) : undefined
      if (read !== undefined) {
        return Effect.map(
          Effect.flatMap(authenticate(request), (key) => mayCome(key, request) ? read(key) : Effect.fail(wrongNetwork)),
          (value) => sendJson(requestId, response, value)
        )
      }
      return Effect.fail(
        new CallRefused({
          code: "not_found",
          message: `Unknown request URL: ${request.method} ${path.slice(0, 200)}.`
        })
      )
    }

    const refuse = (
      requestId: string,
      request: IncomingMessage,
      response: ServerResponse,
      error: Refusal
    ): void => {
      if (response.headersSent || response.destroyed) {
        if (!response.writableEnded) response.destroy()
        return
      }
      const isEarly = isBodyPending(request)
      // A body that was not read to its end makes the connection useless for another request.
      if (isEarly) response.setHeader("connection", "close")
      const body = refusalBody(requestId, response, error)
      if (!isEarly) return void response.end(body)
      response.write(body)
      discardBody(request, () => response.end(), {
        bytesMax: config.server.maxBodyBytes,
        waitMs: clientLimits.discardMs
      })
    }

    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      if (request.method === "OPTIONS") {
        response.setHeader("cache-control", "no-store")
        return answerPreflight(request, response)
      }
      const requestId = makeReservationId()
      const path = apiPathOf(request.url) ?? ""
      const dialect = request.method === "POST" ? dialects[path] : undefined
      underWay++
      if (dialect === undefined) {
        return finish(route(requestId, path, request, response), requestId, request, response, () => undefined)
      }
      const visit: Visit = {
        requestId,
        dialect,
        request,
        response,
        startedMs: clock.currentTimeMillisUnsafe(),
        notes: new CallNotes(requestId, dialect, tracer.begin(`POST ${path}`, request.headers["traceparent"])),
        key: undefined,
        model: null,
        release: undefined,
        idempotencyKey: undefined,
        claim: undefined
      }
      finish(Effect.suspend(() => call(visit)), requestId, request, response, (end) => leave(visit, end))
    }

    /** Runs what answers a request; `onEnd` hears of its end before a refusal is answered. Nobody interrupts it: it ends by itself. */
    const finish = (
      answering: Effect.Effect<void, Refusal>,
      requestId: string,
      request: IncomingMessage,
      response: ServerResponse,
      onEnd: (end: RequestEnd) => void
    ): void => {
      run(Effect.matchCauseEffect(answering, {
        onSuccess: () => {
          underWay--
          onEnd("answered")
          return Effect.void
        },
        onFailure: (cause) => {
          const error = Option.getOrUndefined(Cause.findErrorOption(cause))
          underWay--
          onEnd(error ?? "failed")
          if (error !== undefined) {
            // Once the bytes at hand are parsed, Node knows whether the body came along with the headers.
            return Effect.sync(() => void setImmediate(() => refuse(requestId, request, response, error)))
          }
          return Effect.logError("a call failed unexpectedly", cause).pipe(
            Effect.annotateLogs({ requestId }),
            Effect.andThen(Effect.sync(() => refuse(requestId, request, response, failedInside)))
          )
        }
      }))
    }

    return DataPlane.of({
      handle: (request, response) => {
        if (response.socket !== null) return handle(request, response)
        // A pipelined request is begun when the answers before it have ended: until then nobody would see its client leave.
        response.once("socket", () => handle(request, response))
      },
      close: () => {
        closed = true
        idempotency.close()
      },
      openRequests: () => underWay
    })
  })).pipe(
    Layer.provide(
      Layer.mergeAll(DataReads.layer, CallParser.layer, Idempotency.layer).pipe(Layer.provideMerge(ModelList.layer))
    )
  )
}

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

/** A call as the edge sees it. */
interface Visit {
  readonly requestId: string
  readonly dialect: Dialect
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly startedMs: number
  readonly notes: CallNotes
  /** Known once it counts among the key's open calls. */
  key: ApiKeyIdentity | undefined
  /** Null until the body was read. */
  model: string | null
  /** Gives back what the body takes of the memory for bodies. */
  release: (() => void) | undefined
  /** What its client named, and what is claimed with it. */
  idempotencyKey: string | undefined
  claim: CallClaim | undefined
}

const isRefusedStatus = (status: number): status is RefusedStatus => refusedStatuses.some((known) => known === status)

/** Headers of every answer. No cache keeps what does not say that it may be kept. */
const headersOf = (requestId: string) => ({ "cache-control": "no-store", "x-request-id": requestId, ...corsHeaders })

const sendJson = (requestId: string, response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { ...headersOf(requestId), "content-type": "application/json" })
  response.end(JSON.stringify(value))
}

/** Sends status and headers of a refusal; answers its body. */
const refusalBody = (requestId: string, response: ServerResponse, error: Refusal): string => {
  const isPassed = error instanceof UpstreamRefused
  const body = isPassed ? error.body : openAiErrorBody(openAiError(error.code, error.message, error.param ?? null))
  if (!isPassed) {
    if (!openAiErrors[error.code].retry) response.setHeader("x-should-retry", "false")
    if (error.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(error.retryAfterSeconds))
    if (error.report !== undefined) {
      for (const [name, value] of rateHeaders(error.report)) response.setHeader(name, value)
    }
  }
  response.writeHead(statusOf(error), {
    ...headersOf(requestId),
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body))
  })
  return body
}
