/**
 * Inputs from the field that failed: streams that fail before any output, output in shapes that nobody expected, and usage as
 * providers really write it. Each with its right charge, to the micro.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { errorOf, OpenAnswer, send } from "../support/TestHttp.ts"
import { gatewayTests, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion, type UpstreamCall, type UpstreamScript } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 1_000_000n

const dear = {
  input_usd_per_1m: "3",
  cached_input_usd_per_1m: "0.3",
  cache_write_usd_per_1m: "3.75",
  output_usd_per_1m: "15"
}
const plain = { input_usd_per_1m: "1", output_usd_per_1m: "10" }
const length = { max_output_tokens: 20_000, context_tokens: 200_000 }

/** `pair` is served by two channels, `alone` by the first of them; `reasoner` reasons unseen. */
const Gateway = TestGateway.layerOf((origin) => {
  const channel = { base_url: `${origin}/v1`, api_key: "x" }
  return {
    billing: { drain_seconds: 2 },
    channels: [
      {
        ...channel,
        name: "first",
        priority: 2,
        models: { pair: "first", alone: "first", plain: "first", reasoner: "first" }
      },
      { ...channel, name: "second", priority: 1, models: { pair: "second" } }
    ],
    models: [
      { id: "pair", ...dear, ...length },
      { id: "alone", ...dear, ...length },
      { id: "plain", ...plain, ...length },
      { id: "reasoner", ...plain, ...length, reasoning: true, default_output_tokens: 8_000 }
    ]
  }
})

const prompt = "word ".repeat(2_000)
const chatBody = (model: string, more: object = {}) => ({
  model,
  stream: true,
  messages: [{ role: "user", content: prompt }],
  ...more
})

const raw = (text: string, end: "end" | "cut" = "end"): UpstreamScript => (call) => {
  call.response.writeHead(200, { "content-type": "text/event-stream" })
  call.response.write(text, () => end === "cut" ? call.response.destroy() : call.response.end())
}

const data = (...frames: ReadonlyArray<unknown>): string =>
  frames.map((frame) => `data: ${typeof frame === "string" ? frame : JSON.stringify(frame)}\n\n`).join("")

const failedResponse = data(
  { type: "response.created", sequence_number: 0, response: { id: "resp_1", status: "in_progress" } },
  {
    type: "response.failed",
    sequence_number: 1,
    response: {
      id: "resp_1",
      status: "failed",
      error: { code: "server_error", message: "The server of organization org-abcdef12 had an error" },
      usage: null
    }
  }
)

const silentFailures: ReadonlyArray<readonly [what: string, script: UpstreamScript, responses?: boolean]> = [
  [
    "an error behind a comment",
    raw(
      ": OPENROUTER PROCESSING\n\n" +
        data({
          error: { code: 502, message: "x" },
          choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }]
        })
    )
  ],
  ["a role, then a cut", raw(data(chunk("", null, { choices: [{ index: 0, delta: { role: "assistant" } }] })), "cut")],
  ["response.failed without output", raw(failedResponse), true],
  [
    "an end without resources (DeepSeek)",
    raw(
      data(chunk(""), chunk("", "insufficient_system_resource"), { choices: [], usage: chatUsage(2_000, 0) }, "[DONE]")
    )
  ],
  ["[DONE] alone", raw(data("[DONE]"))],
  ["frames of nothing, and an end", raw(data(chunk("")))],
  ["an error event without a body of its own", raw('event: error\ndata: {"message":"x"}\n\n')],
  ["a status and a message in words", raw(data({ status: "error", message: "Internal error" }))],
  [
    "the frames of another API (Anthropic)",
    raw(
      data({ type: "message_start", message: { id: "m", role: "assistant", model: "claude", content: [] } }) +
        "event: error\n" + data({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } })
    )
  ],
  ["words beside an error", raw(data({ ...chunk("Sorry, that failed."), error: { message: "x" } }))],
  ["an error event that is named behind its data", raw('data: {"message":"x"}\nevent: error\n\n')],
  ["an exception (Amazon)", raw('event: internalServerException\ndata: {"message":"x"}\n\n')],
  ["a message without success", raw(data({ success: false, message: "Internal error" }, "[DONE]"))],
  ["a message without a type", raw(data({ message: "Internal error", code: 500 })), true],
  ["an error event behind its id (DashScope)", raw('id:1\nevent:error\n:HTTP_STATUS/500\ndata:{"message":"x"}\n\n')]
]

