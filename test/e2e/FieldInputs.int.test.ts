/**
 * Requests from the field: inputs that a hold did not bound, which must cost no more than was held, and clients that were
 * refused for what they send by default.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib"
import { errorOf, send } from "../support/TestHttp.ts"
import { inGateway, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const terms = { input_usd_per_1m: "1", output_usd_per_1m: "10", max_output_tokens: 16_384 }

const Gateway = TestGateway.layerOf((origin) => {
  const channel = { base_url: `${origin}/v1`, api_key: "x" }
  return {
    channels: [
      { ...channel, name: "plain", models: { m: "up", sized: "up", short: "up" } },
      {
        ...channel,
        name: "storing",
        stores_responses: true,
        known_fields: ["stream_options", "max_tool_calls", "metadata", "service_tier"],
        models: { stored: "stored" }
      }
    ],
    models: [
      { id: "m", ...terms },
      { id: "sized", ...terms, context_tokens: 128_000 },
      { id: "short", ...terms, max_output_tokens: 500, context_tokens: 500, input_overhead_tokens: 0 },
      { id: "stored", ...terms, context_tokens: 128_000 }
    ]
  }
})

const post = Effect.fnUntraced(function*(user: Pick<TestUser, "key">, path: string, body: unknown, headers = {}) {
  const { origin } = yield* TestGateway
  return yield* send(`${origin}${path}`, { key: user.key, body, headers })
})

const part = (content: object) => ({ messages: [{ role: "user", content: [content] }] })

/** A file of little more than a kilobyte that unfolds to many tokens. */
const pdf = Buffer.concat([Buffer.from("%PDF-1.4\n"), deflateRawSync(Buffer.alloc(300_000, "word "))]).toString(
  "base64"
)

const bounded: ReadonlyArray<readonly [what: string, body: object, reportedTokens: number]> = [
  ["an inline PDF", part({ type: "file", file: { file_data: `data:application/pdf;base64,${pdf}` } }), 78_060],
  ["hieroglyphs", { messages: [{ role: "user", content: "𓀀".repeat(20_000) }] }, 79_756]
]

const unread: ReadonlyArray<readonly [what: string, body: object]> = [
  ["a part without a type", part({ video_url: { url: "https://example.com/v.mp4" } })],
  [
    "a key in another case",
    part({ type: "text", text: "x", Type: "image_url", image_url: { url: "https://example.com/a.png" } })
  ]
]

const embedding = (tokens: number) => ({
  object: "list",
  model: "up",
  data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }],
  usage: { prompt_tokens: tokens, total_tokens: tokens }
})

layer(Gateway, { excludeTestServices: true })("input that an upstream reads otherwise", (it) => {
  const test = inGateway(it)

  for (const [what, body, tokens] of bounded) {
    test(`${what}: is held for at least what it costs, and leaves no debt`, function*(gateway) {
      const user = yield* gateway.user(1_000_000n)
      gateway.upstream.on("up", (call) => call.json(completion("x", chatUsage(tokens, 1))))
      const calls = Array.from(
        { length: 100 },
        () => post(user, "/v1/chat/completions", { model: "sized", max_tokens: 1, ...body })
      )
      const answers = yield* Effect.all(calls, { concurrency: "unbounded" })
      const admitted = answers.filter(({ status }) => status === 200).length
      assert.isAbove(admitted, 0)
      assert.isTrue(answers.every(({ status }) => [200, 402, 429].includes(status)))
      yield* gateway.settled
      const rows = yield* gateway.callsOf(user)
      for (const row of rows.filter(({ state }) => state === "committed")) {
        assert.isAtLeast(Number(row.reserved_micros), Number(row.cost_micros))
        assert.strictEqual(row.charged_micros, row.cost_micros)
      }
      assert.isAtLeast(Number(yield* gateway.balanceOf(user)), 0)
    })
  }

  for (const [what, body] of unread) {
    it.effect(`${what}: is refused`, () =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway
        const user = yield* gateway.user(1_000_000n)
        const before = gateway.upstream.calls.length
        const answer = yield* post(user, "/v1/chat/completions", { model: "m", ...body })
        assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [400, "invalid_request_error"])
        assert.strictEqual(gateway.upstream.calls.length, before)
      }))
  }

  it.effect("a file for a model of unknown context is refused", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(1_000_000n)
      const body = { model: "m", ...part({ type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } }) }
      assert.strictEqual((yield* post(user, "/v1/chat/completions", body)).status, 400)
    }))

  for (const usage of [chatUsage(20, 1), undefined]) {
    test(
      `an unknown field that is not sent is not charged${usage ? "" : ", by an estimate either"}`,
      function*(gateway) {
        const user = yield* gateway.user(1_000_000n)
        gateway.upstream.on("up", (call) => call.json(completion("x", usage)))
        const body = {
          model: "sized",
          max_tokens: 10,
          ...part({ type: "text", text: "hello" }),
          unknown: "word ".repeat(10_000)
        }
        const answer = yield* post(user, "/v1/chat/completions", body)
        assert.deepStrictEqual([answer.status, answer.headers["x-realms-dropped-fields"]], [200, "unknown"])
        yield* gateway.settled
        const [row] = yield* gateway.callsOf(user)
        assert.isAtMost(Number(row?.cost_micros), 30)
        assert.strictEqual(row?.usage_source, usage ? "upstream" : "estimated")
      }
    )
  }

  test("little money still pays for text whose count shows that it fits, one call at a time", function*(gateway) {
    const text = "The quick brown fox jumps over the lazy dog. ".repeat(400)
    // The ceiling of 18,000 bytes does not fit beside 100 tokens out; the count of about 4,000 tokens does.
    const user = yield* gateway.user(10_000n)
    const gate = new Gate()
    gateway.upstream.on("up", async (call) => {
      await gate.opened
      call.json(completion("x", chatUsage(4_010, 10)))
    })
    const body = { model: "m", max_tokens: 100, messages: [{ role: "user", content: text }] }
    const before = gateway.upstream.callsOf("up").length
    const first = yield* Effect.forkChild(post(user, "/v1/chat/completions", body))
    yield* until("the call is held", () => gateway.upstream.callsOf("up").length > before)
    const refused = yield* post(user, "/v1/chat/completions", body)
    assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [429, "funds_held"], refused.text)
    gate.open()
    assert.strictEqual((yield* Fiber.join(first)).status, 200)
    assert.strictEqual(yield* gateway.balanceOf(user), 10_000n - 4_110n)
  })
})

