/**
 * Requests to upstreams: a keep-alive pool of connections per origin, bounded waits, and failures sorted into what a
 * caller may do about them.
 */
import { Clock, Context, Data, Effect, Layer } from "effect"
import { buildConnector, Client, Pool } from "undici"
import { makeOutboundGuard } from "../../config/OutboundGuard.ts"
import { OUTBOUND_REFUSED, type OutboundGuard } from "../../config/OutboundUrl.ts"
import type { UserId } from "../../domain/Ids.ts"
import { ByteBudget, type ByteBudgetLimits, type ByteShare } from "../../platform/ByteBudget.ts"
import { joinBytes } from "../../platform/JoinBytes.ts"
import type { Dialect } from "../request/Call.ts"
import type { AnswerSource } from "./AnswerSource.ts"
import { decoded } from "./DecodedSource.ts"
import { Exchange } from "./Exchange.ts"

/** Bounds on an upstream that no setting changes. Replaced in tests. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number
  /** An answer that is not streamed, decoded. */
  readonly answerBytesMax: Readonly<Record<Dialect, number>>
  /** An error, or the answer to a channel test, decoded. */
  readonly shortBytesMax: number
  /** Of the bytes of such answers in memory, until their clients have taken them. */
  readonly answerBudget: ByteBudgetLimits
  /** A connection without a request is closed after this. */
  readonly keepAliveMs: number
}

export const UpstreamLimits = Context.Reference<UpstreamLimits>("realms/gateway/UpstreamLimits", {
  defaultValue: () => ({
    connectTimeoutMs: 5_000,
    answerBytesMax: { chat: 33_554_432, responses: 33_554_432, embeddings: 67_108_864 },
    shortBytesMax: 1_048_576,
    answerBudget: { processBytesMax: 536_870_912, userBytesMax: 134_217_728, freeBytes: 65_536 },
    keepAliveMs: 60_000
  })
})

/** Pools of origins that were used last, at most. */
const POOLS_MAX = 256

/** Connections of one origin, over all its channels; each channel has its own, smaller bound. */
const ORIGIN_CONNECTIONS_MAX = 65_536

/** A kept connection that dies so soon after sending, before a byte came, was closed while it was picked. */
const STALE_CONNECTION_MS_MAX = 1_000

/**
 * No answer: not reached, not to be reached (`forbidden`), none in time, or broken off; or one that is not read to its end, since it
 * is above the bound (`too_large`) or there is no room for more answers in memory (`no_room`).
 */
export class UpstreamFailure extends Data.TaggedError("UpstreamFailure")<{
  readonly kind: "connect" | "forbidden" | "timeout" | "broken" | "too_large" | "no_room"
  readonly message: string
}> {}

export interface UpstreamRequest {
  readonly baseUrl: string
  readonly path: string
  readonly apiKey: string
  /** Its place in a trace; absent: none. */
  readonly traceparent?: string | undefined
  /** Absent: a GET. */
  readonly body?: Uint8Array
  /** Until the response's status line. */
  readonly headersTimeoutMs: number
  /** Between two pieces of the body. */
  readonly idleTimeoutMs: number
}

export class UpstreamClient extends Context.Service<UpstreamClient, {
  /**
   * Sends a request and answers at its headers, with the body paused. `onExchange` gets each exchange at once, to abort it: a
   * kept connection that the upstream had just closed is replaced by a new one, once. Interrupting aborts.
   */
  send(
    request: UpstreamRequest,
    onExchange: (exchange: Exchange) => void
  ): Effect.Effect<Exchange, UpstreamFailure>
  /** The body without its content encoding. */
  bodyOf(exchange: Exchange): Effect.Effect<AnswerSource, UpstreamFailure>
  /** Reads a whole error or test answer, up to its bound. Interrupting aborts. */
  readShort(source: AnswerSource): Effect.Effect<Buffer, UpstreamFailure>
  /** The same of another answer, up to so many bytes. */
  readUpTo(source: AnswerSource, bytesMax: number): Effect.Effect<Buffer, UpstreamFailure>
  /** Reads a whole answer, up to the bound of its dialect. Its bytes count in `share`. Interrupting aborts. */
  readAnswer(source: AnswerSource, dialect: Dialect, share: ByteShare): Effect.Effect<Buffer, UpstreamFailure>
  /** Counts the bytes of a user's answer. */
  answerShare(userId: UserId): ByteShare
}>()("realms/gateway/upstream/UpstreamClient") {
  static readonly layer = Layer.effect(UpstreamClient)(Effect.gen(function*() {
    const limits = yield* UpstreamLimits
    const clock = yield* Clock.Clock
    const pools = yield* makePools(limits)
    const send = (request: UpstreamRequest, onExchange: (exchange: Exchange) => void) =>
      sendOnce(pools, request, onExchange, () => clock.currentTimeMillisUnsafe(), true)
    const budget = new ByteBudget(limits.answerBudget)
    return UpstreamClient.of({
      send,
      bodyOf,
      readShort: (source) => readBody(source, limits.shortBytesMax, undefined),
      readUpTo: (source, bytesMax) => readBody(source, bytesMax, undefined),
      readAnswer: (source, dialect, share) => readBody(source, limits.answerBytesMax[dialect], share),
      answerShare: (userId) => budget.open(userId)
    })
  }))
}

