/**
 * One upstream attempt of a call: waits for a connection of the channel, sends the request, and takes the answer - a stream or a
 * body - to its end. Answers what went wrong while another channel may still be tried.
 *
 * @internal
 */
import { Effect, Redacted } from "effect"
import type { Channel } from "../channels/Channels.ts"
import { joinBytes } from "../platform/JoinBytes.ts"
import { answerBody, unreadAnswer } from "./BodyAnswer.ts"
import { stoppedOr } from "./EndCall.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { identityOf } from "./Identity.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import { openAiError } from "./OpenAiError.ts"
import type { OpenCall } from "./OpenCall.ts"
import { droppedFieldsHeader } from "./request/DroppedFields.ts"
import { forwardBody } from "./request/ForwardBody.ts"
import { answerStream } from "./StreamAnswer.ts"
import type { Exchange } from "./upstream/Exchange.ts"
import { contextOf } from "./ProblemContext.ts"
import { peek } from "./upstream/PeekedSource.ts"
import { retryAfterOf, saidErrorOf } from "./upstream/SaidError.ts"
import type { UpstreamFailure } from "./upstream/UpstreamClient.ts"
import {
  type ChannelFailed,
  failedBecause,
  problemOf,
  type RequestRefused,
  type UpstreamProblem
} from "./upstream/UpstreamProblem.ts"

const MS_PER_SECOND = 1_000

const paths = { chat: "/chat/completions", responses: "/responses", embeddings: "/embeddings" } as const

const failureOf = (channel: Channel, failure: UpstreamFailure): ChannelFailed =>
  failedBecause(channel, failure.message, failure.kind === "timeout" ? { code: "upstream_timeout" } : {})

export const attemptChannel = Effect.fnUntraced(function*(services: GatewayServices, open: OpenCall, channel: Channel) {
  open.advance({ _tag: "WasQueued", channel })
  const ticket = yield* connectionOf(services, open, channel)
  if (ticket === undefined) {
    open.advance({ _tag: "AttemptFailed" })
    return failedBecause(channel, "no connection was free in time", { code: "rate_limit_exceeded", scope: null })
  }
  const attempted = yield* Effect.ensuring(
    exchangeWith(services, open, channel),
    Effect.sync(() => {
      open.basics.signal.unlisten()
      ticket.release()
      releaseAnswer(open)
    })
  )
  if (attempted._tag !== "Done" && !open.isSettling) open.advance({ _tag: "AttemptFailed" })
  return attempted
})

/** Gives the memory of an answer back: when its client has taken it, or at once where there is none to be taken. */
const releaseAnswer = (open: OpenCall): void => {
  const share = open.answerShare
  if (share === undefined) return
  open.answerShare = undefined
  const { client } = open.basics.reply
  if (client.isGone || !open.isSettling) share.release()
  else client.onDone = share.release
}

/** A connection of the channel, within the user's share; undefined: none in time, or the call was stopped. */
const connectionOf = (services: GatewayServices, open: OpenCall, channel: Channel) => {
  const { context, signal } = open.basics
  return Effect.callback<{ release(): void } | undefined>((resume) => {
    // It may be granted or refused before `enter` returns.
    let isRefused = false
    const ticket = services.shares.enter(channel.id, channel.maxConnections, context.key.userId, {
      onGranted: () => resume(Effect.suspend(() => Effect.succeed(ticket))),
      onRefused: () => {
        isRefused = true
        resume(Effect.succeed(undefined))
      }
    })
    if (ticket.isGranted || isRefused) return
    signal.listen(() => {
      ticket.release()
      resume(Effect.succeed(undefined))
    })
  })
}

/** Ends the request when the call is stopped: at once, or after reading on where the client left. */
const abortOnStop = (services: GatewayServices, open: OpenCall, channel: Channel, exchange: Exchange): void =>
  open.basics.signal.listen((reason) => {
    const drainMs = reason === "client_gone" && exchange.isSent
      ? services.drains.remainingMs(open, channel, services.now())
      : 0
    if (drainMs > 0) services.after(drainMs, () => exchange.abort())
    else exchange.abort()
  })

/** What the client is told was changed in its request. */
const nameChanges = (open: OpenCall, dropped: ReadonlyArray<string>): void => {
  const { reply } = open.basics
  const names = droppedFieldsHeader(dropped)
  if (names !== undefined) reply.setHeader("x-realms-dropped-fields", names)
  if (open.plan.limitField !== undefined) {
    reply.setHeader("x-realms-output-limit", String(open.reservation.outputTokens))
  }
}