const response = (id: string, text = "hello") => ({
  id,
  object: "response",
  status: "completed",
  model: "stored",
  output: [
    {
      type: "message",
      id: `msg_${id}`,
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text, annotations: [] }]
    }
  ],
  usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 }
})

layer(Gateway, { excludeTestServices: true })("a client's defaults", (it) => {
  const test = inGateway(it)

  test("the second turn may refer to stored items and responses of its own, and of nobody else's", function*(gateway) {
    const [user, other] = [yield* gateway.user(1_000_000n), yield* gateway.user(1_000_000n)]
    let next = 0
    gateway.upstream.on("stored", (call) => call.json(response(`resp_${++next}`)))
    const ask = (by: TestUser, body: object) => post(by, "/v1/responses", { model: "stored", input: "Hi", ...body })
    assert.strictEqual((yield* ask(user, {})).status, 200)
    yield* gateway.settled
    const item = { input: [{ type: "item_reference", id: "msg_resp_1" }, { role: "user", content: "And?" }] }
    for (const body of [item, { previous_response_id: "resp_1" }]) {
      const own = yield* ask(user, body)
      assert.strictEqual(own.status, 200, own.text)
      const foreign = yield* ask(other, body)
      assert.deepStrictEqual([foreign.status, errorOf(foreign.text).code], [400, "reference_not_found"])
      assert.include(errorOf(foreign.text).message, "store: false")
    }
    assert.strictEqual((yield* ask(user, { previous_response_id: "resp_999" })).status, 400)
    // What is not stored cannot be referred to.
    assert.strictEqual((yield* ask(user, { store: false })).status, 200)
    yield* gateway.settled
    assert.strictEqual((yield* ask(user, { previous_response_id: `resp_${next}` })).status, 400)
  })

  test(
    "hosted tools are taken out and named, service_tier auto is admitted, a high limit is clamped",
    function*(gateway) {
      const user = yield* gateway.user(10_000_000n)
      gateway.upstream.on("stored", (call) => call.json(response("resp_t")))
      gateway.upstream.on("up", (call) => call.json(completion("x", chatUsage(10, 5))))
      const answer = yield* post(user, "/v1/responses", {
        model: "stored",
        input: "Hi",
        tools: [{ type: "function", name: "f", parameters: {} }, { type: "web_search" }, { type: "image_generation" }],
        service_tier: "auto",
        max_output_tokens: 32_000,
        user: "ada"
      })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(answer.headers["x-realms-dropped-fields"], "tools.web_search, tools.image_generation")
      const sent = gateway.upstream.callsOf("stored").at(-1)?.body ?? {}
      assert.deepStrictEqual(sent["tools"], [{ type: "function", name: "f", parameters: {} }])
      assert.deepStrictEqual([sent["service_tier"], sent["max_output_tokens"]], ["default", 16_384])
      assert.notStrictEqual(sent["user"], "ada")
      const chat = yield* post(user, "/v1/chat/completions", {
        model: "m",
        messages: [{ role: "user", content: "Hi" }],
        service_tier: "auto",
        max_tokens: 32_000
      })
      assert.strictEqual(chat.status, 200, chat.text)
      assert.isFalse("service_tier" in (gateway.upstream.callsOf("up").at(-1)?.body ?? { service_tier: 1 }))
    }
  )

  for (const [name, encode] of [["gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
    it.effect(`a body in ${name} is decoded`, () =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway
        const user = yield* gateway.user(1_000_000n)
        gateway.upstream.on("up", (call) => call.json(completion("x", chatUsage(10, 5))))
        const body = encode(Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] })))
        const answer = yield* Effect.promise(() =>
          fetch(`${gateway.origin}/v1/chat/completions`, {
            method: "POST",
            headers: {
              authorization: `Bearer ${user.key}`,
              "content-encoding": name,
              "content-type": "application/json"
            },
            body: new Uint8Array(body)
          })
        )
        assert.strictEqual(answer.status, 200, yield* Effect.promise(() => answer.text()))
      }))
  }

  it.effect("an unknown encoding is 415", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(1_000_000n)
      const answer = yield* post(user, "/v1/chat/completions", { model: "m" }, { "content-encoding": "snappy" })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [415, "unsupported_media_type"])
    }))

  it.effect("a browser may ask before it calls, and reads every answer", () =>
    Effect.gen(function*() {
      const { origin } = yield* TestGateway
      const asked = yield* Effect.promise(() =>
        fetch(`${origin}/v1/chat/completions`, {
          method: "OPTIONS",
          headers: {
            origin: "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, x-stainless-lang"
          }
        })
      )
      assert.strictEqual(asked.status, 204)
      assert.strictEqual(asked.headers.get("access-control-allow-origin"), "*")
      assert.strictEqual(asked.headers.get("access-control-allow-headers"), "authorization, x-stainless-lang")
      assert.strictEqual(asked.headers.get("access-control-max-age"), "86400")
      const refused = yield* Effect.promise(() =>
        fetch(`${origin}/v1/models`, { headers: { origin: "https://app.example" } })
      )
      assert.strictEqual(refused.status, 401)
      assert.strictEqual(refused.headers.get("access-control-allow-origin"), "*")
      assert.include(refused.headers.get("access-control-expose-headers") ?? "", "x-request-id")
    }))

  test("embeddings are held and charged by their input alone", function*(gateway) {
    const user = yield* gateway.user(100_000n)
    gateway.upstream.on("up", (call) => call.json(embedding(7)))
    for (const input of ["hello world", ["hello", "world"], [1, 2, 3], [[1, 2], [3]]]) {
      const answer = yield* post(user, "/v1/embeddings", { model: "m", input })
      assert.strictEqual(answer.status, 200, answer.text)
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.deepStrictEqual([row.charged_micros, row.usage_source, row.output_tokens], [7n, "upstream", 0n])
    }
  })

  test("embeddings whose upstream counts nothing, as LM Studio does, are estimated", function*(gateway) {
    const user = yield* gateway.user(100_000n)
    gateway.upstream.on("up", (call) => call.json(embedding(0)))
    for (const [input, tokens] of [["word ".repeat(100), 101n], [Array.from({ length: 50 }, () => 7), 50n]] as const) {
      const answer = yield* post(user, "/v1/embeddings", { model: "m", input })
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.strictEqual(row.usage_source, "estimated")
      assert.approximately(Number(row.charged_micros), Number(tokens), 5)
    }
  })

  test("tokens that a client counted itself are held, each of them, however little money there is", function*(gateway) {
    const user = yield* gateway.user(8_000n)
    const before = gateway.upstream.callsOf("up").length
    const input = Array.from({ length: 20_000 }, () => 7)
    const answer = yield* post(user, "/v1/embeddings", { model: "m", input })
    assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [402, "insufficient_quota"])
    assert.strictEqual(gateway.upstream.callsOf("up").length, before)
  })

  test("a batch of embeddings may be longer than the context, which bounds each of its inputs", function*(gateway) {
    const user = yield* gateway.user(100_000n)
    gateway.upstream.on("up", (call) => call.json(embedding(1_500)))
    const input = Array.from({ length: 4 }, () => "word ".repeat(80))
    const answer = yield* post(user, "/v1/embeddings", { model: "short", input })
    assert.strictEqual(answer.status, 200, answer.text)
    const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
    assert.isAtLeast(Number(row.reserved_micros), 1_500)
    assert.deepStrictEqual([row.charged_micros, row.usage_source], [1_500n, "upstream"])
  })

  it.effect("a model that nothing serves is 404, and no list shows it", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(100_000n)
      const answer = yield* post(user, "/v1/chat/completions", {
        model: "none",
        messages: [{ role: "user", content: "Hi" }]
      })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [404, "model_not_found"])
      const list = yield* send(`${gateway.origin}/v1/models`, { key: user.key })
      assert.deepStrictEqual(
        JSON.parse(list.text).data.map((
          model: { id: string; context_length: number | null }
        ) => [model.id, model.context_length]),
        [["m", null], ["short", 500], ["sized", 128_000], ["stored", 128_000]]
      )
    }))
})
