/**
 * How a relay ends: by the answer's own end with its usage awaited, by what breaks, by a stop from outside, or because the client
 * takes nothing any more. Every wait has its end.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import { IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import { type RelayEnd, USAGE_WAIT_MS } from "../../../src/gateway/upstream/StreamRelay.ts"
import { ClientWatch } from "../../../src/http/v1/ClientWatch.ts"
import { NodeCallClient } from "../../../src/http/v1/NodeCallClient.ts"
import { namesOf } from "../../../src/http/v1/SocketQueues.ts"
import { chunk, ending, usage } from "../../support/MeterFrames.ts"
import { beginRelay, sse } from "../../support/ScriptedRelay.ts"

const DRAIN_MS = 10_000
const say = (content: string) => chunk({ content })
const usageFrame = { id: "c", choices: [], usage }
const complete: RelayEnd = { _tag: "Ended", how: "complete" }

describe("the end of the answer", () => {
  it("is kept back from the frame with the finish_reason on, until the money is settled", () => {
    const { client, ends, send, source, tail } = beginRelay({ wantsUsage: true })
    send(say("one"), ending("stop"), usageFrame, "[DONE]")
    assert.deepStrictEqual([client.text, ends], [sse(say("one")), []])
    source.sink?.onEnd()
    assert.deepStrictEqual(ends, [complete])
    assert.strictEqual(client.text, sse(say("one")))
    assert.strictEqual(tail(), sse(ending("stop"), usageFrame, "[DONE]"))
  })

  it("was none when output follows: what was kept back goes out", () => {
    const { client, ends, send, waits } = beginRelay()
    send(say("one"), ending("stop"))
    assert.deepStrictEqual(waits(), [USAGE_WAIT_MS])
    send(say("two"))
    assert.strictEqual(client.text, sse(say("one"), ending("stop"), say("two")))
    assert.deepStrictEqual([ends, waits()], [[], []])
  })

  it("is the clean end of the upstream where fewer answers came than were asked for", () => {
    const { ends, send, source } = beginRelay({ choices: 2 })
    send(say("one"), ending("stop"))
    assert.deepStrictEqual(ends, [])
    source.sink?.onEnd()
    assert.deepStrictEqual(ends, [complete])
    const other = beginRelay({ choices: 2 })
    other.send(say("one"), { choices: [{ index: 1, delta: { content: "two" } }] }, ending("stop"))
    other.source.sink?.onEnd()
    assert.deepStrictEqual(other.ends, [{ _tag: "Ended", how: "cut" }])
  })

  it.each<[string, ReadonlyArray<unknown>]>([
    ["an error", [{ error: { message: "late" } }]],
    ["more output, without an end", [say("two")]]
  ])("stands when %s comes behind output and [DONE]", (_, behind) => {
    const { client, ends, send, source, tail } = beginRelay()
    send(say("one"), "[DONE]", ...behind)
    source.sink?.onError(new Error("reset"))
    assert.deepStrictEqual(ends, [complete])
    assert.notInclude(client.text + tail(), "late")
  })

  it.each<[string, (relay: ReturnType<typeof beginRelay>) => void, "cut" | "failed"]>([
    ["the connection is cut", ({ source }) => source.sink?.onError(new Error("reset")), "cut"],
    ["an error follows", ({ send }) => send({ error: { message: "late" } }), "failed"]
  ])("gives the output that came with it when %s: it is charged", (_, breakOff, how) => {
    const last = { choices: [{ index: 0, delta: { content: "all" }, finish_reason: "stop" }] }
    const relay = beginRelay()
    relay.send(last)
    assert.strictEqual(relay.client.text, "")
    breakOff(relay)
    assert.deepStrictEqual([relay.ends, relay.client.text], [[{ _tag: "Ended", how }], sse(last)])
  })

  it("waits for the usage no longer than two seconds, and leaves an upstream that goes on", () => {
    const { ends, pass, relay, send, source, tail } = beginRelay()
    send(say("one"), ending("stop"))
    assert.deepStrictEqual(ends, [])
    pass(USAGE_WAIT_MS)
    assert.deepStrictEqual([ends, source.aborted], [[complete], true])
    assert.strictEqual(tail(), sse(ending("stop")))
    assert.isUndefined(relay.meter.reported().output)
  })

  it("reads the usage that comes behind [DONE]", () => {
    const { ends, relay, send, source } = beginRelay()
    send(say("one"), ending("stop"), "[DONE]")
    assert.deepStrictEqual(ends, [])
    send(usageFrame)
    source.sink?.onEnd()
    assert.deepStrictEqual([ends, relay.meter.reported().output], [[complete], usage.completion_tokens])
  })

  it("is the terminal event of a response; the connection may then end by itself, for a bounded time", () => {
    const { client, ends, pass, push, send, source, tail } = beginRelay({ dialect: "responses" })
    const delta = { type: "response.output_text.delta", sequence_number: 0, delta: "one" }
    const last = { type: "response.completed", sequence_number: 1, response: { id: "resp_1", output: [] } }
    send(delta, last)
    assert.deepStrictEqual([ends, client.text, tail()], [[complete], sse(delta), sse(last)])
    assert.deepStrictEqual([source.discarded, source.aborted], [true, false])
    push(sse(delta))
    assert.strictEqual(client.text, sse(delta))
    pass()
    assert.isTrue(source.aborted)
  })

  it.each<[string, (stream: ReturnType<typeof beginRelay>) => void, "cut" | "failed"]>([
    ["a cut", ({ source }) => source.sink?.onError(new Error("cut")), "cut"],
    ["a clean end without a finish_reason", ({ source }) => source.sink?.onEnd(), "cut"],
    ["an error frame", ({ send }) => send({ error: { message: "x" } }), "failed"]
  ])("after output is %s: no other channel is tried", (_, fail, how) => {
    const stream = beginRelay()
    stream.send(say("one"))
    fail(stream)
    assert.deepStrictEqual([stream.ends, stream.client.text], [[{ _tag: "Ended", how }], sse(say("one"))])
    assert.deepStrictEqual(stream.waits(), [])
  })
})

describe("a stop from outside", () => {
  it.each(["client_gone", "lease_lost", "service_unavailable"] as const)(
    "by %s aborts the upstream, once, and lets nothing more out",
    (reason) => {
      const { client, ends, relay, send, source, waits } = beginRelay()
      send(say("one"))
      relay.stop(reason)
      relay.stop("service_unavailable")
      send(say("two"))
      source.sink?.onError(new Error("aborted"))
      client.onDrain()
      assert.deepStrictEqual(ends, [{ _tag: "Ended", how: reason }])
      assert.deepStrictEqual([source.aborted, client.text, waits()], [true, sse(say("one")), []])
    }
  )

  it("by a client that leaves reads on where that is wanted, for a bounded time, without writing", () => {
    const { client, ends, pass, relay, send, source, waits } = beginRelay({ drainMs: DRAIN_MS })
    client.takes = false
    send(say("one"))
    relay.stop("client_gone")
    relay.stop("client_gone")
    assert.deepStrictEqual([source.paused, source.aborted, waits()], [false, false, [DRAIN_MS]])
    send(say("two"))
    assert.strictEqual(client.text, sse(say("one")))
    pass(DRAIN_MS)
    assert.deepStrictEqual([ends, source.aborted], [[{ _tag: "Ended", how: "client_gone" }], true])
    assert.strictEqual(relay.meter.deliveredBytes, "onetwo".length)
  })

  it("by a client that leaves at the last word still waits for the usage", () => {
    const { ends, relay, send, source, waits } = beginRelay()
    send(say("one"), ending("stop"))
    relay.stop("client_gone")
    assert.deepStrictEqual([ends, source.aborted], [[], false])
    assert.deepStrictEqual(waits(), [USAGE_WAIT_MS, USAGE_WAIT_MS])
    send(usageFrame, "[DONE]")
    source.sink?.onEnd()
    assert.deepStrictEqual([ends, relay.meter.reported().output, waits()], [[complete], usage.completion_tokens, []])
  })
})

/** A socket to a client that takes nothing. */
const stuckSocket = (): Socket => {
  const socket = new Socket()
  socket._write = () => undefined
  socket._writev = () => undefined
  for (
    const [name, value] of Object.entries({
      localAddress: "127.0.0.1",
      localPort: 1,
      remoteAddress: "127.0.0.1",
      remotePort: 2
    })
  ) {
    Object.defineProperty(socket, name, { value })
  }
  return socket
}

