import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { request as httpRequest } from "node:http"
import { acquireUpstream, startUpstream } from "../../simulators/upstream/UpstreamSimulator.ts"
import { chat, meter, send, stream, withUpstream } from "./UpstreamProbe.ts"

describe("UpstreamSimulator", () => {
  it.each<[object, number, string | null]>([
    [chat("hi", { max_output_tokens: 3 }), 400, "max_output_tokens"],
    [chat("hi", { realms: true }), 400, "realms"],
    [chat("hi", { max_tokens: 1, max_completion_tokens: 1 }), 400, "max_tokens"],
    [chat("hi", { stream_options: { include_usage: true } }), 400, "stream_options"],
    [{ model: "m" }, 400, "messages"],
    [{ messages: [] }, 400, "model"],
    [chat("[sim: nonsense=1]"), 400, null]
  ])("refuses %j as OpenAI does", async (body, status, param) => {
    const upstream = await startUpstream()
    const answer = await send(upstream, "/v1/chat/completions", body)
    await upstream.close()
    assert.strictEqual(answer.status, status)
    assert.strictEqual(JSON.parse(answer.body.toString()).error.param, param)
  })

  withUpstream("knows no other path", {}, async (upstream) => {
    assert.strictEqual((await send(upstream, "/v1/embeddings", {})).status, 404)
  })

  withUpstream("sends usage where it is asked to", {}, async (upstream) => {
    const usageOf = async (usage: string, dialect: "chat" | "responses" = "chat") => {
      const body = dialect === "chat"
        ? chat(`[sim: promptTokens=10 usage=${usage}]`, stream)
        : { model: "m", input: `[sim: promptTokens=10 usage=${usage}]`, stream: true }
      const answer = await send(upstream, dialect === "chat" ? "/v1/chat/completions" : "/v1/responses", body)
      const seen = meter(answer.body, dialect)
      return [seen.usage, seen.kinds.includes("usage-only"), seen.deltas]
    }
    const none = [undefined, undefined, undefined]
    assert.deepStrictEqual(await usageOf("missing"), [none, false, 20])
    assert.deepStrictEqual(await usageOf("zero"), [[0, 0, 0], true, 20])
    assert.deepStrictEqual(await usageOf("negative"), [none, true, 20])
    assert.deepStrictEqual(await usageOf("huge"), [[1e15, 0, 1e15], true, 20])
    assert.deepStrictEqual(await usageOf("cachedTooBig"), [[10, 110, 20], true, 20])
    assert.deepStrictEqual(await usageOf("inLastChoice"), [[10, 0, 20], false, 20])
    assert.deepStrictEqual(await usageOf("everyFrame"), [[10, 0, 20], false, 20])
    assert.deepStrictEqual(await usageOf("missing", "responses"), [none, false, 20])
    assert.deepStrictEqual(await usageOf("cachedTooBig", "responses"), [[10, 110, 20], false, 20])
  })

  withUpstream("writes no usage frame unless asked", {}, async (upstream) => {
    const answer = await send(upstream, "/v1/chat/completions", chat("hi", { stream: true }))
    assert.notInclude(answer.body.toString(), "usage")
    assert.include(answer.body.toString(), "data: [DONE]")
  })

  withUpstream("ends lines and cuts writes as told", {}, async (upstream) => {
    for (const [eol, end] of [["lf", "\n"], ["crlf", "\r\n"], ["cr", "\r"]]) {
      const answer = await send(upstream, "/v1/chat/completions", chat(`[sim: eol=${eol} split=1 tokens=3]`, stream))
      const seen = meter(answer.body, "chat")
      assert.isTrue(answer.body.toString().endsWith(`[DONE]${end}${end}`))
      assert.deepStrictEqual([seen.deltas, seen.kinds.at(-1), seen.tail], [3, "terminal", 0])
    }
  })

  it.each<[string, number, string | undefined, string | undefined]>([
    ["status=429 retryAfter=2", 429, "2", "rate_limit_exceeded"],
    ["status=429 code=insufficient_quota", 429, undefined, "insufficient_quota"],
    ["status=401", 401, undefined, "invalid_api_key"],
    ["status=500", 500, undefined, undefined],
    ["status=418", 418, undefined, undefined]
  ])("refuses with %s", async (directive, status, retryAfter, code) => {
    const upstream = await startUpstream()
    const answers = [
      await send(upstream, "/v1/chat/completions", chat(`[sim: ${directive}]`, stream)),
      await send(upstream, "/v1/responses", { model: `m#${directive.replaceAll(" ", ",")}`, input: "hi" })
    ]
    await upstream.close()
    for (const answer of answers) {
      const { error } = JSON.parse(answer.body.toString())
      assert.deepStrictEqual([answer.status, answer.headers["retry-after"], error.code ?? undefined], [
        status,
        retryAfter,
        code
      ])
    }
  })

  withUpstream("fails with a good status", {}, async (upstream) => {
    const html = await send(upstream, "/v1/chat/completions", chat("[sim: html]", stream))
    assert.deepStrictEqual([html.status, html.headers["content-type"]], [200, "text/html"])
    const plain = await send(upstream, "/v1/chat/completions", chat("[sim: error200]"))
    assert.deepStrictEqual([plain.status, "error" in JSON.parse(plain.body.toString())], [200, true])
    const streamed = await send(upstream, "/v1/chat/completions", chat("[sim: error200]", stream))
    assert.deepStrictEqual(meter(streamed.body, "chat").kinds, ["error"])
    const late = await send(upstream, "/v1/responses", { model: "m", input: "[sim: errorAfter=7]", stream: true })
    assert.deepStrictEqual(meter(late.body, "responses").kinds.slice(-2), ["delta", "error"])
  })

  withUpstream("cuts the connection", {}, async (upstream) => {
    const streamed = await send(upstream, "/v1/chat/completions", chat("[sim: cutAfter=5]", stream))
    assert.deepStrictEqual([streamed.cut, meter(streamed.body, "chat").deltas], [true, 4])
    const plain = await send(upstream, "/v1/chat/completions", chat("[sim: cutAfter=1]"))
    assert.deepStrictEqual([plain.status, plain.cut, plain.body.length > 0], [200, true, true])
    assert.strictEqual((await send(upstream, "/v1/chat/completions", chat("[sim: reset]"))).status, 0)
    assert.deepStrictEqual(upstream.requests.map((request) => request.aborted), [false, false, false])
  })

  withUpstream("ends without the terminal frame", {}, async (upstream) => {
    const ended = await send(upstream, "/v1/chat/completions", chat("[sim: noDone]", stream))
    assert.deepStrictEqual([ended.cut, meter(ended.body, "chat").kinds.at(-1)], [false, "usage-only"])
    const response = await send(upstream, "/v1/responses", { model: "m", input: "[sim: noDone]", stream: true })
    assert.notInclude(meter(response.body, "responses").kinds, "terminal")
  })

  withUpstream("ignores limits and sends big frames", {}, async (upstream) => {
    const answer = await send(
      upstream,
      "/v1/chat/completions",
      chat("[sim: ignoreLimit tokens=9]", { ...stream, max_tokens: 2 })
    )
    assert.strictEqual(meter(answer.body, "chat").deltas, 9)
    const big = await send(upstream, "/v1/chat/completions", chat("[sim: bigFrame=300000]", stream))
    assert.isAbove(big.body.length, 300_000)
    assert.strictEqual(meter(big.body, "chat").deltas, 21)
  })

  withUpstream("holds answers at a gate", {}, async (upstream) => {
    const answers = Array.from({ length: 3 }, () => send(upstream, "/v1/chat/completions", chat("[sim: gate=g]")))
    await upstream.until(() => upstream.waiting("g") === 3)
    assert.deepStrictEqual(upstream.requests.map((request) => request.ended), [false, false, false])
    upstream.open("g")
    assert.deepStrictEqual((await Promise.all(answers)).map((answer) => answer.status), [200, 200, 200])
    assert.strictEqual(upstream.waiting("g"), 0)
    assert.strictEqual((await send(upstream, "/v1/chat/completions", chat("[sim: gate=g]"))).status, 200)
  })

  withUpstream("sees that a client left, at a gate, in a stream and while it hangs", {}, async (upstream) => {
    for (
      const directive of [
        "gate=g",
        "gate=h gateAfter=3",
        "hang",
        "frameDelay=5 tokens=100000",
        "tokens=10000000",
        "delay=600000"
      ]
    ) {
      const before = upstream.requests.length
      const sent = httpRequest(`${upstream.url}/v1/chat/completions`, { method: "POST" })
      sent.on("error", () => undefined)
      sent.on("response", (response) => response.on("error", () => undefined))
      sent.end(JSON.stringify(chat(`[sim: ${directive}]`, stream)))
      await upstream.until(() => upstream.requests.length > before)
      const request = upstream.requests[before]
      if (/gateAfter|tokens/.test(directive)) await upstream.until(() => (request?.framesSent ?? 0) >= 3)
      sent.destroy()
      await request?.closed
      assert.deepStrictEqual([directive, request?.aborted], [directive, true])
    }
    assert.strictEqual(upstream.waiting("g") + upstream.waiting("h"), 0)
  })

  withUpstream("follows rules for the next request, for a model, for all", { answerTokens: 2 }, async (upstream) => {
    const status = async (model: string) =>
      (await send(upstream, "/v1/chat/completions", { ...chat("hi"), model })).status
    upstream.always({ model: "bad", status: 500 })
    upstream.next({ status: 429 })
    upstream.next({ model: "bad", status: 503 })
    assert.deepStrictEqual([await status("good"), await status("bad"), await status("bad"), await status("good")], [
      429,
      503,
      500,
      200
    ])
    upstream.reset()
    assert.strictEqual(await status("bad"), 200)
  })

  withUpstream("is steered from another process", {}, async (upstream) => {
    const post = async (path: string, body: object) => JSON.parse((await send(upstream, path, body)).body.toString())
    await post("/_sim/next", { directive: "gate=g", model: "m" })
    const held = send(upstream, "/v1/chat/completions", { ...chat("hi"), model: "m" })
    await upstream.until(() => upstream.waiting("g") === 1)
    const state = await send(upstream, "/_sim/state")
    assert.deepStrictEqual(JSON.parse(state.body.toString()), { seen: 1, active: 1, aborted: 0, waiting: { g: 1 } })
    await post("/_sim/open", { name: "g" })
    assert.strictEqual((await held).status, 200)
    assert.strictEqual((await send(upstream, "/_sim/next", { directive: "nonsense" })).status, 400)
    const [request] = JSON.parse((await send(upstream, "/_sim/requests")).body.toString())
    assert.deepStrictEqual([request.status, request.json.model], [200, "m"])
  })

  withUpstream("records what it was sent", { apiKey: "sk-up" }, async (upstream) => {
    await send(upstream, "/v1/chat/completions", chat("hi", stream), { authorization: "Bearer sk-up" })
    const [request] = upstream.requests
    assert.deepStrictEqual(
      [
        request?.path,
        request?.headers.authorization,
        request?.json,
        request?.framesSent,
        request?.tokensSent,
        request?.aborted
      ],
      ["/v1/chat/completions", "Bearer sk-up", chat("hi", stream), 24, 20, false]
    )
    assert.strictEqual(request?.body.toString(), JSON.stringify(chat("hi", stream)))
  })

  withUpstream("keeps no record for load tests", { record: false }, async (upstream) => {
    await send(upstream, "/v1/chat/completions", chat("hi"))
    assert.deepStrictEqual([upstream.requests.length, upstream.seen()], [0, 1])
  })

  it.live("fails when its port is taken", () =>
    Effect.gen(function*() {
      const upstream = yield* acquireUpstream()
      const error = yield* Effect.scoped(acquireUpstream({ port: upstream.port })).pipe(Effect.flip)
      assert.strictEqual(error._tag, "SimulatorNotStarted")
    }))
})

