/**
 * Takes a held call upstream: tries channels in order until one answers, relays the answer, and settles. A try is given
 * up for the next channel only while nothing has reached the client.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { Accounts, type ReserveError } from "../accounts/Accounts.ts"
import type { Reservation } from "../accounts/AccountState.ts"
import type { Channel } from "../channels/Channels.ts"
import { ChannelHealth } from "../channels/CircuitBreaker.ts"
import { KeySpend } from "../identity/KeySpend.ts"
import { Settings } from "../settings/Settings.ts"
import type { UpstreamRefused } from "./CallError.ts"
import { CallRefused, KeyLimitReached, unavailable } from "./CallError.ts"
import { tokensWithin } from "./CallPlan.ts"
import { forwardBody, type OutputLimitField } from "./CallRequest.ts"
import { answered, type CallRoute, reasonOf, voided } from "./CallTally.ts"
import type { Exchange } from "./Exchange.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import { openAiError, type OpenAiErrorCode, openAiErrorFrame, openAiErrors } from "./OpenAiError.ts"
import type { OpenCall } from "./OpenCall.ts"
import { estimateFromBody } from "./StreamMeter.ts"
import { type StreamEnd, StreamRelay } from "./StreamRelay.ts"
import { UpstreamClient, type UpstreamFailure } from "./UpstreamClient.ts"
import { brokenAnswer, failureTry, refusedTry, type Try } from "./UpstreamTry.ts"
import { normaliseUsage } from "./UpstreamUsage.ts"

/** Channels tried for one call, at most. */
const TRIES_MAX = 4

/** No further try is begun after this. */
const TRIES_MS_MAX = 60_000

/** Streams read on after their clients left, at most. */
const DRAINS_MAX = 256

export class Forwarder extends Context.Service<Forwarder, {
  /** Forwards a held call over the first of `channels` that answers, and settles it. */
  forward(openCall: OpenCall, channels: ReadonlyArray<Channel>): Effect.Effect<void, CallRefused | UpstreamRefused>
}>()("realms/gateway/Forwarder") {
  static readonly layer = Layer.effect(Forwarder, Effect.suspend(() => make)).pipe(Layer.provide(UpstreamClient.layer))
}

