/**
 * What a relay lets through to its client, in which order and when: back-pressure, what the hold does not cover, and what waits for
 * the first output or for the money. How it ends is in `StreamRelayEnds.test.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { QUIET_BYTES_MAX, type RelayEnd, USAGE_WAIT_MS } from "../../../src/gateway/upstream/StreamRelay.ts"
import { chunk, ending, usage } from "../../support/MeterFrames.ts"
import { beginRelay, EXTEND_WAIT_MS, sse } from "../../support/ScriptedRelay.ts"

const say = (content: string) => chunk({ content })
const usageFrame = { id: "c", choices: [], usage }
const complete: RelayEnd = { _tag: "Ended", how: "complete" }

const Frames = Schema.Array(Schema.Literals([
  'data: {"choices":[{"index":0,"delta":{"content":"é😀 word"}}]}\n\n',
  'data: {"choices":[{"index":0,"delta":{"reasoning_content":"why"}}]}\r\n\r\n',
  'event: x\rid: 7\rdata: {"choices":[{"delta":{"unheard_of":["a","b"]}}]}\r\r',
  ": a comment\n\n",
  "retry: 5\n\n",
  'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
  'data: {"choices":[{"index":0,"delta":{}}],\ndata: "odd":1}\n\n'
])).check(Schema.isMaxLength(30))
const Sizes = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 })))
  .check(Schema.isMinLength(1), Schema.isMaxLength(20))

describe("what the client gets", () => {
  it.prop(
    "is the upstream's bytes in their order, wherever the network cut them",
    [Frames, Sizes],
    ([frames, sizes]) => {
      const { ends, pass, push, source, tail, client } = beginRelay()
      const whole = Buffer.from([sse(say("first")), ...frames, sse(ending("stop"), "[DONE]")].join(""))
      for (let at = 0, next = 0; at < whole.length; next++) {
        const size = sizes[next % sizes.length] ?? 1
        push(whole.subarray(at, at + size))
        at += size
      }
      source.sink?.onEnd()
      pass()
      assert.deepStrictEqual(ends, [complete])
      assert.strictEqual(client.text + tail(), whole.toString())
    },
    { arbitrary: { runs: 200 } }
  )

  it("leaves in one write for each piece that arrives", () => {
    const { client, send } = beginRelay()
    send(say("one"), say("two"), say("three"))
    assert.strictEqual(client.writes, 1)
    send(say("four"))
    assert.strictEqual(client.writes, 2)
  })

  it.each([true, false])("has the usage frame only where it was asked for: %s", (wantsUsage) => {
    const { client, ends, pass, relay, send, tail } = beginRelay({ wantsUsage })
    send(say("one"), ending("stop"), usageFrame, "[DONE]")
    pass(USAGE_WAIT_MS)
    assert.deepStrictEqual(ends, [complete])
    assert.strictEqual((client.text + tail()).includes("prompt_tokens"), wantsUsage)
    assert.strictEqual(relay.meter.reported().output, usage.completion_tokens)
  })
})

describe("back-pressure", () => {
  it("stops the reading while the client takes nothing, and goes on when it does", () => {
    const { client, ends, send, source } = beginRelay()
    send(say("one"))
    assert.isFalse(source.paused)
    client.takes = false
    send(say("two"))
    assert.isTrue(source.paused)
    client.takes = true
    client.onDrain()
    assert.isFalse(source.paused)
    send(say("three"))
    assert.strictEqual(client.text, sse(say("one"), say("two"), say("three")))
    assert.deepStrictEqual(ends, [])
  })

  it("outlasts an extension: the reading goes on only when the client takes more as well", () => {
    const { client, relay, send, source } = beginRelay({ held: 3, heldMax: 1_000 })
    client.takes = false
    send(say("one two three four five"))
    assert.isTrue(source.paused)
    relay.extended(1_000)
    assert.include(client.text, "five")
    assert.isTrue(source.paused)
    client.onDrain()
    assert.isFalse(source.paused)
  })
})

describe("what the hold does not cover", () => {
  const small = { held: 4, heldMax: 1_000 }
  const first = "one two three"
  const beyond = " four five six seven eight"

  it("waits until the extension is durable, and what comes behind it waits as well", () => {
    const { asked, client, ends, relay, send, source, waits } = beginRelay(small)
    send(say(first))
    assert.include(client.text, first)
    send(say(beyond), chunk({ role: "assistant" }))
    assert.strictEqual(client.text, sse(say(first)))
    assert.isTrue(source.paused)
    assert.strictEqual(asked.more, 1)
    assert.deepStrictEqual(waits(), [EXTEND_WAIT_MS])
    relay.extended(500)
    assert.strictEqual(client.text, sse(say(first), say(beyond), chunk({ role: "assistant" })))
    assert.deepStrictEqual([source.paused, waits(), ends], [false, [], []])
  })

  it("waits no longer than it may", () => {
    const { client, ends, pass, send, source } = beginRelay(small)
    send(say(first), say(beyond))
    pass(EXTEND_WAIT_MS)
    assert.deepStrictEqual(ends, [{ _tag: "Ended", how: "extension_unavailable" }])
    assert.isTrue(source.aborted)
    assert.notInclude(client.text, "eight")
  })

  it.each(["insufficient_quota", "key_limit_exceeded"] as const)("is never sent after %s", (because) => {
    const { client, ends, relay, send, source } = beginRelay(small)
    send(say(first), say(beyond))
    relay.refused(because)
    assert.deepStrictEqual(ends, [{ _tag: "Ended", how: because }])
    assert.isTrue(source.aborted)
    assert.notInclude(client.text, "eight")
  })

  it("goes on being covered after a refusal, until it is used up", () => {
    const { client, ends, relay, send } = beginRelay({ held: 40, heldMax: 1_000 })
    send(say("word ".repeat(32)))
    relay.refused("insufficient_quota")
    assert.deepStrictEqual(ends, [])
    send(say("and this"))
    assert.include(client.text, "and this")
    send(say("word ".repeat(32)))
    assert.deepStrictEqual(ends, [{ _tag: "Ended", how: "insufficient_quota" }])
  })

  it("is asked for again after the account could not be reached", () => {
    const { asked, ends, pass, relay, send } = beginRelay(small)
    send(say(first), say(beyond))
    relay.refused("service_unavailable")
    assert.deepStrictEqual([asked.more, ends], [1, []])
    pass(100)
    assert.strictEqual(asked.more, 2)
    relay.extended(500)
    assert.deepStrictEqual(ends, [])
  })

  it("is delivered although the upstream has ended meanwhile", () => {
    const { client, ends, relay, send, source, tail } = beginRelay(small)
    send(say(first), say(beyond), ending("stop"), "[DONE]")
    source.sink?.onEnd()
    assert.deepStrictEqual(ends, [])
    relay.extended(500)
    assert.deepStrictEqual(ends, [complete])
    assert.strictEqual(client.text + tail(), sse(say(first), say(beyond), ending("stop"), "[DONE]"))
  })

  it("is delivered although the upstream was cut meanwhile, and the answer then ends as cut", () => {
    const { client, ends, relay, send, source } = beginRelay(small)
    send(say(first), say(beyond))
    source.sink?.onError(new Error("cut"))
    assert.deepStrictEqual(ends, [])
    relay.extended(500)
    assert.deepStrictEqual(ends, [{ _tag: "Ended", how: "cut" }])
    assert.strictEqual(client.text, sse(say(first), say(beyond)))
  })

  it("waits in the frame that ends the answer as well", () => {
    const { client, ends, relay, send, source, tail, waits } = beginRelay(small)
    const last = { choices: [{ index: 0, delta: { content: beyond }, finish_reason: "stop" }] }
    send(say(first), last)
    assert.include(waits(), EXTEND_WAIT_MS)
    source.sink?.onEnd()
    assert.deepStrictEqual(ends, [])
    relay.extended(500)
    assert.deepStrictEqual(ends, [complete])
    assert.deepStrictEqual([client.text, tail()], [sse(say(first)), sse(last)])
  })

  it("is not waited for above the limit: an upstream that ignores it is left", () => {
    const { ends, send, source } = beginRelay({ held: 10 })
    for (let word = 0; word < 200 && ends.length === 0; word++) send(say(" word"))
    assert.deepStrictEqual(ends, [{ _tag: "Ended", how: "limit_ignored" }])
    assert.isTrue(source.aborted)
  })
})

describe("frames without output", () => {
  const role = chunk({ role: "assistant", content: "" })

  it("are kept back until the first output, and go out before it", () => {
    const { asked, client, push, send } = beginRelay()
    push(": waiting\n\n")
    send(role)
    assert.deepStrictEqual([client.text, asked.firstOutput], ["", 0])
    send(say("one"))
    assert.deepStrictEqual([client.text, asked.firstOutput], [sse(role, say("one")), 1])
  })

  it.each<[string, (stream: ReturnType<typeof beginRelay>) => void]>([
    ["an error", ({ send }) => send({ error: { message: "x" } })],
    ["a cut", ({ source }) => source.sink?.onError(new Error("cut"))],
    ["an end", ({ source }) => source.sink?.onEnd()],
    ["[DONE] alone", ({ send, source }) => {
      send("[DONE]")
      source.sink?.onEnd()
    }],
    ["more than is kept", ({ push }) => {
      const frame = sse(chunk({ role: "x".repeat(1_000_000) }))
      for (let bytes = 0; bytes <= QUIET_BYTES_MAX; bytes += frame.length) push(frame)
    }]
  ])("before %s are never seen, so that another channel can be tried", (_, fail) => {
    const stream = beginRelay()
    stream.send(role)
    fail(stream)
    assert.deepStrictEqual([stream.ends.length, stream.ends[0]?._tag, stream.client.text], [1, "Failed", ""])
    assert.isTrue(stream.source.aborted)
    assert.deepStrictEqual(stream.waits(), [])
  })
})
