/**
 * Upstreams from the field that made the first version fail: they think for long, hang, refuse for the operator's reasons, close
 * connections that are being used, compress, end early or name their types wrongly.
 */
import { assert } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { errorOf, send } from "../support/TestHttp.ts"
import { gatewayTests, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion, type UpstreamCall, type UpstreamScript } from "../support/TestUpstream.ts"

const START = 10_000_000n

const Gateway = TestGateway.layerOf((origin) => {
  const channel = { base_url: `${origin}/v1`, api_key: "x", first_byte_timeout_seconds: 1, idle_timeout_seconds: 5 }
  const terms = { input_usd_per_1m: "1", output_usd_per_1m: "1", input_overhead_tokens: 0 }
  return {
    channels: [
      {
        ...channel,
        name: "first",
        priority: 2,
        models: { pair: "first", alone: "first", full: "first", reasoner: "first" }
      },
      { ...channel, name: "second", priority: 1, models: { pair: "second" } },
      {
        ...channel,
        name: "versioned",
        base_url: `${origin}/v1?api-version=2026-01-01`,
        models: { versioned: "versioned" }
      }
    ],
    models: [
      { id: "pair", ...terms, max_output_tokens: 10_000 },
      { id: "alone", ...terms, max_output_tokens: 10_000 },
      { id: "full", ...terms, context_tokens: 65_536, max_output_tokens: 65_536 },
      { id: "reasoner", ...terms, max_output_tokens: 100_000, reasoning: true },
      { id: "versioned", ...terms, max_output_tokens: 10_000 }
    ]
  }
})

const messages = [{ role: "user", content: "Hi" }]
const well: UpstreamScript = (call) =>
  call.body["stream"] === true
    ? call.chatStream(["hello"], chatUsage(10, 5))
    : call.json(completion("hello", chatUsage(10, 5)))

const ask = Effect.fnUntraced(
  function*(user: Pick<TestUser, "key">, model: string, stream: boolean, more: object = {}) {
    const { origin } = yield* TestGateway
    return yield* send(`${origin}/v1/chat/completions`, { key: user.key, body: { model, stream, messages, ...more } })
  }
)

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

const encoded = (body: Buffer, encoding: string, type = "application/json"): UpstreamScript => (call) => {
  call.response.writeHead(200, { "content-type": type, "content-encoding": encoding })
  call.response.end(body)
}

const json = Buffer.from(JSON.stringify(completion("hello", chatUsage(10, 5))))
const sse = Buffer.from(
  [chunk("hello"), chunk("", "stop"), { ...chunk(""), choices: [], usage: chatUsage(10, 5) }]
    .map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("") + "data: [DONE]\n\n"
)

const answered: ReadonlyArray<readonly [what: string, stream: boolean, script: UpstreamScript]> = [
  ["headers, then long silence, then the answer", true, async (call) => {
    call.response.writeHead(200, { "content-type": "text/event-stream" })
    call.response.flushHeaders()
    await pause(2_000)
    call.chatStream(["hello"], chatUsage(10, 5))
  }],
  ["a first frame, then long silence", true, async (call) => {
    call.frame({ ...chunk(""), choices: [{ index: 0, delta: { role: "assistant" } }] })
    await pause(2_000)
    call.chatStream(["hello"], chatUsage(10, 5))
  }],
  ["a long silence before JSON", false, async (call) => {
    await pause(2_000)
    well(call)
  }],
  ["events as text/plain", true, (call) => {
    call.response.writeHead(200, { "content-type": "text/plain" })
    call.response.end(sse)
  }],
  ["events without a type, in small pieces", true, async (call) => {
    call.response.writeHead(200)
    for (const piece of ["\n".repeat(80), "d", "ata", sse.subarray(4)]) {
      call.response.write(piece)
      await pause(20)
    }
    call.response.end()
  }],
  ["events as JSON, behind a byte order mark in pieces and lines of spaces", true, async (call) => {
    call.response.writeHead(200, { "content-type": "application/json" })
    for (const piece of [Buffer.from([0xef]), Buffer.from([0xbb, 0xbf]), "  ", "\n\n", sse]) {
      call.response.write(piece)
      await pause(20)
    }
    call.response.end()
  }],
  ["interim answers first", true, (call) => {
    call.response.writeProcessing()
    call.response.writeEarlyHints({ link: "</a>; rel=preload" })
    well(call)
  }],
  ["status 201", false, (call) => call.json(completion("hello", chatUsage(10, 5)), 201)],
  ["status 201, streamed", true, (call) => {
    call.response.writeHead(201, { "content-type": "text/event-stream" })
    call.response.end(sse)
  }],
  ["gzip", false, encoded(gzipSync(json), "gzip")],
  ["deflate", false, encoded(deflateSync(json), "deflate")],
  ["deflate without its header", false, encoded(deflateRawSync(json), "deflate")],
  ["deflate without its header, streamed", true, encoded(deflateRawSync(sse), "deflate", "text/event-stream")],
  ["a character set for an encoding", false, encoded(json, "UTF-8")],
  ["gzip that a proxy has undone", false, encoded(json, "gzip")],
  ["gzip that a proxy has undone, streamed", true, encoded(sse, "gzip", "text/event-stream")],
  ["zstd", false, encoded(zstdCompressSync(json), "zstd")],
  ["gzip, streamed", true, encoded(gzipSync(sse), "gzip", "text/event-stream")]
]

