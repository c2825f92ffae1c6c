/**
 * How the tests of the simulated upstream talk to it: a client that shows the bytes of an answer and how it ended, and
 * what the gateway's own scanner and meter make of them.
 */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { Buffer } from "node:buffer"
import { request as httpRequest } from "node:http"
import { acquireUpstream, type Upstream, type UpstreamOptions } from "../../simulators/upstream/UpstreamSimulator.ts"
import { SseScanner } from "../../src/gateway/meter/SseScanner.ts"
import { type Observation, StreamMeter } from "../../src/gateway/meter/StreamMeter.ts"

export const withUpstream = (name: string, options: UpstreamOptions, run: (upstream: Upstream) => Promise<void>) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const upstream = yield* acquireUpstream(options)
      yield* Effect.promise(() => run(upstream))
    }))

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: unknown }
  readonly body: Buffer
  /** The connection closed before the answer was whole. */
  readonly cut: boolean
}

/** A client that shows the bytes and how they ended. */
export function send(
  upstream: Upstream,
  path: string,
  body?: unknown,
  headers: { readonly [name: string]: string } = {}
): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Array<Buffer> = []
    const none = { status: 0, headers: {}, body: Buffer.alloc(0), cut: true }
    const sent = httpRequest(
      upstream.url + path,
      { method: body === undefined ? "GET" : "POST", headers },
      (response) => {
        const answer = (cut: boolean) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            cut
          })
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => answer(false))
        response.on("error", () => answer(true))
      }
    )
    sent.on("error", () => resolve(none))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

export const chat = (text: string, extra: object = {}) => ({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: text }],
  ...extra
})
export const stream = { stream: true, stream_options: { include_usage: true } }

/** A frame in one word. */
const kindOf = (seen: Observation): "error" | "terminal" | "delta" | "usage-only" | "other" => {
  if (seen.failure !== undefined) return "error"
  if (seen.terminal || seen.done) return "terminal"
  return seen.isOutput ? "delta" : seen.isUsageOnly ? "usage-only" : "other"
}

/** What the gateway's own scanner and meter make of an answer. */
export function meter(body: Buffer, dialect: "chat" | "responses") {
  const scanner = new SseScanner()
  const meter = new StreamMeter({ dialect, choices: 1 })
  const frames = scanner.push(body)
  if (frames === "overflow") throw new Error("overflow")
  const kinds = frames.map((frame) => kindOf(meter.observe(frame)))
  const { input, output } = meter.reported()
  return {
    kinds,
    /** Uncached and cached input, and output. */
    usage: [input?.uncached, input?.cached, output],
    deltas: kinds.filter((kind) => kind === "delta").length,
    tail: scanner.flush().length
  }
}
