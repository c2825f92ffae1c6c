/**
 * What clients get wrong: each mistake has its answer in OpenAI's shape with a request id, nothing of it reaches an
 * upstream, nothing is charged, and the server goes on.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { errorOf, OpenAnswer, send, type TestRequest } from "../support/TestHttp.ts"
import { inGateway, TestGateway } from "../support/TestGateway.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"

const BODY_BYTES_MAX = 65_536
const START = 1_000_000n
const DEEP = 25_000

const Gateway = TestGateway.layerOf((origin) => ({
  server: { port: 0, max_body_bytes: BODY_BYTES_MAX },
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { m: "up" } }],
  models: [{ id: "m", input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 1000 }]
}))

const chat = "/v1/chat/completions"
const messages = [{ role: "user", content: "Hi" }]
const valid = { model: "m", messages }
const post = (body: unknown) => ({ body })
const changed = (more: object) => post({ ...valid, ...more })

/** `{"model":"m","messages":[{"role":"user","content":"…"}]}` with bytes that are no UTF-8. */
const notUtf8 = Buffer.concat([
  Buffer.from('{"model":"m","messages":[{"role":"user","content":"'),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
  Buffer.from('"}]}')
])
const deep = `{"model":"m","messages":[{"role":"user","content":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}]}`

type Row = readonly [
  what: string,
  request: TestRequest,
  status: number,
  code: string,
  param?: string | null,
  path?: string
]

const table: ReadonlyArray<Row> = [
  ["an empty body", post(""), 400, "invalid_request_error"],
  ["text", post("hello"), 400, "invalid_request_error"],
  ["JSON cut short", post('{"model":"m","messages":[{'), 400, "invalid_request_error"],
  ["JSON and more", post(`${JSON.stringify(valid)}x`), 400, "invalid_request_error"],
  ["an array", post([]), 400, "invalid_request_error"],
  ["null", post("null"), 400, "invalid_request_error"],
  ["bytes that are no UTF-8", post(notUtf8), 400, "invalid_request_error"],
  ["nesting without end", post(deep), 400, "invalid_request_error"],
  ["a repeated model", post('{"model":"m","model":"m","messages":[{}]}'), 400, "invalid_request_error"],
  [
    "a repeated limit",
    post('{"model":"m","max_tokens":1,"max_tokens":999,"messages":[{}]}'),
    400,
    "invalid_request_error"
  ],
  ["a repeated key by escapes", post('{"model":"m","\\u006dodel":"m","messages":[{}]}'), 400, "invalid_request_error"],
  ["a key in capitals", changed({ MAX_TOKENS: 5 }), 400, "invalid_request_error", "MAX_TOKENS"],
  ["no model", post({ messages }), 400, "invalid_request_error", "model"],
  ["a number for a model", changed({ model: 5 }), 400, "invalid_request_error", "model"],
  ["a model name without end", changed({ model: "m".repeat(1_000) }), 400, "invalid_request_error", "model"],
  ["an unknown model", changed({ model: "none" }), 404, "model_not_found", "model"],
  ["no messages", post({ model: "m" }), 400, "invalid_request_error", "messages"],
  ["text for messages", changed({ messages: "Hi" }), 400, "invalid_request_error", "messages"],
  ["empty messages", changed({ messages: [] }), 400, "invalid_request_error", "messages"],
  ["text for a message", changed({ messages: ["Hi"] }), 400, "invalid_request_error", "messages[0]"],
  ["text for stream", changed({ stream: "yes" }), 400, "invalid_request_error", "stream"],
  [
    "a list for stream_options",
    changed({ stream: true, stream_options: [] }),
    400,
    "invalid_request_error",
    "stream_options"
  ],
  ["a negative limit", changed({ max_tokens: -1 }), 400, "invalid_request_error", "max_tokens"],
  ["a limit of zero", changed({ max_tokens: 0 }), 400, "invalid_request_error", "max_tokens"],
  ["half a token", changed({ max_tokens: 1.5 }), 400, "invalid_request_error", "max_tokens"],
  ["text for a limit", changed({ max_tokens: "5" }), 400, "invalid_request_error", "max_tokens"],
  [
    "a limit beyond all numbers",
    post(`{"model":"m","max_tokens":1e400,"messages":[{}]}`),
    400,
    "invalid_request_error",
    "max_tokens"
  ],
  ["an absurd limit", changed({ max_completion_tokens: 1e30 }), 400, "invalid_request_error", "max_completion_tokens"],
  ["n 10,000", changed({ n: 10_000 }), 400, "invalid_request_error", "n"],
  ["n 0", changed({ n: 0 }), 400, "invalid_request_error", "n"],
  ["n -1", changed({ n: -1 }), 400, "invalid_request_error", "n"],
  ["another tier", changed({ service_tier: "priority" }), 400, "unsupported_parameter", "service_tier"],
  [
    "a body too large",
    changed({ messages: [{ role: "user", content: "x".repeat(BODY_BYTES_MAX) }] }),
    413,
    "request_too_large"
  ],
  ["a body far too large", post("x".repeat(8_000_000)), 413, "request_too_large"],
  [
    "a body far too large of no known length",
    { ...post("x".repeat(8_000_000)), headers: { "transfer-encoding": "chunked" } },
    413,
    "request_too_large"
  ],
  ["no key", { ...post(valid), key: "" }, 401, "invalid_api_key"],
  ["an unknown key", { ...post(valid), key: "sk-unknown" }, 401, "invalid_api_key"],
  ["a key of another scheme", { ...post(valid), headers: { authorization: "Basic abc" } }, 401, "invalid_api_key"],
  ["an unknown page", post(valid), 404, "not_found", null, "/v1/audio/speech"],
  ["the wrong method", {}, 404, "not_found", null, chat],
  ["a receipt of no id", {}, 404, "not_found", null, "/v1/usage/abc"],
  [
    "input from elsewhere",
    post({ model: "m", input: "Hi", previous_response_id: "resp_1" }),
    400,
    "reference_not_found",
    "previous_response_id",
    "/v1/responses"
  ],
  ["a number for input", post({ model: "m", input: 5 }), 400, "invalid_request_error", "input", "/v1/responses"],
  [
    "a negative limit of a response",
    post({ model: "m", input: "Hi", max_output_tokens: -5 }),
    400,
    "invalid_request_error",
    "max_output_tokens",
    "/v1/responses"
  ]
]