/** A pool, and how many connections it has begun. */
interface Origin {
  readonly pool: Pool
  readonly begun: () => number
  /** One new connection, for one request: it closes behind it. */
  readonly once: () => Client
}

class Pools {
  private readonly origins = new Map<string, Origin>()
  private readonly guard: OutboundGuard
  private readonly limits: UpstreamLimits

  constructor(guard: OutboundGuard, limits: UpstreamLimits) {
    this.guard = guard
    this.limits = limits
  }

  /** Undefined for a host that is not called. Names are looked at again when a connection is made. */
  of({ hostname, origin }: Target): Origin | undefined {
    const known = this.origins.get(origin)
    if (known !== undefined) return known
    if (this.guard.isForbidden(hostname)) return undefined
    const [oldest] = this.origins
    if (this.origins.size >= POOLS_MAX && oldest !== undefined) {
      this.origins.delete(oldest[0])
      oldest[1].pool.close().catch(() => undefined)
    }
    const made = this.make(origin)
    this.origins.set(origin, made)
    return made
  }

  private make(origin: string): Origin {
    const connect = buildConnector({
      timeout: this.limits.connectTimeoutMs,
      keepAlive: true,
      noDelay: true,
      allowH2: false,
      lookup: this.guard.lookup
    })
    let begun = 0
    const pool = new Pool(origin, {
      connections: ORIGIN_CONNECTIONS_MAX,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: this.limits.keepAliveMs,
      connect: (options, callback) => {
        begun++
        connect(options, callback)
      }
    })
    return { pool, begun: () => begun, once: () => new Client(origin, { pipelining: 1, allowH2: false, connect }) }
  }

  destroy(): Promise<unknown> {
    return Promise.all(Array.from(this.origins.values(), ({ pool }) => pool.destroy()))
  }
}

const makePools = (limits: UpstreamLimits) =>
  Effect.flatMap(makeOutboundGuard, (guard) =>
    Effect.acquireRelease(
      Effect.sync(() => new Pools(guard, limits)),
      (pools) => Effect.promise(() => pools.destroy())
    ))

