/**
 * Requests to upstreams: a keep-alive pool of connections per origin, bounded waits, and failures sorted into what a
 * caller may do about them.
 */
import { Context, Data, Effect, Layer } from "effect"
import { Pool } from "undici"
import { AppConfig } from "../platform/Config.ts"
import { HostLookup, OUTBOUND_REFUSED, outboundGuard } from "../platform/OutboundUrl.ts"
import { type BodySink, Exchange } from "./Exchange.ts"

/** Bounds on an upstream. Replaced in tests. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number
  /** Until the response's headers; a call that is not streamed thinks before them. */
  readonly headersTimeoutMs: number
  /** Between two pieces of a body. */
  readonly idleTimeoutMs: number
  /** Connections of one pool. */
  readonly connectionsMax: number
  /** A body that is not streamed. */
  readonly bodyBytesMax: number
}

export const UpstreamLimits = Context.Reference<UpstreamLimits>("realms/gateway/UpstreamLimits", {
  defaultValue: () => ({
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 600_000,
    idleTimeoutMs: 120_000,
    connectionsMax: 2_048,
    bodyBytesMax: 33_554_432
  })
})

/** Pools of origins that were used last, at most. */
const POOLS_MAX = 256

/** No answer: not reached, not to be reached (`forbidden`), or none in time. */
export class UpstreamFailure extends Data.TaggedError("UpstreamFailure")<{
  readonly kind: "connect" | "forbidden" | "timeout" | "broken"
  readonly message: string
}> {}

export interface UpstreamRequest {
  readonly baseUrl: string
  readonly path: string
  readonly apiKey: string
  readonly body: Uint8Array
}

export class UpstreamClient extends Context.Service<UpstreamClient, {
  /**
   * Sends a request and answers at its headers, with the body paused. `onExchange` gets the exchange at once, to abort
   * it. Interrupting aborts.
   */
  send(
    request: UpstreamRequest,
    onExchange: (exchange: Exchange) => void
  ): Effect.Effect<Exchange, UpstreamFailure>
  /** Reads the whole body, up to the bound. */
  readBody(exchange: Exchange): Effect.Effect<Buffer, UpstreamFailure>
}>()("realms/gateway/UpstreamClient") {
  static readonly layer = Layer.effect(UpstreamClient, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const limits = yield* UpstreamLimits
  const { server } = yield* AppConfig
  const guard = outboundGuard(server.linkLocalHostsAllowed, yield* HostLookup)
  const pools = new Map<string, Pool>()
  yield* Effect.addFinalizer(() =>
    Effect.promise(() => Promise.all(Array.from(pools.values(), (pool) => pool.destroy())))
  )

  /** Undefined for a host that is not called. Names are looked at again when a connection is made. */
  const poolOf = ({ hostname, origin }: URL): Pool | undefined => {
    const known = pools.get(origin)
    if (known !== undefined) return known
    if (guard.isForbidden(hostname)) return undefined
    const [oldest] = pools
    if (pools.size >= POOLS_MAX && oldest !== undefined) {
      pools.delete(oldest[0])
      oldest[1].close().catch(() => undefined)
    }
    const pool = new Pool(origin, {
      connections: limits.connectionsMax,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 60_000,
      headersTimeout: limits.headersTimeoutMs,
      bodyTimeout: limits.idleTimeoutMs,
      connect: { timeout: limits.connectTimeoutMs, noDelay: true, keepAlive: true, lookup: guard.lookup }
    })
    pools.set(origin, pool)
    return pool
  }

  const send = (request: UpstreamRequest, onExchange: (exchange: Exchange) => void) =>
    Effect.callback<Exchange, UpstreamFailure>((resume) => {
      const url = parseUrl(request.baseUrl)
      if (url === null) {
        return resume(
          Effect.fail(new UpstreamFailure({ kind: "connect", message: "the channel's base URL is not a URL" }))
        )
      }
      const pool = poolOf(url)
      if (pool === undefined) {
        return resume(
          Effect.fail(new UpstreamFailure({ kind: "forbidden", message: "the channel's host is not called" }))
        )
      }
      const exchange = new Exchange(
        (answered) => resume(Effect.succeed(answered)),
        (error) => resume(Effect.fail(failureOf(error)))
      )
      onExchange(exchange)
      pool.dispatch({
        method: "POST",
        path: `${url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "")}${request.path}`,
        headers: [
          "content-type",
          "application/json",
          "accept",
          "application/json, text/event-stream",
          "authorization",
          `Bearer ${request.apiKey}`
        ],
        body: request.body
      }, exchange)
      return Effect.sync(() => exchange.abort())
    })

  const readBody = (exchange: Exchange) =>
    Effect.callback<Buffer, UpstreamFailure>((resume) => {
      const chunks: Array<Buffer> = []
      let bytes = 0
      const sink: BodySink = {
        onChunk: (chunk) => {
          bytes += chunk.length
          if (bytes <= limits.bodyBytesMax) return void chunks.push(chunk)
          exchange.abort()
          resume(Effect.fail(new UpstreamFailure({ kind: "broken", message: "the upstream's answer is too large" })))
        },
        onEnd: () =>
          resume(Effect.succeed(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))),
        onError: (error) => resume(Effect.fail(failureOf(error)))
      }
      exchange.attach(sink)
      return Effect.sync(() => exchange.abort())
    })

  return UpstreamClient.of({ send, readBody })
})

const parseUrl = (text: string): URL | null => URL.canParse(text) ? new URL(text) : null

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
