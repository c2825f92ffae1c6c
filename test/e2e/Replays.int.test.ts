/**
 * The recorded-looking streams of the upstream simulator, sent through the gateway: the client gets the upstream's own
 * bytes in the order of its events, and each is charged to the micro by what it reports, or by what was seen of it.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import OpenAI, { APIError } from "openai"
import { acquireUpstream, type Upstream } from "../../simulators/upstream/UpstreamSimulator.ts"
import { inGateway, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"

const START = 1_000_000n

class Simulator extends Context.Service<Simulator, Upstream>()("realms/test/e2e/Replays.int.test/Simulator") {}

/** The same model twice: as one whose every token is seen, and as one that reasons unseen. */
const Gateway = Layer.unwrap(Effect.gen(function*() {
  const { baseUrl } = yield* Simulator
  const price = { input_usd_per_1m: "2", cached_input_usd_per_1m: "1", output_usd_per_1m: "8", max_output_tokens: 500 }
  return TestGateway.layerOf(() => ({
    channels: [{
      name: "sim",
      base_url: baseUrl,
      api_key: "sk-up",
      unknown_fields: "forward",
      models: { plain: "m", reasoner: "m" }
    }],
    // What a reasoner hides is estimated by its time: a second that a slow machine takes is one token.
    models: [{ ...price, id: "plain" }, { ...price, id: "reasoner", reasoning: true, output_tokens_per_second: 1 }]
  }))
})).pipe(Layer.provideMerge(Layer.effect(Simulator, acquireUpstream({ apiKey: "sk-up" }))))

type Dialect = "chat" | "responses"

const request = (dialect: Dialect, model: string, directive: string, more: object = {}) => {
  const text = `[sim: ${directive}]`
  const input = dialect === "chat" ? { messages: [{ role: "user", content: text }] } : { input: text }
  return {
    path: dialect === "chat" ? "/v1/chat/completions" : "/v1/responses",
    body: { model, stream: true, ...input, ...more }
  }
}

type Row = readonly [
  fixture: string,
  /** Input, cached input, output; or about how much output, where nothing is reported. */
  usage: readonly [number, number, number] | number,
  last: string
]

const table: ReadonlyArray<Row> = [
  ["chat-text", [24, 0, 14], "[DONE]"],
  ["chat-tool-call", [81, 0, 43], "[DONE]"],
  ["chat-reasoning", [8, 16, 17], "[DONE]"],
  ["chat-usage-last-choice", [24, 0, 8], "[DONE]"],
  ["chat-usage-cumulative", [24, 0, 8], "[DONE]"],
  ["chat-comments-then-error", 5, "server_is_overloaded"],
  ["responses-text", [24, 0, 14], "response.completed"],
  ["responses-function-call", [63, 0, 19], "response.completed"],
  ["responses-reasoning", [24, 0, 200], "response.completed"],
  ["responses-incomplete", [24, 0, 6], "response.incomplete"],
  ["responses-failed", 4, "server_is_overloaded"],
  ["responses-error", 4, "server_is_overloaded"]
]

const eventsOf = (text: string) => text.split("\n\n").filter((event) => event !== "")

const isUsageOnly = (event: string) => event.includes('"choices":[],"usage":')