const sendOnce = (
  pools: Pools,
  request: UpstreamRequest,
  onExchange: (exchange: Exchange) => void,
  now: () => number,
  mayRepeat: boolean
): Effect.Effect<Exchange, UpstreamFailure> =>
  Effect.callback<Exchange, UpstreamFailure>((resume) => {
    const fail = (kind: UpstreamFailure["kind"], message: string) =>
      resume(Effect.fail(new UpstreamFailure({ kind, message })))
    const target = targetOf(request.baseUrl)
    if (target === null) return fail("connect", "the channel's base URL is not a URL")
    const origin = pools.of(target)
    if (origin === undefined) return fail("forbidden", "the channel's host is not called")
    const begunBefore = origin.begun()
    const sentMs = now()
    let reused = false
    const exchange = new Exchange(
      (answered) => resume(Effect.succeed(answered)),
      (error) => {
        const failure = failureOf(error)
        const isStale = reused && exchange.isSent && !exchange.isAborted && failure.kind === "broken" &&
          now() - sentMs <= STALE_CONNECTION_MS_MAX
        resume(
          isStale && mayRepeat ? sendOnce(pools, request, onExchange, now, false) : Effect.fail(failure)
        )
      }
    )
    onExchange(exchange)
    // Another kept connection may be as stale: a request that is repeated gets a new one.
    const dispatcher = mayRepeat ? origin.pool : origin.once()
    dispatcher.dispatch({
      method: request.body === undefined ? "GET" : "POST",
      path: pathOf(target, request.path),
      headers: [
        "content-type",
        "application/json",
        "accept",
        "application/json, text/event-stream",
        "accept-encoding",
        "identity",
        "authorization",
        `Bearer ${request.apiKey}`,
        ...(request.traceparent === undefined ? [] : ["traceparent", request.traceparent])
      ],
      headersTimeout: request.headersTimeoutMs,
      bodyTimeout: request.idleTimeoutMs,
      body: request.body ?? null
    }, exchange)
    reused = origin.begun() === begunBefore
    if (!mayRepeat) dispatcher.close().catch(() => undefined)
    return Effect.sync(() => exchange.abort())
  })

const bodyOf = (exchange: Exchange): Effect.Effect<AnswerSource, UpstreamFailure> => {
  const source = decoded(exchange, exchange.header("content-encoding"))
  if (source !== undefined) return Effect.succeed(source)
  exchange.abort()
  return Effect.fail(
    new UpstreamFailure({ kind: "broken", message: "the upstream's content encoding is not known" })
  )
}

const readBody = (
  source: AnswerSource,
  bytesMax: number,
  share: ByteShare | undefined
): Effect.Effect<Buffer, UpstreamFailure> =>
  Effect.callback<Buffer, UpstreamFailure>((resume) => {
    const chunks: Array<Buffer> = []
    let bytes = 0
    const stop = (kind: "too_large" | "no_room", message: string) => {
      chunks.length = 0
      // Aborting is an error of the source, which comes too late to count.
      resume(Effect.fail(new UpstreamFailure({ kind, message })))
      source.abort()
    }
    source.attach({
      onChunk: (chunk) => {
        bytes += chunk.length
        if (bytes > bytesMax) return stop("too_large", "the upstream's answer is too large")
        const refusal = share?.add(chunk.length)
        if (refusal === "user") return stop("too_large", "the user's answers are too large together")
        if (refusal === "process") return stop("no_room", "there is no room for more answers in memory")
        chunks.push(chunk)
      },
      onEnd: () => resume(joinBytes(chunks, bytes)),
      onError: (error) => resume(Effect.fail(failureOf(error)))
    })
    return Effect.sync(() => source.abort())
  })

/** A base URL, taken apart. */
interface Target {
  readonly hostname: string
  readonly origin: string
  /** What the path of every request begins with. */
  readonly prefix: string
  readonly search: string
}

/** Base URLs, null where they are invalid: the same few are used for every call. */
const targets = new Map<string, Target | null>()

const targetOf = (text: string): Target | null => {
  const known = targets.get(text)
  if (known !== undefined) return known
  if (targets.size >= POOLS_MAX) targets.clear()
  const target = URL.canParse(text) ? taken(new URL(text)) : null
  targets.set(text, target)
  return target
}

/** The query of a base URL goes with every request. */
const pathOf = ({ prefix, search }: Target, path: string): string =>
  search !== "" && path.includes("?") ? `${prefix}${path}&${search.slice(1)}` : `${prefix}${path}${search}`

const taken = ({ hostname, origin, pathname, search }: URL): Target => ({
  hostname,
  origin,
  prefix: pathname === "/" ? "" : pathname.replace(/\/$/, ""),
  search
})

/** Sorts Undici's errors; their text names no secret, but is for the log only. */
export const failureOf = (error: Error): UpstreamFailure => {
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  if (/HEADERS_TIMEOUT|BODY_TIMEOUT/.test(code)) return new UpstreamFailure({ kind: "timeout", message: error.message })
  if (code === OUTBOUND_REFUSED) return new UpstreamFailure({ kind: "forbidden", message: error.message })
  if (/CONNECT|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code)) {
    return new UpstreamFailure({ kind: "connect", message: error.message })
  }
  return new UpstreamFailure({ kind: "broken", message: error.message })
}