const make = Effect.gen(function*() {
  const accounts = yield* Accounts
  const keySpend = yield* KeySpend
  const client = yield* UpstreamClient
  const health = yield* ChannelHealth
  const settings = yield* Settings
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const now = () => clock.currentTimeMillisUnsafe()
  let draining = 0
  const after = (delayMs: number, callback: () => void) => {
    const timer = setTimeout(callback, delayMs).unref()
    return () => clearTimeout(timer)
  }

  const timesOf = (openCall: OpenCall, firstByteMs: number | null) => ({
    startedMs: openCall.context.startedMs,
    firstByteMs,
    endedMs: now()
  })

  const forward = Effect.fnUntraced(function*(openCall: OpenCall, channels: ReadonlyArray<Channel>) {
    const { context } = openCall
    let last: Extract<Try, { _tag: "Failed" }> | undefined
    let route: CallRoute = { channel: null, upstreamModel: null }
    for (const channel of channels.slice(0, TRIES_MAX)) {
      if (last !== undefined && now() - context.startedMs > TRIES_MS_MAX) break
      route = { channel: channel.name, upstreamModel: channel.upstreamModel }
      const tried = yield* tryChannel(openCall, channel, route)
      if (tried._tag === "Answered") return
      if (tried._tag === "Refused") return yield* tried.refusal
      if (tried._tag === "Stopped") return yield* stopped(openCall, route)
      if (tried._tag === "Passed") {
        yield* openCall.settle("Void", voided("upstream_refused", tried.refusal.status, route, timesOf(openCall, null)))
        return yield* tried.refusal
      }
      last = tried
      yield* Effect.logWarning("a channel failed a call", {
        channel: channel.name,
        why: tried.why,
        requestId: context.requestId
      })
    }
    const code = last?.code ?? "upstream_error"
    const refusal = new CallRefused({
      code,
      message: failureMessages[code] ?? "The upstream could not answer this request.",
      ...(last?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: last.retryAfterSeconds })
    })
    yield* openCall.settle("Void", voided(code, null, route, timesOf(openCall, null)))
    return yield* refusal
  })

  /** Stopped before an answer began. A client that left has let the upstream work: the input is charged. */
  const stopped = (openCall: OpenCall, route: CallRoute) =>
    Effect.gen(function*() {
      const { call } = openCall.context
      if (openCall.stopped === "client_gone" && openCall.sent) {
        const outcome = answered(call, undefined, () => 0, 499, "client_gone", route, timesOf(openCall, null))
        return yield* openCall.settle("Commit", outcome)
      }
      yield* openCall.settle("Void", voided(openCall.stopped ?? "stopped", 503, route, timesOf(openCall, null)))
      return yield* unavailable("The server is stopping. Please try again shortly.")
    })

  const tryChannel = Effect.fnUntraced(function*(openCall: OpenCall, channel: Channel, route: CallRoute) {
    const { call } = openCall.context
    // What an earlier channel failed at is no work of this one: a client that leaves before it is sent owes nothing.
    openCall.sent = false
    openCall.stop = (why) => {
      openCall.stopped = why
    }
    if (openCall.context.client.isGone) openCall.stop("client_gone")
    if (openCall.stopped !== undefined) return { _tag: "Stopped" } satisfies Try
    const sent = yield* Effect.result(send(openCall, channel))
    if (sent._tag === "Failure") {
      if (openCall.stopped !== undefined) return { _tag: "Stopped" } satisfies Try
      health.failed(channel.id, now())
      return failureTry(sent.failure)
    }
    const exchange = sent.success
    const type = exchange.header("content-type") ?? ""
    if (exchange.status === 200 && call.stream && type.includes("text/event-stream")) {
      return yield* relay(openCall, channel, route, exchange)
    }
    const read = yield* Effect.result(client.readBody(exchange))
    if (openCall.stopped !== undefined) return { _tag: "Stopped" } satisfies Try
    if (read._tag === "Failure") {
      health.failed(channel.id, now())
      return failureTry(read.failure)
    }
    if (exchange.status < 200 || exchange.status > 299) return refusedTry(channel, exchange, read.success)
    return yield* answer(openCall, channel, route, read.success)
  })

  const send = (openCall: OpenCall, channel: Channel): Effect.Effect<Exchange, UpstreamFailure> => {
    const { call, client: caller } = openCall.context
    const body = forwardBody(call, {
      upstreamModel: channel.upstreamModel,
      includeUsage: channel.streamOptions || call.wantsUsage,
      ...limitOf(openCall)
    })
    const request = {
      baseUrl: channel.baseUrl,
      path: call.dialect === "chat" ? "/chat/completions" : "/responses",
      apiKey: Redacted.value(channel.apiKey),
      body
    }
    return client.send(request, (exchange) => {
      openCall.stop = (why) => {
        openCall.stopped = why
        openCall.sent ||= exchange.isSent
        exchange.abort()
      }
      caller.onGone = () => {
        // An answer that is not streamed is waited for under `drain`: its usage is exact.
        if (call.stream || settings.current().billing.onDisconnect === "cancel") openCall.stop("client_gone")
      }
    })
  }

  /** An answer that is not streamed. */
  const answer = Effect.fnUntraced(function*(openCall: OpenCall, channel: Channel, route: CallRoute, body: Buffer) {
    const { call, client: caller, requestId } = openCall.context
    const json = parseJson(body.toString("utf8"))
    const broken = brokenAnswer(json, call.stream)
    if (broken !== undefined) {
      health.failed(channel.id, now())
      return { _tag: "Failed", code: "upstream_error", retryAfterSeconds: undefined, why: broken } satisfies Try
    }
    health.succeeded(channel.id)
    const firstByteMs = now()
    const usage = isObject(json) ? normaliseUsage(json.usage, call.dialect) : undefined
    const outcome = answered(
      call,
      usage,
      () => estimateFromBody(json, call.dialect),
      200,
      null,
      route,
      timesOf(openCall, firstByteMs)
    )
    yield* openCall.settle("Commit", outcome)
    caller.start(200, {
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-request-id": requestId,
      "x-realms-cost-micros": String(openCall.costOf(outcome))
    })
    caller.end(body)
    return { _tag: "Answered" } satisfies Try
  })

  const relay = Effect.fnUntraced(
    function*(openCall: OpenCall, channel: Channel, route: CallRoute, exchange: Exchange) {
      const { call, client: caller, requestId } = openCall.context
      const { billing } = settings.current()
      let firstByteMs: number | null = null
      let streaming: StreamRelay | undefined
      let drains = false
      const end = yield* Effect.callback<StreamEnd>((resume) => {
        const stream = new StreamRelay({
          dialect: call.dialect,
          client: caller,
          exchange,
          wantsUsage: call.wantsUsage,
          heldTokens: openCall.reservation.outputTokens * call.n,
          extendable: openCall.plan.extendable && openCall.reservation.funding !== "free",
          onFirstByte: () => {
            firstByteMs = now()
            caller.start(200, {
              "content-type": "text/event-stream; charset=utf-8",
              "cache-control": "no-cache",
              "x-accel-buffering": "no",
              "x-request-id": requestId
            })
          },
          onWantsMore: (asking) => void run(extend(openCall, asking)),
          onDone: (how) => resume(Effect.succeed(how)),
          after,
          extendWaitMs: billing.extendWaitMs,
          drainOnDisconnect: () => {
            if (settings.current().billing.onDisconnect !== "drain" || draining >= DRAINS_MAX) return false
            draining++
            drains = true
            return true
          }
        })
        streaming = stream
        openCall.stop = (why) => {
          openCall.stopped = why
          if (why === "lease_lost") stream.lost()
          else stream.stop()
        }
        if (openCall.stopped !== undefined) openCall.stop(openCall.stopped)
        else stream.run()
      })
      if (drains) draining--
      openCall.sent = true
      const stream = streaming
      if (stream === undefined || (end === "failed" && !stream.hasStarted)) {
        health.failed(channel.id, now())
        return {
          _tag: "Failed",
          code: "upstream_error",
          retryAfterSeconds: undefined,
          why: "no usable first frame"
        } satisfies Try
      }
      if (end === "complete") health.succeeded(channel.id)
      else if (end === "truncated") health.failed(channel.id, now())
      // Funds that do not cover even the first frame: the upstream has worked all the same, up to the hold it is charged.
      const short = end === "insufficient_quota" || end === "key_limit_exceeded"
      const refused = !stream.hasStarted && short
      if (!stream.hasStarted && !refused && end !== "client_gone" && end !== "complete") {
        return { _tag: "Stopped" } satisfies Try
      }
      const cut = short || end === "service_unavailable"
      const usage = cut ? undefined : stream.meter.usage()
      const outputTokens = () => {
        const tokens = stream.meter.estimateOutputTokens()
        return cut ? Math.min(tokens, stream.budget.heldTokens) : tokens
      }
      const refusal = end === "key_limit_exceeded" ? keyEnded : fundsEnded
      const status = end === "client_gone" ? 499 : refused ? openAiErrors[refusal.code].status : 200
      const outcome = answered(call, usage, outputTokens, status, reasonOf(end), route, timesOf(openCall, firstByteMs))
      yield* openCall.settle("Commit", outcome)
      if (refused) return { _tag: "Refused", refusal } satisfies Try
      finishStream(openCall, stream, end)
      return { _tag: "Answered" } satisfies Try
    }
  )

  const finishStream = (openCall: OpenCall, stream: StreamRelay, end: StreamEnd): void => {
    const { call, client: caller } = openCall.context
    if (caller.isGone) return
    if (end === "complete") {
      if (!stream.hasStarted) caller.start(200, { "content-type": "text/event-stream; charset=utf-8" })
      return caller.end(stream.terminal.length === 0 ? undefined : Buffer.concat(stream.terminal))
    }
    if (end === "client_gone") return caller.destroy()
    const code = end === "truncated" || end === "failed"
      ? "upstream_error"
      : end === "lease_lost"
      ? "service_unavailable"
      : end
    const message = streamMessages[code] ?? "The stream ended early."
    caller.end(`\n\n${openAiErrorFrame(call.dialect, openAiError(code, message))}`)
  }

  /** Raises the hold of a stream by another first part, or by what the funds still allow. */
  const extend = Effect.fnUntraced(function*(openCall: OpenCall, stream: StreamRelay) {
    const { call, key } = openCall.context
    const step = settings.current().billing.defaultMaxOutputTokens
    const wanted = openCall.reservation.outputTokens +
      Math.max(step, Math.ceil(stream.budget.tokens / call.n) - openCall.reservation.outputTokens)
    const attempt = (outputTokens: number) =>
      accounts.extend(key.userId, {
        _tag: "Extend",
        id: openCall.reservation.id,
        numerator: openCall.plan.baseNumerator + BigInt(outputTokens) * openCall.plan.tokenNumerator,
        outputTokens,
        atMs: now()
      })
    const { planMultiplier, billingMultiplier } = openCall.reservation
    const tokensFor = (moreMicros: bigint) =>
      tokensWithin(openCall.plan, billingMultiplier * planMultiplier, openCall.reservation.reservedMicros + moreMicros)
    const raise = (outputTokens: number) =>
      attempt(outputTokens).pipe(
        Effect.catchTag("InsufficientFunds", (error) => {
          const fits = tokensFor(error.availableMicros)
          return fits > openCall.reservation.outputTokens ? attempt(Math.min(fits, outputTokens)) : Effect.fail(error)
        })
      )
    const extended = yield* Effect.result(
      key.spendLimitMicros === null
        ? raise(wanted)
        : keySpend.exclusively(key.keyId, (spending): Effect.Effect<Reservation, ReserveError | KeyLimitReached> => {
          const fits = spending.roomMicros === null ? wanted : Math.min(wanted, tokensFor(spending.roomMicros))
          return fits > openCall.reservation.outputTokens ? raise(fits) : Effect.fail(new KeyLimitReached())
        })
    )
    if (extended._tag === "Success") {
      openCall.reservation = extended.success
      return stream.extended(extended.success.outputTokens * call.n)
    }
    if (extended.failure._tag === "ReservationLost") return stream.lost()
    stream.refused(extensionRefusals[extended.failure._tag] ?? "service_unavailable")
  })

  return Forwarder.of({ forward })
})

