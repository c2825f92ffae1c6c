/**
 * The relay of a stream between a client and an upstream that are scripted call by call: back-pressure reaches the
 * upstream, and every wait - for a client that takes nothing, for the rest after a client left, for an upstream that does
 * not end - has its end.
 */
import { assert, describe, it } from "@effect/vitest"
import type { CallClient } from "../../src/gateway/CallClient.ts"
import { Exchange } from "../../src/gateway/Exchange.ts"
import { type StreamEnd, StreamRelay } from "../../src/gateway/StreamRelay.ts"

const EXTEND_WAIT_MS = 2_000

class Client implements CallClient {
  isGone = false
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  text = ""
  /** Whether it takes more at once. */
  takes = true
  start(): void {}
  write(bytes: Uint8Array | string): boolean {
    this.text += Buffer.from(bytes).toString()
    return this.takes
  }
  end(): void {}
  destroy(): void {}
}

interface Timer {
  readonly delayMs: number
  readonly callback: () => void
}

/** A stream that runs. `timers` are those that wait; nothing here ever really waits. */
const begin = (heldTokens: number, drains = false) => {
  const client = new Client()
  const upstream = {
    aborted: false,
    paused: false,
    reason: null,
    abort: () => void (upstream.aborted = true),
    pause: () => void (upstream.paused = true),
    resume: () => void (upstream.paused = false)
  }
  const timers = new Set<Timer>()
  const ends: Array<StreamEnd> = []
  const exchange = new Exchange(() => undefined, () => undefined)
  exchange.onRequestStart(upstream)
  exchange.onResponseStart(upstream, 200, { "content-type": "text/event-stream" })
  const relay = new StreamRelay({
    dialect: "chat",
    client,
    exchange,
    wantsUsage: false,
    heldTokens,
    extendable: true,
    onFirstByte: () => undefined,
    onWantsMore: () => undefined,
    onDone: (end) => void ends.push(end),
    after: (delayMs, callback) => {
      const timer = { delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    extendWaitMs: EXTEND_WAIT_MS,
    drainOnDisconnect: () => drains
  })
  relay.run()
  const say = (text: string) =>
    exchange.onResponseData(upstream, Buffer.from(`data: {"choices":[{"delta":{"content":"${text}"}}]}\n\n`))
  const end = () => exchange.onResponseData(upstream, Buffer.from("data: [DONE]\n\n"))
  const pass = () => {
    for (const timer of Array.from(timers)) {
      timers.delete(timer)
      timer.callback()
    }
  }
  return { client, end, ends, exchange, pass, relay, say, timers, upstream }
}

describe("StreamRelay", () => {
  it("pauses the upstream while the client takes nothing, and goes on when it does", () => {
    const { client, ends, say, timers, upstream } = begin(1_000)
    say("one")
    assert.isFalse(upstream.paused)
    client.takes = false
    say("two")
    assert.isTrue(upstream.paused)
    assert.strictEqual(timers.size, 1)
    client.takes = true
    client.onDrain()
    assert.isFalse(upstream.paused)
    assert.strictEqual(timers.size, 0)
    say("three")
    assert.include(client.text, "three")
    assert.deepStrictEqual(ends, [])
  })

  it("takes a client for gone that takes nothing for long, and leaves the upstream", () => {
    const { client, ends, pass, say, upstream } = begin(1_000)
    client.takes = false
    say("one")
    pass()
    assert.deepStrictEqual([ends, upstream.aborted], [["client_gone"], true])
    say("two")
    client.onGone()
    assert.deepStrictEqual(ends, ["client_gone"])
    assert.notInclude(client.text, "two")
  })

  it("reads on without the client where that is wanted, for a bounded time", () => {
    const { client, ends, pass, relay, say, timers, upstream } = begin(1_000, true)
    client.takes = false
    say("one")
    client.onGone()
    assert.isFalse(upstream.paused)
    say("two")
    assert.notInclude(client.text, "two")
    assert.deepStrictEqual([ends, upstream.aborted], [[], false])
    assert.isAtLeast(timers.size, 1)
    pass()
    assert.deepStrictEqual([ends, upstream.aborted], [["client_gone"], true])
    assert.isAtLeast(relay.meter.estimateOutputTokens(), 2)
  })

  it("keeps back what is not held, for a bounded time", () => {
    const { client, ends, pass, relay, say, timers, upstream } = begin(3)
    for (const word of ["one", "two", "three", "four", "five"]) say(word)
    assert.notInclude(client.text, "five")
    assert.isTrue(upstream.paused)
    assert.deepStrictEqual([...timers].map(({ delayMs }) => delayMs), [EXTEND_WAIT_MS])
    relay.extended(10)
    assert.include(client.text, "five")
    assert.deepStrictEqual([upstream.paused, timers.size], [false, 0])
    for (let index = 0; index < 10; index++) say("six")
    pass()
    assert.deepStrictEqual([ends, upstream.aborted], [["service_unavailable"], true])
  })

  it("is complete at its terminal frame, and cuts off an upstream that goes on", () => {
    const { client, end, ends, pass, relay, say, upstream } = begin(1_000)
    say("one")
    end()
    assert.deepStrictEqual([ends, relay.terminal.length, upstream.aborted], [["complete"], 1, false])
    assert.notInclude(client.text, "[DONE]")
    say("two")
    assert.notInclude(client.text, "two")
    pass()
    assert.isTrue(upstream.aborted)
  })
})