gatewayTests(Gateway)("an unusual upstream", (test) => {
  for (const [what, stream, script] of answered) {
    test(`${what}: is relayed and charged exactly`, function*(gateway) {
      const user = yield* gateway.user(START)
      gateway.upstream.on("first", script)
      const answer = yield* ask(user, "alone", stream)
      assert.strictEqual(answer.status, 200, answer.text)
      assert.include(answer.text, "hello")
      assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
    })
  }

  test("a whole answer without [DONE] and without usage is complete, and opens no breaker", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("first", (call) => {
      call.frame(chunk("hello"))
      call.frame(chunk("", "stop"))
      call.response.end()
    })
    for (let index = 0; index < 8; index++) {
      const answer = yield* ask(user, "pair", true)
      assert.notInclude(answer.text, "error")
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.deepStrictEqual([row.state, row.reason, row.channel], ["committed", null, "first"])
    }
  })

  test("one that never answers a stream is left for the next channel after its first_byte_timeout", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("first", () => undefined)
    gateway.upstream.on("second", well)
    const answer = yield* ask(user, "pair", true)
    assert.strictEqual(answer.status, 200)
    assert.strictEqual((yield* gateway.rowOf(String(answer.headers["x-request-id"]))).channel, "second")
  })

  for (const status of [500, 401, 429]) {
    test(`one that answers ${status} to every call is soon not asked first any more`, function*(gateway) {
      const users = yield* Effect.forEach([1, 2, 3], () => gateway.user(START))
      gateway.upstream.on("first", (call) => call.error(status, "no", { "retry-after": "1" }))
      gateway.upstream.on("second", well)
      const before = gateway.upstream.callsOf("first").length
      for (let index = 0; index < 30; index++) {
        const user = users[index % users.length]
        if (user !== undefined) assert.strictEqual((yield* ask(user, "pair", false)).status, 200)
      }
      assert.isAtMost(gateway.upstream.callsOf("first").length - before, 6)
    })
  }

  test("a kept connection that is closed just as it is used is replaced once, on the same channel", function*(gateway) {
    const user = yield* gateway.user(START)
    const used = new WeakSet<object>()
    let closed = 0
    gateway.upstream.on("versioned", (call) => {
      const { socket } = call.response
      if (socket === null || !used.has(socket)) {
        if (socket !== null) used.add(socket)
        return well(call)
      }
      closed++
      call.response.destroy()
    })
    for (let index = 0; index < 4; index++) {
      const answer = yield* ask(user, "versioned", false)
      assert.strictEqual(answer.status, 200, answer.text)
    }
    assert.isAbove(closed, 0)
    assert.strictEqual(yield* gateway.balanceOf(user), START - 60n)
    assert.isTrue(gateway.upstream.callsOf("versioned").every(({ path }) => path.endsWith("?api-version=2026-01-01")))
  })

  const operators: ReadonlyArray<readonly [number, unknown]> = [
    [400, {
      error: {
        message: "Your credit balance is too low to access the API. Please go to Plans & Billing",
        type: "invalid_request_error"
      }
    }],
    [413, {
      error: {
        message: "Request too large for gpt in organization org-abcdef12 on tokens per min (TPM): Limit 10000",
        type: "tokens",
        code: "rate_limit_exceeded"
      }
    }]
  ]
  for (const [status, body] of operators) {
    test(`a ${status} that is the operator's affair goes to the next channel, and is never shown`, function*(gateway) {
      const user = yield* gateway.user(START)
      gateway.upstream.on("first", (call) => call.json(body, status))
      gateway.upstream.on("second", well)
      assert.strictEqual((yield* ask(user, "pair", false)).status, 200)
      const alone = yield* ask(user, "alone", false)
      assert.deepStrictEqual([alone.status, errorOf(alone.text).code], [502, "upstream_error"])
      assert.notMatch(alone.text, /org-|credit|Billing/)
    })
  }

  test("a message at the top level of an error is kept", function*(gateway) {
    const user = yield* gateway.user(START)
    const message = "This model's maximum context length is 10 tokens"
    gateway.upstream.on(
      "first",
      (call) => call.json({ object: "error", message, type: "BadRequestError", code: 400 }, 400)
    )
    const answer = yield* ask(user, "alone", false)
    assert.deepStrictEqual([answer.status, errorOf(answer.text).message], [400, message])
  })

  const tooLong = "This model's maximum context length is 10 tokens"
  const event = (value: unknown) => Buffer.from(`data: ${JSON.stringify(value)}\n\n`)
  const said: ReadonlyArray<readonly [what: string, type: string, body: Buffer]> = [
    ["of vLLM", "application/json", Buffer.from(JSON.stringify({ object: "error", message: tooLong, code: 400 }))],
    ["in a list", "application/json", Buffer.from(JSON.stringify([{ error: { message: tooLong, code: 400 } }]))],
    ["of FastAPI, behind a mark", "application/json", Buffer.from(`\uFEFF${JSON.stringify({ detail: tooLong })}`)],
    [
      "that is called a stream",
      "text/event-stream",
      Buffer.from(JSON.stringify({ error: { message: tooLong } }, null, 2) + "\n\n")
    ],
    ["of Baidu, in an event", "text/event-stream", event({ error_code: 336007, error_msg: tooLong })],
    ["of MiniMax, in an event", "text/event-stream", event({ choices: null, base_resp: { status_msg: tooLong } })]
  ]
  for (const [what, type, body] of said) {
    test(`an error with status 200 ${what} keeps its message where it is the request's`, function*(gateway) {
      const user = yield* gateway.user(START)
      gateway.upstream.on("first", (call) => {
        call.response.writeHead(200, { "content-type": type })
        call.response.end(body)
      })
      const answer = yield* ask(user, "alone", true)
      assert.deepStrictEqual([answer.status, errorOf(answer.text).message], [400, tooLong])
      assert.strictEqual(yield* gateway.balanceOf(user), START)
    })
  }

  test("a Retry-After date becomes seconds", function*(gateway) {
    const user = yield* gateway.user(START)
    const until = DateTime.toDateUtc(DateTime.add(yield* DateTime.now, { seconds: 20 })).toUTCString()
    gateway.upstream.on("first", (call: UpstreamCall) => call.error(429, "slow down", { "retry-after": until }))
    const answer = yield* ask(user, "alone", false)
    assert.strictEqual(answer.status, 429)
    assert.include(["19", "20"], answer.headers["retry-after"])
  })

  test("without a limit the upstream is given what the context leaves", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("first", well)
    const answer = yield* ask(user, "full", false)
    const sent = Number(gateway.upstream.callsOf("first").at(-1)?.body["max_tokens"])
    assert.isBelow(sent, 65_536)
    assert.isAbove(sent, 65_000)
    assert.strictEqual(answer.headers["x-realms-output-limit"], String(sent))
    const long = yield* ask(user, "full", false, { messages: [{ role: "user", content: "word ".repeat(50_000) }] })
    assert.strictEqual(long.status, 200, long.text)
    assert.isBelow(Number(gateway.upstream.callsOf("first").at(-1)?.body["max_tokens"]), 16_000)
  })

  test("three parallel calls of a reasoning model on little money all run", function*(gateway) {
    const user = yield* gateway.user(150_000n)
    gateway.upstream.on("first", async (call) => {
      await pause(300)
      well(call)
    })
    const answers = yield* Effect.all([1, 2, 3].map(() => ask(user, "reasoner", false)), { concurrency: "unbounded" })
    assert.deepStrictEqual(answers.map(({ status }) => status), [200, 200, 200])
    assert.strictEqual(yield* gateway.balanceOf(user), 150_000n - 45n)
  })
})