layer(Gateway, { excludeTestServices: true })("bad input", (it) => {
  const test = inGateway(it)

  test("is refused in OpenAI's shape, charged nothing, and sent nowhere", function*(gateway) {
    const user = yield* gateway.user(START)
    for (const [what, request, status, code, param, path] of table) {
      const answer = yield* send(`${gateway.origin}${path ?? chat}`, { key: user.key, ...request })
      assert.strictEqual(answer.status, status, `${what}: ${answer.text}`)
      const error = errorOf(answer.text)
      assert.strictEqual(error.code, code, what)
      if (param !== undefined) assert.strictEqual(error.param, param, what)
      assert.match(String(answer.headers["x-request-id"]), /^[0-9a-f-]{36}$/, what)
      assert.strictEqual(answer.headers["content-type"], "application/json", what)
    }
    assert.strictEqual(gateway.upstream.calls.length, 0)
    assert.deepStrictEqual(yield* gateway.callsOf(user), [])
    assert.strictEqual(yield* gateway.balanceOf(user), START)
  })

  it.effect("a revoked key is refused at its next call", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
      const call = send(`${gateway.origin}${chat}`, { key: user.key, body: valid })
      assert.strictEqual((yield* call).status, 200)
      yield* gateway.revoke(user)
      const refused = yield* call
      assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [401, "invalid_api_key"])
      assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
    }))

  it.effect("a client that never finishes its body leaves nothing behind", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      const sent = gateway.upstream.calls.length
      const text = JSON.stringify(valid)
      const open = Array.from({ length: 20 }, () =>
        new OpenAnswer(`${gateway.origin}${chat}`, {
          key: user.key,
          method: "POST",
          headers: { "content-length": String(text.length) }
        }))
      for (const answer of open) {
        answer.write(text.slice(0, -1))
      }
      // One that does finish: by then the others' beginnings have arrived.
      assert.strictEqual((yield* send(`${gateway.origin}${chat}`, { key: user.key, body: valid })).status, 200)
      for (const answer of open) answer.cut()
      yield* gateway.clean
      assert.strictEqual(gateway.upstream.calls.length, sent + 1)
      assert.strictEqual((yield* gateway.callsOf(user)).length, 1)
    }))
})
