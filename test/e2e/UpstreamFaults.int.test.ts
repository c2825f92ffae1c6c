/**
 * What upstreams get wrong: with one channel the client gets our error and pays nothing for what it did not get, with a
 * second one it gets that one's answer and pays once; the upstream's own words about keys and quotas stay inside.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { errorOf, OpenAnswer, send } from "../support/TestHttp.ts"
import { inGateway, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion, type UpstreamCall, type UpstreamScript } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 1_000_000n
const FRAME_BYTES = 9 * 1024 * 1024

/** Of `first` alone; of `first` and, when that fails, `second`; of nobody who listens, then `second`. */
const Gateway = TestGateway.layerOf((origin) => {
  const price = { input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 100_000 }
  const channel = {
    base_url: `${origin}/v1`,
    api_key: "sk-upstream",
    first_byte_timeout_seconds: 1,
    idle_timeout_seconds: 1
  }
  return {
    billing: { default_max_output_tokens: 1_000 },
    channels: [
      { ...channel, name: "first", priority: 2, models: { alone: "first", pair: "first" } },
      { ...channel, name: "second", priority: 1, models: { pair: "second", unreachable: "second" } },
      {
        ...channel,
        name: "dead",
        priority: 3,
        base_url: "http://127.0.0.1:1/v1",
        models: { unreachable: "x", gone: "x" }
      }
    ],
    models: ["alone", "pair", "unreachable", "gone"].map((id) => Object.assign({ id }, price))
  }
})

const body = (model: string, stream: boolean) => ({ model, stream, messages: [{ role: "user", content: "Hi" }] })
const secret = "Incorrect API key provided: sk-upstream"
const html = (call: UpstreamCall) => {
  call.response.writeHead(200, { "content-type": "text/html" })
  call.response.end("<html>We are moving house</html>")
}
const events = (call: UpstreamCall, text: string) => {
  call.response.writeHead(200, { "content-type": "text/event-stream" })
  return new Promise<void>((resolve) => call.response.write(text, () => resolve()))
}
const quota = { error: { message: "pay me", type: "insufficient_quota", param: null, code: "insufficient_quota" } }

type Row = readonly [what: string, script: UpstreamScript, status: number, code: string, only?: "json" | "stream"]

const faults: ReadonlyArray<Row> = [
  ["HTML", html, 502, "upstream_error"],
  ["200 with an error body", (call) => call.error(200), 502, "upstream_error"],
  [
    "200 with JSON cut short",
    (call) => void call.response.writeHead(200, { "content-type": "application/json" }).end('{"choices":['),
    502,
    "upstream_error"
  ],
  ["a closed connection", (call) => void call.response.destroy(), 502, "upstream_error"],
  ["401", (call) => call.error(401, secret), 502, "upstream_error"],
  ["402", (call) => call.error(402, secret), 502, "upstream_error"],
  ["403", (call) => call.error(403, secret), 502, "upstream_error"],
  ["408", (call) => call.error(408), 504, "upstream_timeout"],
  ["429", (call) => call.error(429, secret, { "retry-after": "7" }), 429, "upstream_rate_limited"],
  ["429 for a quota", (call) => call.json(quota, 429), 502, "upstream_error"],
  ["500", (call) => call.error(500, secret), 502, "upstream_error"],
  ["503 in HTML", (call) => void call.response.writeHead(503).end("<html>"), 502, "upstream_error"],
  [
    "a redirect",
    (call) => void call.response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    502,
    "upstream_error"
  ],
  ["no answer in time", () => undefined, 504, "upstream_timeout"],
  [
    "a whole answer for a stream",
    (call) => call.json(completion("hello", chatUsage(1, 1))),
    502,
    "upstream_error",
    "stream"
  ],
  [
    "an error frame first",
    (call) => events(call, `data: ${JSON.stringify({ error: { message: secret } })}\n\n`),
    502,
    "upstream_error",
    "stream"
  ],
  [
    "a frame cut short",
    (call) => events(call, 'data: {"cho').then(() => call.response.destroy()),
    502,
    "upstream_error",
    "stream"
  ],
  [
    "a stream of nothing",
    (call) => void events(call, "").then(() => call.response.end()),
    502,
    "upstream_error",
    "stream"
  ],
  ["a frame without end", (call) => events(call, `data: ${"x".repeat(FRAME_BYTES)}`), 502, "upstream_error", "stream"]
]

/** A good answer of the kind that the call wants. */
const well: UpstreamScript = (call) =>
  call.body["stream"] === true
    ? call.chatStream(["hello"], chatUsage(10, 5))
    : call.json(completion("hello", chatUsage(10, 5)))