describe("a client that takes no byte", () => {
  it("is gone after 60 seconds, and not before; its upstream is left", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const clock = { ms: 0 }
      const socket = stuckSocket()
      const queues = new Map([[namesOf(socket)?.own ?? "", { sendBytes: 0, receiveBytes: 0 }]])
      const rules = {
        stalledMs: 60_000,
        blindStalledMs: 600_000,
        stallCheckMs: 5_000,
        slowBytesPerSecond: 512,
        aheadBytesMax: 65_536
      }
      const watch = new ClientWatch(rules, () => clock.ms, () => Promise.resolve(queues))
      const response = new ServerResponse(new IncomingMessage(socket))
      response.assignSocket(socket)
      const client = new NodeCallClient(response, watch)
      const { ends, relay, send, source } = beginRelay({ client })
      const closed = new Promise<void>((resolve) => {
        client.onGone = () => {
          relay.stop("client_gone")
          resolve()
        }
      })
      send(say("x".repeat(1_000_000)))
      assert.isTrue(source.paused)
      const passSeconds = async (seconds: number) => {
        for (let passed = 0; passed < seconds; passed += 5) {
          clock.ms += 5_000
          await vi.advanceTimersByTimeAsync(5_000)
        }
      }
      await passSeconds(55)
      assert.deepStrictEqual([ends, source.aborted, watch.size], [[], false, 1])
      await passSeconds(5)
      await closed
      assert.deepStrictEqual([ends, source.aborted, watch.size], [
        [{ _tag: "Ended", how: "client_gone" }],
        true,
        0
      ])
    } finally {
      vi.useRealTimers()
    }
  })
})