layer(Gateway, { excludeTestServices: true })("replayed streams", (it) => {
  const test = inGateway(it)

  for (const [fixture, usage, last] of table) {
    for (const model of ["plain", "reasoner"]) {
      it.effect(`${fixture}, of a model that is ${model}`, () =>
        Effect.gen(function*() {
          const simulator = yield* Simulator
          const gateway = yield* TestGateway
          const user = yield* gateway.user(START)
          const dialect = fixture.startsWith("chat") ? "chat" : "responses"
          const { body, path } = request(dialect, model, `fixture=${fixture} split=5`)
          const upstream = yield* send(`${simulator.url}${path}`, { key: "sk-up", body: { ...body, model: "m" } })
          const answer = yield* send(`${gateway.origin}${path}`, { key: user.key, body })
          assert.strictEqual(answer.status, 200, answer.text)
          const events = eventsOf(upstream.text).filter((event) => !isUsageOnly(event))
          const firstData = events.findIndex((event) => !event.startsWith(":"))
          // An upstream's comments are not passed on before there is output.
          const sent = events.slice(firstData)
          const got = eventsOf(answer.text)
          const end = got.at(-1) ?? ""
          if (last === "server_is_overloaded") {
            // Up to the upstream's error; its own words stay inside.
            const errorAt = sent.findIndex((event) =>
              /"error": ?\{|"type":"error"|"type":"response.failed"/.test(event)
            )
            assert.isAbove(errorAt, 3)
            const own = got.slice(dialect === "chat" ? -1 : -2)
            assert.deepStrictEqual(got.slice(0, -own.length), sent.slice(0, errorAt))
            const [data = "", failed = ""] = own.map((event) => event.slice(event.indexOf("data: ") + "data: ".length))
            if (dialect === "chat") assert.strictEqual(errorOf(data).code, "server_is_overloaded")
            else {
              assert.deepInclude(JSON.parse(data), { type: "error", code: "server_is_overloaded" })
              assert.deepInclude(JSON.parse(failed), { type: "response.failed" })
            }
            assert.notMatch(end, /Provider returned|while processing your request/)
          } else {
            assert.deepStrictEqual(got, sent)
            assert.include(end, last)
          }
          const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
          assert.strictEqual(row.state, "committed")
          const tokens = [row.input_tokens, row.cached_input_tokens, row.output_tokens].map(Number)
          if (typeof usage === "number") {
            assert.strictEqual(row.usage_source, "estimated")
            assert.approximately(tokens[2] ?? 0, usage, 1)
          } else {
            assert.deepStrictEqual([row.usage_source, ...tokens], ["upstream", ...usage])
          }
          const [input = 0, cached = 0, output = 0] = tokens
          assert.strictEqual(row.charged_micros, BigInt(input * 2 + cached + output * 8))
          assert.strictEqual(yield* gateway.balanceOf(user), START - (row.charged_micros ?? 0n))
          yield* gateway.clean
        }))
    }
  }

  it.effect("the SDK puts them together", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      const sdk = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: user.key, maxRetries: 0 })
      const said = (fixture: string) =>
        Effect.promise(async () => {
          const content = `[sim: fixture=${fixture}]`
          if (!fixture.startsWith("chat")) {
            return await sdk.responses.stream({ model: "plain", input: content }).finalResponse()
          }
          const stream = sdk.chat.completions.stream({ model: "plain", messages: [{ role: "user", content }] })
          return (await stream.finalChatCompletion()).choices[0]?.message
        })
      assert.deepInclude(yield* said("chat-text"), { content: "The capital of France is Paris. 它在塞纳河畔。" })
      assert.deepInclude(yield* said("responses-text"), {
        output_text: "The capital of France is Paris. 它在塞纳河畔。"
      })
      assert.deepInclude(yield* said("responses-incomplete"), { status: "incomplete" })
      const calls = yield* said("chat-tool-call")
      assert.lengthOf(calls !== undefined && "tool_calls" in calls ? calls.tool_calls ?? [] : [], 2)
      const called = yield* said("responses-function-call")
      assert.deepStrictEqual(called !== undefined && "output" in called ? called.output.map(({ type }) => type) : [], [
        "function_call"
      ])
      yield* gateway.clean
      assert.strictEqual(
        yield* gateway.balanceOf(user),
        START - BigInt(24 + 24 + 24 + 81 + 63) * 2n - BigInt(14 + 14 + 6 + 43 + 19) * 8n
      )
    }))

  test("what the upstream does not know is refused in its words, and costs nothing", function*(gateway) {
    const user = yield* gateway.user(START)
    const sdk = new OpenAI({ baseURL: `${gateway.origin}/v1`, apiKey: user.key, maxRetries: 0 })
    for (const dialect of ["chat", "responses"] as const) {
      const { body, path } = request(dialect, "plain", "", { temprature: 1 })
      const error = yield* Effect.promise(() =>
        sdk.post(path.slice("/v1".length), { body }).then(() => undefined, (cause: unknown) => cause)
      )
      if (!(error instanceof APIError)) return yield* Effect.die(error)
      assert.deepStrictEqual([error.status, error.param, error.code], [400, "temprature", "unknown_parameter"])
    }
    assert.deepStrictEqual((yield* gateway.callsOf(user)).map(({ state }) => state), ["voided", "voided"])
    assert.strictEqual(yield* gateway.balanceOf(user), START)
  })
})
