/**
 * The official SDK as the client: both dialects, streamed and not, with tools. Every call is charged to the micro, its
 * receipt agrees, and refusals come as the SDK's own errors.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import OpenAI, { APIError } from "openai"
import { errorOf, send } from "../support/TestHttp.ts"
import { TestGateway, type TestUser } from "../support/TestGateway.ts"
import { chatUsage, chunk, completion } from "../support/TestUpstream.ts"

const START = 10_000_000n

const Gateway = TestGateway.layerOf((origin) => ({
  channels: [{
    name: "one",
    base_url: `${origin}/v1`,
    api_key: "upstream-secret",
    models: { priced: "up", idle: "idle" }
  }],
  models: [
    {
      id: "priced",
      input_usd_per_1m: "2.50",
      cached_input_usd_per_1m: "1.25",
      output_usd_per_1m: "10",
      max_output_tokens: 1000
    },
    { id: "idle", input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 1000 }
  ]
}))

/** At the prices above: what 100 tokens in, 40 of them cached, and 7 out cost. */
const USAGE = chatUsage(100, 7, 40)
const COST = (60n * 2_500_000n + 40n * 1_250_000n + 7n * 10_000_000n) / 1_000_000n

const messages = [{ role: "user" as const, content: "Say hello." }]
const tools = [{
  type: "function" as const,
  function: {
    name: "weather",
    description: "d",
    parameters: { type: "object", properties: { city: { type: "string" } } }
  }
}]

const Receipt = Schema.fromJsonString(Schema.Struct({
  request_id: Schema.String,
  state: Schema.String,
  endpoint: Schema.String,
  usage_source: Schema.NullOr(Schema.String),
  input_tokens: Schema.Number,
  cached_input_tokens: Schema.Number,
  output_tokens: Schema.Number,
  cost_micros: Schema.String,
  charged_micros: Schema.String,
  reserved_micros: Schema.String,
  input_micros_per_1m: Schema.String,
  output_micros_per_1m: Schema.String,
  channel: Schema.String,
  stream: Schema.Boolean
}))

const receiptOf = Effect.fnUntraced(function*(user: TestUser, requestId: string | null | undefined) {
  const { origin } = yield* TestGateway
  const answer = yield* send(`${origin}/v1/usage/${requestId}`, { key: user.key })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* Schema.decodeUnknownEffect(Receipt)(answer.text)
})

const setup = Effect.gen(function*() {
  const gateway = yield* TestGateway
  const user = yield* gateway.user(START)
  const client = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: user.key, maxRetries: 0 })
  return { gateway, user, client, upstream: gateway.upstream }
})

/** The balance moved by exactly the cost, and the receipt says so. */
const charged = Effect.fnUntraced(
  function*(user: TestUser, requestId: string | null | undefined, stream: boolean, endpoint: string) {
    const gateway = yield* TestGateway
    assert.strictEqual(yield* gateway.balanceOf(user), START - COST)
    const receipt = yield* receiptOf(user, requestId)
    assert.isAtLeast(Number(receipt.reserved_micros), Number(COST))
    assert.deepStrictEqual({ ...receipt, reserved_micros: "" }, {
      request_id: String(requestId),
      state: "committed",
      endpoint,
      usage_source: "upstream",
      input_tokens: 60,
      cached_input_tokens: 40,
      output_tokens: 7,
      cost_micros: COST.toString(),
      charged_micros: COST.toString(),
      reserved_micros: "",
      input_micros_per_1m: "2500000",
      output_micros_per_1m: "10000000",
      channel: "one",
      stream
    })
  }
)

/** What the SDK throws. */
const refusal = (call: () => PromiseLike<unknown>) =>
  Effect.gen(function*() {
    const error = yield* Effect.promise(() => Promise.resolve(call()).then(() => undefined, (cause: unknown) => cause))
    if (!(error instanceof APIError)) return yield* Effect.die(error)
    return error
  })

const collect = async <A>(stream: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of stream) all.push(item)
  return all
}

const response = (output: ReadonlyArray<unknown>, status = "completed", more: object = {}) => ({
  id: "resp_1",
  object: "response",
  created_at: 1_700_000_000,
  status,
  model: "up",
  output,
  tools: [],
  ...more
})

const responsesUsage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 40 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 107
}

const message = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text: "Hello you", annotations: [] }]
}