const fundsEnded = new CallRefused({
  code: "insufficient_quota",
  message: "Your funds do not cover this answer. What they held was used up in making it. Top up to continue."
})

const keyEnded = new CallRefused({
  code: "key_limit_exceeded",
  message: "This key's spend limit does not cover this answer. What it still allowed was used up in making it."
})

/** Why an extension is refused for good, by the error it met. */
const extensionRefusals: Readonly<Record<string, "insufficient_quota" | "key_limit_exceeded">> = {
  InsufficientFunds: "insufficient_quota",
  KeyLimitReached: "key_limit_exceeded"
}

const limitOf = (openCall: OpenCall): { outputLimit?: { field: OutputLimitField; value: number } } =>
  openCall.plan.limitField === undefined
    ? {}
    : { outputLimit: { field: openCall.plan.limitField, value: openCall.reservation.outputTokens } }

const failureMessages: Partial<Record<OpenAiErrorCode, string>> = {
  upstream_error: "The upstream could not answer this request.",
  upstream_timeout: "The upstream did not answer in time.",
  upstream_rate_limited: "The upstream is rate limited at this moment. Please try again later."
}

const streamMessages: Partial<Record<OpenAiErrorCode, string>> = {
  upstream_error: "The upstream ended this stream early. You are charged for what was delivered.",
  insufficient_quota: "Your funds are used up. You are charged for what was delivered.",
  key_limit_exceeded: "This key's spend limit is reached. You are charged for what was delivered.",
  service_unavailable: "This stream had to end. You are charged for what was delivered."
}