layer(Gateway, { excludeTestServices: true })("upstream faults", (it) => {
  const test = inGateway(it)

  for (const [what, script, status, code, only] of faults) {
    const kinds = [false, true].filter((stream) => only === undefined || (only === "stream") === stream)
    test(`${what}: refused by one channel, answered by the next`, function*({ upstream, ...gateway }) {
      for (const stream of kinds) {
        // A user of its own: a 429 keeps the one before away from the first channel for a while.
        const user = yield* gateway.user(START)
        const call = (model: string, by: Pick<TestUser, "key"> = user) =>
          send(`${gateway.origin}/v1/chat/completions`, { key: by.key, body: body(model, stream) })
        upstream.on("first", script)
        upstream.on("second", well)
        const before = yield* gateway.balanceOf(user)
        const alone = yield* call("alone")
        assert.deepStrictEqual([alone.status, errorOf(alone.text).code], [status, code], alone.text)
        assert.match(String(alone.headers["x-request-id"]), /^[0-9a-f-]{36}$/)
        assert.notInclude(alone.text, "sk-upstream")
        if (status === 429) assert.strictEqual(alone.headers["retry-after"], "7")
        assert.strictEqual(yield* gateway.balanceOf(user), before, "a call that failed costs nothing")
        assert.strictEqual((yield* gateway.rowOf(String(alone.headers["x-request-id"]))).state, "voided")
        const pair = yield* call("pair")
        assert.strictEqual(pair.status, 200, pair.text)
        assert.include(pair.text, "hello")
        assert.strictEqual(yield* gateway.balanceOf(user), before - 15n, "the answer is paid once")
        const row = yield* gateway.rowOf(String(pair.headers["x-request-id"]))
        assert.deepStrictEqual([row.state, row.channel], ["committed", "second"])
        // The breakers of the first channel close again, so that the next call tries it first.
        upstream.on("first", well)
        const other = yield* gateway.user(START)
        for (const model of ["alone", "pair"]) {
          const closing = yield* call(model, other)
          assert.strictEqual(closing.status, 200)
          assert.strictEqual((yield* gateway.rowOf(String(closing.headers["x-request-id"]))).channel, "first")
        }
      }
    })
  }

  test("an upstream that is not there", function*({ upstream, ...gateway }) {
    const user = yield* gateway.user(START)
    upstream.on("second", well)
    const call = (model: string) =>
      send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: body(model, false) })
    const gone = yield* call("gone")
    assert.deepStrictEqual([gone.status, errorOf(gone.text).code], [502, "upstream_error"])
    assert.strictEqual((yield* call("unreachable")).status, 200)
    assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
  })

  test(
    "a refusal of the request itself passes through, and no other channel is tried",
    function*({ upstream, ...gateway }) {
      const user = yield* gateway.user(START)
      upstream.on("first", (call) => call.error(400, "too many messages"))
      upstream.on("second", well)
      const before = upstream.callsOf("second").length
      for (const stream of [false, true]) {
        const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: body("pair", stream)
        })
        assert.deepStrictEqual([answer.status, errorOf(answer.text).message], [400, "too many messages"])
        assert.match(String(answer.headers["x-request-id"]), /^[0-9a-f-]{36}$/)
      }
      upstream.on("first", (call) => void call.response.writeHead(422).end("<html>no</html>"))
      const html = yield* send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: body("pair", false) })
      assert.deepStrictEqual([html.status, errorOf(html.text).code], [422, null])
      assert.strictEqual(upstream.callsOf("second").length, before)
      assert.strictEqual(yield* gateway.balanceOf(user), START)
    }
  )

  const breaks: ReadonlyArray<readonly [what: string, script: (call: UpstreamCall) => void]> = [
    [
      "closes in the middle of a frame",
      (call) => void call.response.write('data: {"cho', () => call.response.destroy())
    ],
    ["ends in the middle of a frame", (call) => void call.response.end('data: {"cho')],
    ["ends without a word", (call) => void call.response.end()],
    ["sends a frame without end", (call) => void call.response.write(`data: ${"x".repeat(FRAME_BYTES)}`)]
  ]
  it.effect.each(breaks)(
    "an upstream that %s after it began: an error frame, and what was delivered is charged",
    ([, script]) =>
      Effect.gen(function*() {
        const { upstream, ...gateway } = yield* TestGateway
        const user = yield* gateway.user(START)
        const before = upstream.callsOf("second").length
        upstream.on("first", (call) => {
          for (let index = 0; index < 40; index++) call.frame(chunk("word "))
          script(call)
        })
        const answer = yield* send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: body("pair", true) })
        assert.strictEqual(answer.status, 200)
        const frames = answer.text.split("\n\n").filter((frame) => frame.startsWith('data: {"id"'))
        assert.strictEqual(frames.length, 40)
        const last = answer.text.trimEnd().split("\n\n").at(-1) ?? ""
        assert.strictEqual(errorOf(last.slice("data: ".length)).code, "server_is_overloaded")
        assert.notInclude(answer.text, "[DONE]")
        const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
        assert.deepStrictEqual([row.state, row.usage_source, row.reason], ["committed", "estimated", "truncated"])
        assert.approximately(Number(row.output_tokens), 40, 4)
        assert.strictEqual(yield* gateway.balanceOf(user), START - (row.charged_micros ?? 0n))
        assert.strictEqual(upstream.callsOf("second").length, before, "what has begun is not begun again")
        yield* gateway.clean
      })
  )

  test("a client that leaves an upstream that never answers pays for its input", function*({ upstream, ...gateway }) {
    const user = yield* gateway.user(START)
    upstream.on("first", () => undefined)
    for (const stream of [false, true]) {
      const calls = upstream.callsOf("first").length
      const answer = new OpenAnswer(`${gateway.origin}/v1/chat/completions`, { key: user.key, method: "POST" })
      answer.end(body("alone", stream))
      yield* until("the upstream has the call", () => upstream.callsOf("first").length > calls)
      answer.cut()
      yield* until("the upstream is left", () => upstream.callsOf("first").at(-1)?.aborted === true)
      yield* gateway.settled
      const row = (yield* gateway.callsOf(user)).at(-1)
      assert.deepStrictEqual([row?.state, row?.reason, row?.status, row?.output_tokens], [
        "committed",
        "client_gone",
        499,
        0n
      ])
      assert.isAbove(Number(row?.charged_micros), 0)
      assert.isBelow(Number(row?.charged_micros), 100)
    }
  })
})
