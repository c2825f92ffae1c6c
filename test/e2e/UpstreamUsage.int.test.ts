/**
 * The many ways in which upstreams report usage, and do not: what they say is charged exactly, zero is zero, and what is
 * missing is estimated - never nothing, never simply the whole hold. The client gets the bytes as they came.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { send } from "../support/TestHttp.ts"
import { inGateway, TestGateway } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion, type UpstreamCall } from "../support/TestUpstream.ts"

const START = 1_000_000n

const Gateway = TestGateway.layerOf((origin) => ({
  channels: [
    { name: "one", base_url: `${origin}/v1`, api_key: "x", models: { m: "up" } },
    { name: "plain", base_url: `${origin}/v1`, api_key: "x", models: { plain: "up" }, known_fields: [] }
  ],
  models: ["m", "plain"].map((id) => ({
    id,
    input_usd_per_1m: "1",
    output_usd_per_1m: "1",
    max_output_tokens: 10_000,
    input_overhead_tokens: 0
  }))
}))

const usage = chatUsage(10, 5)
const words = Array.from({ length: 30 }, () => chunk("word "))
const only = { ...chunk(""), choices: [], usage }
const more = { usage: { ...usage, cost: 1 } }

/** Sends frames and ends. */
const frames = (list: ReadonlyArray<unknown>, newline = "\n") => (call: UpstreamCall) => {
  for (const frame of list) call.frame(frame, newline)
  call.response.end()
}

/** `behind`: the usage, and an estimate of what came behind it. */
type Expected = number | "estimated" | "behind"
type Row = readonly [what: string, script: (call: UpstreamCall) => void, charged: Expected, framesOut: number | null]

const table: ReadonlyArray<Row> = [
  ["a frame of its own, withheld", frames([...words, chunk("", "stop"), only, "[DONE]"]), 15, 32],
  ["the last choice's frame, kept", frames([...words, chunk("", "stop", more), "[DONE]"]), 15, 32],
  ["the last choice's frame, and no end", frames([...words, chunk("", "stop", more)]), 15, 31],
  [
    "null in every frame",
    frames([...words.map((word) => ({ ...word, usage: null })), chunk("", "stop", { usage: null }), only, "[DONE]"]),
    15,
    32
  ],
  [
    "growing in every frame",
    frames([...words.map((word, index) => ({ ...word, usage: chatUsage(10, index + 1) })), "[DONE]"]),
    40,
    31
  ],
  ["lines that end in CRLF", frames([...words, chunk("", "stop"), only, "[DONE]"], "\r\n"), 15, 32],
  [
    "an explicit zero beside output",
    frames([...words, { ...only, usage: chatUsage(0, 0) }, "[DONE]"]),
    "estimated",
    31
  ],
  [
    "an explicit zero where nothing came",
    frames([chunk("", "stop"), { ...only, usage: chatUsage(0, 0) }, "[DONE]"]),
    0,
    2
  ],
  [
    "an impossible number",
    frames([...words, { ...only, usage: { prompt_tokens: 10, completion_tokens: -5 } }, "[DONE]"]),
    "estimated",
    31
  ],
  ["more cached than there is", frames([...words, { ...only, usage: chatUsage(10, 5, 500) }, "[DONE]"]), 27, 31],
  ["none", frames([...words, chunk("", "stop"), "[DONE]"]), "estimated", 32],
  ["an empty object", frames([...words, chunk("", "stop", { usage: {} }), "[DONE]"]), "estimated", 32],
  ["before the last text", frames([only, ...words, "[DONE]"]), "behind", 31],
  ["JSON with usage", (call) => call.json(completion("word ".repeat(30), usage)), 15, null],
  ["JSON with zero", (call) => call.json(completion("word ".repeat(30), chatUsage(0, 0))), "estimated", null],
  ["JSON without", (call) => call.json(completion("word ".repeat(30))), "estimated", null]
]

layer(Gateway, { excludeTestServices: true })("usage of upstreams", (it) => {
  const test = inGateway(it)

  it.effect.each(table)("%s", ([, script, charged, framesOut]) =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      gateway.upstream.on("up", script)
      const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", stream: framesOut !== null, max_tokens: 5_000, messages: [{ role: "user", content: "Hi" }] }
      })
      assert.strictEqual(answer.status, 200, answer.text)
      if (framesOut !== null) {
        assert.strictEqual(answer.text.split(/\r?\n\r?\n/).filter((frame) => frame !== "").length, framesOut)
        assert.notInclude(answer.text, '"choices":[],')
      }
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.strictEqual(row.state, "committed")
      assert.strictEqual(row.usage_source, typeof charged === "string" ? "estimated" : "upstream")
      const micros = Number(row.charged_micros)
      if (charged === "estimated") {
        assert.approximately(Number(row.output_tokens), 30, 3)
        assert.isBelow(micros, 100)
        assert.isAbove(micros, 30)
      } else if (charged === "behind") assert.approximately(Number(row.output_tokens), 35, 3)
      else assert.strictEqual(micros, charged)
      assert.strictEqual(yield* gateway.balanceOf(user), START - BigInt(micros))
      yield* gateway.clean
    }))

  test("a stream reaches the client byte for byte", function*(gateway) {
    const user = yield* gateway.user(START)
    const bytes = 'event: x\rdata: {"choices":[{"delta":{"content":"\\u00e9é"}}]}\r\rid: 5\ndata: {"choices":[],' +
      '\ndata: "odd":1}\n\ndata: [DONE]\n\n'
    gateway.upstream.on("up", (call) => {
      call.response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" })
      call.response.end(bytes)
    })
    const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
      key: user.key,
      body: { model: "m", stream: true, messages: [{ role: "user", content: "Hi" }] }
    })
    assert.strictEqual(answer.text, bytes)
  })

  test("a channel that does not know stream options is not sent them, and is estimated", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", frames([...words, "[DONE]"]))
    const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
      key: user.key,
      body: { model: "plain", stream: true, messages: [{ role: "user", content: "Hi" }] }
    })
    assert.isFalse("stream_options" in (gateway.upstream.calls.at(-1)?.body ?? { stream_options: 1 }))
    assert.strictEqual((yield* gateway.rowOf(String(answer.headers["x-request-id"]))).usage_source, "estimated")
  })
})
