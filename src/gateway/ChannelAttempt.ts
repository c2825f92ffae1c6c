/**
 * One upstream attempt of a call: waits for a connection of the channel, sends the request, and takes the answer - a stream or a
 * body - to its end. Answers what went wrong while another channel may still be tried.
 *
 * @internal
 */
import { Effect, Redacted } from "effect"
import type { Channel, ChannelKey } from "../channels/Channels.ts"
import type { ShareCallbacks, Ticket } from "../channels/ChannelShares.ts"
import { joinBytes, joinedAtOnce } from "../platform/JoinBytes.ts"
import { answerBody, unreadAnswer } from "./BodyAnswer.ts"
import { holdUntilTaken } from "./CallClient.ts"
import type { CallRefused, UpstreamRefused } from "./CallError.ts"
import { type Done, stoppedOr } from "./EndCall.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { identityOf } from "./Identity.ts"
import { openAiError } from "./OpenAiError.ts"
import type { OpenCall } from "./OpenCall.ts"
import { droppedFieldsHeader } from "./request/DroppedFields.ts"
import { forwardBody } from "./request/ForwardBody.ts"
import type { StopSignal } from "./StopSignal.ts"
import { answerStream } from "./StreamAnswer.ts"
import type { AnswerSource } from "./upstream/AnswerSource.ts"
import type { Exchange } from "./upstream/Exchange.ts"
import { contextOf } from "./ProblemContext.ts"
import { peek } from "./upstream/PeekedSource.ts"
import { saidBy } from "./upstream/QuietStream.ts"
import { retryAfterOf, saidErrorOf } from "./upstream/SaidError.ts"
import { reasonOfFailure } from "./upstream/UpstreamAsk.ts"
import type { UpstreamFailure } from "./upstream/UpstreamClient.ts"
import {
  type ChannelFailed,
  failedBecause,
  problemOf,
  type RequestRefused,
  saidIn,
  type UpstreamProblem
} from "./upstream/UpstreamProblem.ts"

const MS_PER_SECOND = 1_000

const paths = { chat: "/chat/completions", responses: "/responses", embeddings: "/embeddings" } as const

const failureOf = (channel: Channel, failure: UpstreamFailure): ChannelFailed =>
  failedBecause(channel, failure.message, {
    said: { reason: reasonOfFailure(failure.kind), status: null },
    ...(failure.kind === "timeout" ? { code: "upstream_timeout" } : {})
  })

export type Attempted = Effect.Effect<Done | UpstreamProblem, CallRefused | UpstreamRefused>

/** A call at a channel, with one of its keys. */
interface Attempt {
  readonly services: GatewayServices
  readonly open: OpenCall
  readonly channel: Channel
  readonly key: ChannelKey
}

export const attemptChannel = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  key: ChannelKey
): Attempted => {
  const attempt = { services, open, channel, key }
  open.advance({ _tag: "WasQueued", channel })
  const place = new Place()
  const ticket = services.shares.enter(channel.id, channel.maxConnections, open.basics.context.key.userId, place)
  if (ticket.isGranted) return attemptWith(attempt, ticket)
  return Effect.flatMap(place.granted(open.basics.signal, ticket), (isGranted) => {
    if (isGranted) return attemptWith(attempt, ticket)
    open.advance({ _tag: "AttemptFailed" })
    return Effect.succeed(
      failedBecause(channel, "no connection was free in time", { code: "rate_limit_exceeded", scope: null })
    )
  })
}

/** An attempt that has its connection, which it gives back. */
const attemptWith = (attempt: Attempt, ticket: Ticket): Attempted =>
  Effect.onExit(Effect.suspend(() => exchangeWith(attempt)), (exit) => {
    const { open } = attempt
    open.basics.signal.unlisten()
    ticket.release()
    releaseAnswer(open)
    if (exit._tag === "Success" && exit.value._tag !== "Done" && !open.isSettling) {
      open.advance({ _tag: "AttemptFailed" })
    }
    return Effect.void
  })

/** Gives the memory of an answer back: when its client has taken it, or at once where no answer is sent. */
const releaseAnswer = (open: OpenCall): void => {
  const share = open.answerShare
  if (share === undefined) return
  open.answerShare = undefined
  if (open.isSettling) holdUntilTaken(open.basics.reply.client, share)
  else share.release()
}

/** A call's place in the queue for a connection. What is said of it before anybody waits is remembered. */
class Place implements ShareCallbacks {
  private said: boolean | undefined
  private hear: ((isGranted: boolean) => void) | undefined

  onGranted(): void {
    this.say(true)
  }

  onRefused(): void {
    this.say(false)
  }

  /** Waits for the connection; false: none in time, or the call was stopped. */
  granted(signal: StopSignal, ticket: Ticket): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      if (this.said !== undefined) return resume(Effect.succeed(this.said))
      this.hear = (isGranted) => resume(Effect.succeed(isGranted))
      signal.listen(() => {
        ticket.release()
        resume(Effect.succeed(false))
      })
    })
  }

  private say(isGranted: boolean): void {
    this.said = isGranted
    this.hear?.(isGranted)
  }
}