/** Sends the request and takes the answer. */
const exchangeWith = Effect.fnUntraced(function*(services: GatewayServices, open: OpenCall, channel: Channel) {
  const { admitted, context } = open.basics
  const forwarded = forwardBody(admitted, {
    upstreamModel: channel.upstreamModel,
    knownFields: channel.knownFields,
    unknownFields: channel.unknownFields,
    includeUsage: channel.knownFields.includes("stream_options"),
    identity: identityOf(context.key.userId),
    ...(open.plan.limitField === undefined
      ? {}
      : { outputLimit: { field: open.plan.limitField, value: open.reservation.outputTokens } })
  })
  if (forwarded === "refused") {
    const refusal = unknownFieldsRefusal(admitted.call.unknownFields)
    return failedBecause(channel, "it does not know a field of the request", { scope: null, refusal })
  }
  nameChanges(open, forwarded.dropped)
  const bytes = forwarded.parts.reduce((sum, part) => sum + part.length, 0)
  const body = yield* joinBytes(forwarded.parts, bytes)
  open.advance({ _tag: "WasSent", atMs: services.now() })
  const idleMs = channel.idleTimeoutSeconds * MS_PER_SECOND
  let latest: Exchange | undefined
  const sent = yield* Effect.result(services.upstream.send({
    baseUrl: channel.baseUrl,
    path: paths[context.call.dialect],
    apiKey: Redacted.value(channel.apiKey),
    body,
    headersTimeoutMs: context.call.stream ? channel.firstByteTimeoutSeconds * MS_PER_SECOND : idleMs,
    idleTimeoutMs: idleMs
  }, (exchange) => {
    latest = exchange
    abortOnStop(services, open, channel, exchange)
  }))
  if (sent._tag === "Failure") {
    return yield* stoppedOr(services, open, channel, latest?.isSent ?? false, failureOf(channel, sent.failure))
  }
  return yield* takeAnswer(services, open, channel, sent.success)
})

const takeAnswer = Effect.fnUntraced(
  function*(services: GatewayServices, open: OpenCall, channel: Channel, exchange: Exchange) {
    const source = yield* services.upstream.bodyOf(exchange)
    if (exchange.status < 200 || exchange.status > 299) {
      const body = yield* services.upstream.readShort(source)
      const said = saidErrorOf(exchange.status, body.toString("utf8"))
      const retryAfter = retryAfterOf((name) => exchange.header(name), services.now())
      return yield* stoppedOr(services, open, channel, false, problemOf(said, contextOf(open, channel, retryAfter)))
    }
    if (!open.basics.context.call.stream) return yield* answerBody(services, open, channel, source)
    const peeked = yield* peek(source, exchange.header("content-type"))
    if (peeked.isEventStream) return yield* answerStream(services, open, channel, peeked.source)
    const body = (yield* services.upstream.readShort(peeked.source)).toString("utf8")
    return yield* stoppedOr(services, open, channel, false, notStreamed(open, channel, body))
  },
  (effect, services, open, channel) =>
    Effect.catchTag(effect, "UpstreamFailure", (failure) =>
      // Only an answer that is not streamed counts in the memory for answers.
      open.answerShare !== undefined && (failure.kind === "too_large" || failure.kind === "no_room")
        ? unreadAnswer(services, open, channel, failure.kind)
        : stoppedOr(services, open, channel, true, failureOf(channel, failure)))
)

/** A body where a stream was asked for: an error, or something that is no answer. */
const notStreamed = (open: OpenCall, channel: Channel, body: string): UpstreamProblem => {
  const json = parseJson(body)
  return isObject(json) && json.error !== undefined && json.error !== null
    ? problemOf(saidErrorOf(undefined, body), contextOf(open, channel, undefined))
    : failedBecause(channel, "the upstream did not stream")
}

const unknownFieldsRefusal = (names: ReadonlyArray<string>): RequestRefused => ({
  _tag: "RequestRefused",
  status: 400,
  error: openAiError(
    "unsupported_parameter",
    `This model's channels do not know these parameters: ${droppedFieldsHeader(names) ?? ""}.`,
    names[0] ?? null
  )
})