describe("the fixtures", () => {
  const expected: {
    readonly [name: string]: readonly [last: string, outputTokens: number | undefined, deltas: number]
  } = {
    "chat-comments-then-error": ["terminal", undefined, 5],
    "chat-reasoning": ["terminal", 17, 16],
    "chat-text": ["terminal", 14, 13],
    "chat-tool-call": ["terminal", 43, 19],
    "chat-usage-cumulative": ["terminal", 8, 7],
    "chat-usage-last-choice": ["terminal", 8, 7],
    "responses-error": ["error", undefined, 4],
    "responses-failed": ["error", undefined, 4],
    "responses-function-call": ["terminal", 19, 12],
    "responses-incomplete": ["terminal", 6, 6],
    "responses-reasoning": ["terminal", 200, 7],
    "responses-text": ["terminal", 14, 13]
  }
  const folder = new URL("../../simulators/upstream/fixtures/", import.meta.url)

  it("are all looked at", () => {
    assert.deepStrictEqual(readdirSync(folder).map((file) => file.replace(/\.\w+$/, "")).sort(), Object.keys(expected))
  })

  for (const [name, [last, outputTokens, deltas]] of Object.entries(expected)) {
    withUpstream(`are read by the gateway's meter: ${name}`, {}, async (upstream) => {
      const dialect = name.startsWith("chat") ? "chat" : "responses"
      const text = `[sim: fixture=${name} split=7]`
      const body = dialect === "chat" ? chat(text, stream) : { model: "m", input: text, stream: true }
      const answer = await send(upstream, dialect === "chat" ? "/v1/chat/completions" : "/v1/responses", body)
      const seen = meter(answer.body, dialect)
      assert.deepStrictEqual([seen.kinds.at(-1), seen.usage[2], seen.deltas, seen.tail], [
        last,
        outputTokens,
        deltas,
        0
      ])
      if (name.includes("then-error")) assert.include(seen.kinds, "error")
    })
  }
})