/** Ends the request when the call is stopped: at once, or after reading on where the client left. */
const abortOnStop = ({ channel, open, services }: Attempt, exchange: Exchange): void =>
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
const exchangeWith = (attempt: Attempt): Attempted => {
  const { channel, open } = attempt
  const { admitted, context } = open.basics
  const forwarded = forwardBody(admitted, {
    upstreamModel: channel.upstreamModel,
    knownFields: channel.knownFields,
    unknownFields: channel.unknownFields,
    includeUsage: channel.knownFields.includes("stream_options"),
    identity: identityOf(context.key.userId),
    outputLimit: open.plan.limitField === undefined
      ? undefined
      : { field: open.plan.limitField, value: open.reservation.outputTokens }
  })
  if (forwarded === "refused") {
    const refusal = unknownFieldsRefusal(admitted.call.unknownFields)
    return Effect.succeed(
      failedBecause(channel, "it does not know a field of the request", { scope: null, refusal })
    )
  }
  nameChanges(open, forwarded.dropped)
  let bytes = 0
  for (const part of forwarded.parts) bytes += part.length
  const body = joinedAtOnce(forwarded.parts, bytes)
  return body === undefined
    ? Effect.flatMap(joinBytes(forwarded.parts, bytes), (joined) => sendBody(attempt, joined))
    : sendBody(attempt, body)
}

const sendBody = (attempt: Attempt, body: Uint8Array): Attempted => {
  const { channel, key, open, services } = attempt
  const { call, notes } = open.basics.context
  open.advance({ _tag: "WasSent", atMs: services.now() })
  const idleMs = channel.idleTimeoutSeconds * MS_PER_SECOND
  let latest: Exchange | undefined
  const sending = services.upstream.send({
    baseUrl: channel.baseUrl,
    path: paths[call.dialect],
    apiKey: Redacted.value(key.secret),
    traceparent: notes.trace?.upstreamParent,
    body,
    headersTimeoutMs: call.stream ? channel.firstByteTimeoutSeconds * MS_PER_SECOND : idleMs,
    idleTimeoutMs: idleMs
  }, (exchange) => {
    latest = exchange
    abortOnStop(attempt, exchange)
  })
  return Effect.matchEffect(sending, {
    onSuccess: (exchange) => takeAnswer(attempt, exchange),
    onFailure: (failure) => stoppedOr(services, open, channel, latest?.isSent ?? false, failureOf(channel, failure))
  })
}

const takeAnswer = (attempt: Attempt, exchange: Exchange): Attempted => {
  const { channel, open, services } = attempt
  const onFailure = (failure: UpstreamFailure) =>
    // Only an answer that is not streamed counts in the memory for answers.
    open.answerShare !== undefined && (failure.kind === "too_large" || failure.kind === "no_room")
      ? unreadAnswer(services, open, channel, failure.kind)
      : stoppedOr(services, open, channel, true, failureOf(channel, failure))
  return Effect.matchEffect(services.upstream.bodyOf(exchange), {
    onFailure,
    onSuccess: (source) => {
      if (exchange.status < 200 || exchange.status > 299) {
        return Effect.catchTag(refusedAnswer(attempt, exchange, source), "UpstreamFailure", onFailure)
      }
      return open.basics.context.call.stream
        ? Effect.catchTag(takeStream(attempt, exchange, source), "UpstreamFailure", onFailure)
        : answerBody(services, open, channel, source, onFailure)
    }
  })
}

const refusedAnswer = Effect.fnUntraced(
  function*({ channel, open, services }: Attempt, exchange: Exchange, source: AnswerSource) {
    const body = yield* services.upstream.readShort(source)
    const said = saidErrorOf(exchange.status, body.toString("utf8"))
    const retryAfter = retryAfterOf((name) => exchange.header(name), services.now())
    return yield* stoppedOr(services, open, channel, false, problemOf(said, contextOf(open, channel, retryAfter)))
  }
)

const takeStream = Effect.fnUntraced(
  function*({ channel, open, services }: Attempt, exchange: Exchange, source: AnswerSource) {
    const peeked = yield* peek(source, exchange.header("content-type"))
    if (peeked.isEventStream) return yield* answerStream(services, open, channel, peeked.source)
    const body = yield* services.upstream.readShort(peeked.source)
    return yield* stoppedOr(services, open, channel, false, notStreamed(open, channel, body))
  }
)

/** A body where a stream was asked for: an error, or something else. */
const notStreamed = (open: OpenCall, channel: Channel, body: Uint8Array): UpstreamProblem => {
  const failure = saidBy(body)
  return failure === undefined
    ? failedBecause(channel, "the upstream did not stream")
    : problemOf(saidIn(failure), contextOf(open, channel, undefined))
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