gatewayTests(Gateway)("a stream that fails before any output", (test) => {
  for (const [what, script, responses = false] of silentFailures) {
    const path = responses ? "/v1/responses" : "/v1/chat/completions"
    const body = (model: string) => responses ? { model, stream: true, input: prompt } : chatBody(model)
    const well: UpstreamScript = (call) =>
      responses
        ? raw(data(
          { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "hello", sequence_number: 0 },
          {
            type: "response.completed",
            sequence_number: 1,
            response: {
              id: "resp_2",
              status: "completed",
              output: [],
              usage: { input_tokens: 2_000, output_tokens: 1 }
            }
          }
        ))(call)
        : call.chatStream(["hello"], chatUsage(2_000, 1))
    test(
      `${what}: goes to the next channel, and costs nothing where there is none`,
      function*({ upstream, ...gateway }) {
        const user = yield* gateway.user(START)
        upstream.on("first", script)
        upstream.on("second", well)
        const answer = yield* send(`${gateway.origin}${path}`, { key: user.key, body: body("pair") })
        assert.strictEqual(answer.status, 200, answer.text)
        assert.include(answer.text, "hello")
        assert.notInclude(answer.text, "org-")
        const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
        assert.deepStrictEqual([row.channel, row.charged_micros], ["second", 6_015n])
        const before = yield* gateway.balanceOf(user)
        const alone = yield* send(`${gateway.origin}${path}`, { key: user.key, body: body("alone") })
        assert.deepStrictEqual([alone.status, errorOf(alone.text).code], [502, "upstream_error"], alone.text)
        assert.notInclude(alone.text, "org-")
        assert.strictEqual((yield* gateway.rowOf(String(alone.headers["x-request-id"]))).state, "voided")
        assert.strictEqual(yield* gateway.balanceOf(user), before)
      }
    )
  }
})

const short = { messages: [{ role: "user", content: "Hi" }] }

interface UsageRow {
  readonly what: string
  readonly usage: unknown
  readonly charged: bigint
  readonly model?: string
  readonly more?: object
  readonly flagged?: boolean
  readonly source?: "estimated"
}

const reported: ReadonlyArray<UsageRow> = [
  {
    what: "reasoning beside the completion (xAI)",
    usage: {
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 135,
      completion_tokens_details: { reasoning_tokens: 94 }
    },
    more: short,
    charged: 1_641n
  },
  {
    what: "cached tokens at the top level (Kimi)",
    usage: { prompt_tokens: 1_900, completion_tokens: 13, cached_tokens: 1_200 },
    charged: 2_655n
  },
  {
    what: "a prompt of zero beside its total",
    usage: { prompt_tokens: 0, completion_tokens: 5, total_tokens: 2_005 },
    charged: 6_075n
  },
  {
    what: "a prompt of one beside its total",
    usage: { prompt_tokens: 1, completion_tokens: 5, total_tokens: 2_005 },
    charged: 6_075n
  },
  {
    what: "an impossible completion",
    usage: { prompt_tokens: 32, completion_tokens: 1e300 },
    model: "plain",
    more: short,
    charged: 32n + 200_000n,
    flagged: true
  },
  {
    what: "an impossible prompt",
    usage: { prompt_tokens: 1e300, completion_tokens: 2 },
    model: "plain",
    more: short,
    // "user" and "Hi", the message's overhead, and the model's 1,024.
    charged: 1_046n + 20n,
    flagged: true
  },
  {
    what: "more than the limit",
    usage: { prompt_tokens: 5, completion_tokens: 3_000 },
    model: "plain",
    more: { max_tokens: 100, ...short },
    charged: 1_005n,
    flagged: true
  }
]

const sendChat = Effect.fnUntraced(function*(user: Pick<TestUser, "key">, body: object) {
  const gateway = yield* TestGateway
  const answer = yield* send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* gateway.rowOf(String(answer.headers["x-request-id"]))
})

gatewayTests(Gateway)("usage as providers write it", (test) => {
  for (const { charged, flagged = false, model = "alone", more = {}, usage, what } of reported) {
    for (const stream of [true, false]) {
      test(`${what}, ${stream ? "streamed" : "in JSON"}`, function*(gateway) {
        const user = yield* gateway.user(START)
        gateway.upstream.on(
          "first",
          (call) => stream ? call.chatStream(["hello"], usage) : call.json(completion("hello", usage))
        )
        const row = yield* sendChat(user, { ...chatBody(model), ...more, stream })
        assert.deepStrictEqual([row.charged_micros, row.usage_source, row.usage_flagged], [
          charged,
          "upstream",
          flagged
        ])
        assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
      })
    }
  }

  test("a total beside zeros is no output", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on(
      "first",
      (call) => call.chatStream(["hello"], { prompt_tokens: 0, completion_tokens: 0, total_tokens: 2_005 })
    )
    const row = yield* sendChat(user, chatBody("alone"))
    assert.deepStrictEqual([row.usage_source, row.usage_flagged, row.output_tokens], ["estimated", false, 1n])
    assert.approximately(Number(row.input_tokens), 2_000, 20)
  })

  for (const usage of ["abc", {}, { prompt_tokens: -5, completion_tokens: -5 }]) {
    test(`${JSON.stringify(usage)} is estimated`, function*(gateway) {
      const user = yield* gateway.user(START)
      gateway.upstream.on("first", (call) => call.chatStream(["hello ".repeat(50)], usage))
      const row = yield* sendChat(user, chatBody("plain"))
      assert.strictEqual(row.usage_source, "estimated")
      assert.approximately(Number(row.output_tokens), 51, 3)
      assert.approximately(Number(row.input_tokens), 2_000, 20)
    })
  }

  test("a second frame with zeros changes nothing, nor does one behind [DONE]", function*(gateway) {
    const user = yield* gateway.user(START)
    const only = (usage: object) => ({ ...chunk(""), choices: [], usage })
    gateway.upstream.on(
      "first",
      raw(
        data(
          chunk("hello"),
          chunk("", "stop"),
          only(chatUsage(1_000, 10)),
          only(chatUsage(0, 0)),
          "[DONE]",
          only(chatUsage(1_000, 12))
        )
      )
    )
    const row = yield* sendChat(user, chatBody("plain"))
    assert.deepStrictEqual([row.charged_micros, row.usage_source], [1_120n, "upstream"])
  })
})

