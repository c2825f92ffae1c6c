/**
 * A relay between a client and an upstream that are scripted piece by piece. Timers run when a test says so; nothing really waits.
 */
import { Buffer } from "node:buffer"
import type { CallClient } from "../../src/gateway/CallClient.ts"
import { StreamBudget } from "../../src/gateway/meter/StreamBudget.ts"
import { StreamMeter } from "../../src/gateway/meter/StreamMeter.ts"
import { Reply } from "../../src/gateway/Reply.ts"
import type { Dialect } from "../../src/gateway/request/Call.ts"
import type { AnswerSource, BodySink } from "../../src/gateway/upstream/AnswerSource.ts"
import { type RelayEnd, StreamRelay } from "../../src/gateway/upstream/StreamRelay.ts"
import { ScriptedClient } from "./ScriptedClient.ts"

export const EXTEND_WAIT_MS = 5_000
/** More output than any test makes. */
const PLENTY = 100_000

/** An upstream's answer that keeps what is asked of it. */
class ScriptedSource implements AnswerSource {
  sink: BodySink | undefined
  paused = false
  discarded = false
  aborted = false
  attach(sink: BodySink): void {
    this.sink = sink
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  discard(): void {
    this.discarded = true
  }
  abort(): void {
    this.aborted = true
  }
}

interface Timer {
  readonly delayMs: number
  readonly callback: () => void
}

interface Setting {
  readonly held?: number
  readonly heldMax?: number
  readonly limit?: number
  readonly drainMs?: number
  readonly wantsUsage?: boolean
  readonly dialect?: Exclude<Dialect, "embeddings">
  readonly client?: CallClient
  /** Answers that were asked for. */
  readonly choices?: number
}

/** A relay that runs. `timers` are those that wait. */
export const beginRelay = (setting: Setting = {}) => {
  const { choices = 1, dialect = "chat", held = PLENTY, heldMax = held, limit = heldMax } = setting
  const client = new ScriptedClient()
  const source = new ScriptedSource()
  const timers = new Set<Timer>()
  const ends: Array<RelayEnd> = []
  const asked = { firstOutput: 0, more: 0 }
  const meter = new StreamMeter({ dialect, choices })
  const relay = new StreamRelay({
    reply: new Reply({
      client: setting.client ?? client,
      requestId: "r",
      dialect,
      stream: true,
      model: "m",
      startedMs: 0,
      keepAliveMs: PLENTY,
      every: () => () => undefined
    }),
    source,
    meter,
    budget: new StreamBudget({
      heldTokens: held,
      heldTokensMax: heldMax,
      limitTokens: limit,
      sample: meter.sample
    }),
    wantsUsage: setting.wantsUsage ?? false,
    onFirstOutput: () => void asked.firstOutput++,
    onWantsMore: () => void asked.more++,
    onDone: (end) => void ends.push(end),
    after: (delayMs, callback) => {
      const timer = { delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    extendWaitMs: EXTEND_WAIT_MS,
    drainMs: () => setting.drainMs ?? 0
  })
  relay.run()
  const push = (text: string | Uint8Array) => source.sink?.onChunk(Buffer.from(text))
  /** Lets the timers of that length, or all, run out. */
  const pass = (delayMs?: number) => {
    for (const timer of Array.from(timers)) {
      if (delayMs !== undefined && timer.delayMs !== delayMs) continue
      timers.delete(timer)
      timer.callback()
    }
  }
  return {
    asked,
    client,
    ends,
    pass,
    push,
    relay,
    send: (...data: ReadonlyArray<unknown>) => push(sse(...data)),
    source,
    tail: () => Buffer.concat(relay.tail).toString(),
    waits: () => Array.from(timers, ({ delayMs }) => delayMs)
  }
}

/** Events with this data, as JSON or as it is. */
export const sse = (...data: ReadonlyArray<unknown>): string =>
  data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join("")