layer(Gateway, { excludeTestServices: true })("the OpenAI SDK", (it) => {
  it.effect("completes a chat, with a tool, charged to the micro", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      const call = {
        id: "call_1",
        type: "function" as const,
        function: { name: "weather", arguments: '{"city":"Ulm"}' }
      }
      upstream.on("up", (exchange) => {
        const { choices, ...rest } = completion("", USAGE)
        exchange.json({
          ...rest,
          choices: [{
            ...choices[0],
            message: { role: "assistant", content: null, tool_calls: [call] },
            finish_reason: "tool_calls"
          }]
        })
      })
      const { data, request_id, response: raw } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "priced", messages, tools, max_completion_tokens: 50 }).withResponse()
      )
      assert.deepStrictEqual(data.choices[0]?.message.tool_calls?.[0], call)
      assert.strictEqual(data.usage?.completion_tokens, 7)
      assert.strictEqual(raw.headers.get("x-realms-cost-micros"), COST.toString())
      yield* charged(user, request_id, false, "chat.completions")
      const sent = upstream.callsOf("up").at(-1)
      assert.strictEqual(sent?.authorization, "Bearer upstream-secret")
      assert.deepStrictEqual(sent?.body, { model: "up", messages, tools, max_completion_tokens: 50 })
    }))

  it.effect("streams a chat and keeps back the usage frame nobody asked for", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      upstream.on("up", (exchange) => exchange.chatStream(["Hel", "lo"], USAGE))
      const { data, request_id } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "priced", messages, stream: true }).withResponse()
      )
      const chunks = yield* Effect.promise(() => collect(data))
      assert.strictEqual(chunks.map((part) => part.choices[0]?.delta.content ?? "").join(""), "Hello")
      assert.isTrue(
        chunks.every((part) => part.choices.length === 1 && (part.usage === undefined || part.usage === null))
      )
      assert.deepStrictEqual(upstream.callsOf("up").at(-1)?.body["stream_options"], { include_usage: true })
      yield* charged(user, request_id, true, "chat.completions")
    }))

  it.effect("streams a chat with the usage frame when it is asked for", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      upstream.on("up", (exchange) => exchange.chatStream(["Hel", "lo"], USAGE))
      const { data, request_id } = yield* Effect.promise(() =>
        client.chat.completions.create({
          model: "priced",
          messages,
          stream: true,
          stream_options: { include_usage: true }
        }).withResponse()
      )
      const last = (yield* Effect.promise(() => collect(data))).at(-1)
      assert.deepStrictEqual(last?.choices, [])
      assert.strictEqual(last?.usage?.prompt_tokens, 100)
      yield* charged(user, request_id, true, "chat.completions")
    }))

  it.effect("streams a tool call of a chat", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      upstream.on("up", (exchange) => {
        const delta = (tool: object) => ({
          ...chunk(""),
          choices: [{ index: 0, delta: { tool_calls: [tool] }, finish_reason: null }]
        })
        exchange.frame(
          delta({ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } })
        )
        for (const part of ['{"city":', '"Ulm"}']) exchange.frame(delta({ index: 0, function: { arguments: part } }))
        exchange.frame(chunk("", "tool_calls"))
        exchange.frame({ ...chunk(""), choices: [], usage: USAGE })
        exchange.frame("[DONE]")
        exchange.response.end()
      })
      const { data, request_id } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "priced", messages, tools, stream: true }).withResponse()
      )
      const chunks = yield* Effect.promise(() => collect(data))
      const parts = chunks.map((part) => part.choices[0]?.delta.tool_calls?.[0]?.function?.arguments ?? "")
      assert.strictEqual(parts.join(""), '{"city":"Ulm"}')
      yield* charged(user, request_id, true, "chat.completions")
    }))

  it.effect("answers a response, with a tool call", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      const call = {
        type: "function_call",
        id: "fc_1",
        call_id: "call_1",
        name: "weather",
        arguments: "{}",
        status: "completed"
      }
      upstream.on("up", (exchange) => exchange.json(response([message, call], "completed", { usage: responsesUsage })))
      const tool = { type: "function" as const, name: "weather", strict: false, parameters: { type: "object" } }
      const { data, request_id } = yield* Effect.promise(() =>
        client.responses.create({ model: "priced", input: "Hi", tools: [tool], max_output_tokens: 60 }).withResponse()
      )
      assert.strictEqual(data.output_text, "Hello you")
      assert.strictEqual(data.output[1]?.type, "function_call")
      assert.strictEqual(upstream.callsOf("up").at(-1)?.path, "/v1/responses")
      yield* charged(user, request_id, false, "responses")
    }))

  it.effect("streams a response", () =>
    Effect.gen(function*() {
      const { client, upstream, user } = yield* setup
      upstream.on("up", (exchange) => {
        exchange.frame({ type: "response.created", sequence_number: 0, response: response([], "in_progress") })
        const delta = { type: "response.output_text.delta", item_id: "msg_1", output_index: 0, content_index: 0 }
        exchange.frame({ ...delta, sequence_number: 1, delta: "Hello " })
        exchange.frame({ ...delta, sequence_number: 2, delta: "you" })
        exchange.frame({
          type: "response.completed",
          sequence_number: 3,
          response: response([message], "completed", { usage: responsesUsage })
        })
        exchange.response.end()
      })
      const { data, request_id } = yield* Effect.promise(() =>
        client.responses.create({ model: "priced", input: "Hi", stream: true }).withResponse()
      )
      const events = yield* Effect.promise(() => collect(data))
      const text = events.flatMap((event) => event.type === "response.output_text.delta" ? [event.delta] : [])
      assert.strictEqual(text.join(""), "Hello you")
      const last = events.at(-1)
      assert.strictEqual(last?.type === "response.completed" ? last.response.usage?.output_tokens : -1, 7)
      assert.isUndefined(upstream.callsOf("up").at(-1)?.body["stream_options"])
      yield* charged(user, request_id, true, "responses")
    }))

  it.effect("lists models and finds one", () =>
    Effect.gen(function*() {
      const { client } = yield* setup
      const list = yield* Effect.promise(() => client.models.list())
      assert.deepStrictEqual(list.data.map((model) => model.id).toSorted(), ["idle", "priced"])
      assert.strictEqual((yield* Effect.promise(() => client.models.retrieve("priced"))).object, "model")
      const missing = yield* refusal(() => client.models.retrieve("none"))
      assert.deepStrictEqual([missing.status, missing.code], [404, "model_not_found"])
    }))

  it.effect("refuses with the errors the SDK knows, and charges nothing", () =>
    Effect.gen(function*() {
      const { client, gateway, upstream, user } = yield* setup
      const before = upstream.calls.length
      const poor = yield* gateway.user(100n)
      const other = (apiKey: string) => new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey, maxRetries: 0 })
      const table: ReadonlyArray<readonly [client: OpenAI, model: string, status: number, code: string, type: string]> =
        [
          [other("sk-unknown"), "priced", 401, "invalid_api_key", "invalid_request_error"],
          [client, "none", 404, "model_not_found", "invalid_request_error"],
          [other(poor.key), "priced", 402, "insufficient_quota", "insufficient_quota"]
        ]
      for (const [caller, model, status, code, type] of table) {
        for (const stream of [false, true]) {
          const error = yield* refusal(() =>
            caller.chat.completions.create({ model, messages, stream, max_tokens: 100 })
          )
          assert.deepStrictEqual([error.status, error.code, error.type], [status, code, type])
          assert.match(String(error.requestID), /^[0-9a-f-]{36}$/)
          assert.strictEqual(error.headers?.get("x-should-retry"), "false")
        }
      }
      const funds = yield* refusal(() =>
        other(poor.key).chat.completions.create({ model: "priced", messages, max_tokens: 100 })
      )
      assert.match(funds.message, /would hold \$0\.00\d+ at most, available is \$0\.0001/)
      assert.strictEqual(upstream.calls.length, before)
      assert.strictEqual(yield* gateway.balanceOf(user), START)
      assert.strictEqual(yield* gateway.balanceOf(poor), 100n)
    }))

  it.effect("shows a receipt to its own user only", () =>
    Effect.gen(function*() {
      const { client, gateway, upstream } = yield* setup
      const stranger = yield* gateway.user(0n)
      upstream.on("up", (exchange) => exchange.json(completion("hello", USAGE)))
      const { request_id } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "priced", messages }).withResponse()
      )
      const hidden = yield* send(`${gateway.origin}/v1/usage/${request_id}`, { key: stranger.key })
      assert.deepStrictEqual([hidden.status, errorOf(hidden.text).code], [404, "not_found"])
      yield* gateway.clean
    }))
})