const thinking = (text: string) => ({
  choices: [{ index: 0, delta: { content: [{ type: "thinking", thinking: [{ type: "text", text }] }] } }]
})

/** Reads until the text has been seen, then leaves. */
const leaveAfter = Effect.fnUntraced(function*(user: TestUser, body: object, seen: string) {
  const gateway = yield* TestGateway
  const answer = new OpenAnswer(`${gateway.origin}/v1/chat/completions`, { key: user.key, method: "POST" })
  answer.end(body)
  yield* until(`${seen.slice(0, 20)} was read`, () => answer.text.includes(seen))
  answer.cut()
  yield* gateway.settled
  return yield* gateway.rowOf(answer.requestId)
})

gatewayTests(Gateway)("output in unexpected shapes", (test) => {
  test("is charged where frames are wrapped", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("first", (call) => {
      for (let index = 0; index < 50; index++) call.frame({ code: 0, data: chunk("hello ") })
      call.frame({ code: 0, data: chunk("", "stop") })
      call.response.end()
    })
    const row = yield* sendChat(user, chatBody("plain"))
    assert.deepStrictEqual([row.reason, row.usage_source], [null, "estimated"])
    assert.approximately(Number(row.output_tokens), 51, 3)
  })

  test("is counted as it passes, and cut at the hold", function*(gateway) {
    const user = yield* gateway.user(70_000n)
    gateway.upstream.on("first", async (call: UpstreamCall) => {
      for (let index = 0; index < 2_000 && !call.isClosed; index++) call.frame(thinking(" a b c"))
      call.response.end(data("[DONE]"))
    })
    const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
      key: user.key,
      body: { ...chatBody("alone"), ...short }
    })
    const delivered = answer.text.split(" a b c").length - 1
    const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
    assert.include(answer.text, "insufficient_quota")
    assert.isBelow(delivered, 2_000)
    assert.isAtLeast(Number(row.output_tokens), delivered * 2.5)
    assert.isAtMost(Number(row.charged_micros), 70_000)
    assert.strictEqual(yield* gateway.balanceOf(user), 70_000n - (row.charged_micros ?? 0n))
  })

  test("every part of a long answer is in the estimate of a client that left", function*(gateway) {
    const user = yield* gateway.user(5_000_000n)
    const dashes = "-".repeat(330)
    const prose = "The quick brown fox jumps over the lazy dog. "
    const pieces = [...Array.from({ length: 100 }, () => dashes), ...Array.from({ length: 1_500 }, () => prose)]
    gateway.upstream.on("first", (call) => {
      for (const piece of pieces) call.frame(chunk(piece))
      call.frame(chunk("THE END"))
    })
    const row = yield* leaveAfter(user, { ...chatBody("plain"), ...short, max_tokens: 20_000 }, "THE END")
    // Prose alone has ten tokens a sentence; the dashes have a few hundred in all.
    assert.isAtLeast(Number(row.output_tokens), 13_500)
    assert.strictEqual(row.usage_source, "estimated")
  })

  test(
    "a reasoning model whose client leaves at the last word is charged exactly, when its usage comes in time",
    function*(gateway) {
      const user = yield* gateway.user(START)
      gateway.upstream.on("first", async (call) => {
        call.frame(chunk("ten visible words"))
        await new Promise<void>((resolve) => setTimeout(resolve, 300))
        call.chatStream([], chatUsage(20, 6_000))
      })
      const row = yield* leaveAfter(user, { ...chatBody("reasoner"), ...short }, "visible words")
      assert.deepStrictEqual([row.charged_micros, row.usage_source, row.reason], [60_020n, "upstream", "client_gone"])
    }
  )

  test("else between its visible cost and its hold", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("first", (call) => call.frame(chunk("ten visible words")))
    const row = yield* leaveAfter(user, { ...chatBody("reasoner"), ...short }, "visible words")
    assert.strictEqual(row.usage_source, "estimated")
    // Two seconds of reading on, at a hundred tokens a second.
    assert.isAtLeast(Number(row.output_tokens), 190)
    assert.isAtMost(Number(row.charged_micros), Number(row.reserved_micros))
  })
})
