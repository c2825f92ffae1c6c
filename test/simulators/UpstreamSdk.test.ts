import { assert, describe } from "@effect/vitest"
import OpenAI, { AuthenticationError } from "openai"
import type { Upstream } from "../../simulators/upstream/UpstreamSimulator.ts"
import { withUpstream } from "./UpstreamProbe.ts"

const sdk = (upstream: Upstream, apiKey = "sk-up") => new OpenAI({ apiKey, baseURL: upstream.baseUrl, maxRetries: 0 })

describe("UpstreamSimulator with the OpenAI SDK", () => {
  withUpstream("answers a chat completion", { promptTokens: 9 }, async (upstream) => {
    const answer = await sdk(upstream).chat.completions.create({
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      max_tokens: 3,
      n: 2
    })
    assert.deepStrictEqual(answer.choices.map((choice) => [choice.message.content, choice.finish_reason]), [
      ["word word word", "length"],
      ["word word word", "length"]
    ])
    assert.deepStrictEqual([answer.usage?.prompt_tokens, answer.usage?.completion_tokens], [9, 6])
  })

  withUpstream("streams a chat completion", {}, async (upstream) => {
    const chunks = await sdk(upstream).chat.completions.create({
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
      stream_options: { include_usage: true }
    })
    let text = ""
    let usage: number | undefined
    for await (const chunk of chunks) {
      text += chunk.choices[0]?.delta.content ?? ""
      usage = chunk.usage?.completion_tokens
    }
    assert.strictEqual(text, "word" + " word".repeat(19))
    assert.strictEqual(usage, 20)
  })

  withUpstream("calls a tool, streamed and not", {}, async (upstream) => {
    const tools = [{ type: "function" as const, function: { name: "lookup", parameters: {} } }]
    const params = { model: "m", messages: [{ role: "user" as const, content: "[sim: tool]" }], tools }
    const calls = [
      (await sdk(upstream).chat.completions.create(params)).choices[0]?.message.tool_calls?.[0],
      (await sdk(upstream).chat.completions.stream(params).finalChatCompletion()).choices[0]?.message.tool_calls?.[0]
    ]
    for (const call of calls) {
      assert.deepStrictEqual(
        call?.type === "function" ? [call.function.name, JSON.parse(call.function.arguments)] : [],
        [
          "lookup",
          { city: "Paris" }
        ]
      )
    }
  })

  withUpstream("answers and streams responses", { promptTokens: 9 }, async (upstream) => {
    const answer = await sdk(upstream).responses.create({ model: "m", input: "hi", max_output_tokens: 2 })
    assert.deepStrictEqual([answer.output_text, answer.status, answer.usage?.output_tokens], [
      "word word",
      "incomplete",
      2
    ])
    const final = await sdk(upstream).responses.stream({ model: "m", input: "[sim: tokens=4 reasoning=6]" })
      .finalResponse()
    assert.deepStrictEqual([final.output_text, final.usage?.input_tokens, final.usage?.output_tokens], [
      "word word word word",
      9,
      10
    ])
    assert.deepStrictEqual(final.output.map((item) => item.type), ["reasoning", "message"])
    const tool = { type: "function" as const, name: "lookup", parameters: {}, strict: false }
    const called = await sdk(upstream).responses.stream({ model: "m", input: "[sim: tool]", tools: [tool] })
      .finalResponse()
    const [call] = called.output
    assert.deepStrictEqual(call?.type === "function_call" ? [call.name, JSON.parse(call.arguments)] : [], ["lookup", {
      city: "Paris"
    }])
  })

  withUpstream("replays its fixtures", {}, async (upstream) => {
    const text = async (fixture: string) =>
      (await sdk(upstream).chat.completions.stream({
        model: "m",
        messages: [{ role: "user", content: `[sim: fixture=${fixture}]` }]
      }).finalChatCompletion())
        .choices[0]?.message
    assert.strictEqual((await text("chat-text"))?.content, "The capital of France is Paris. 它在塞纳河畔。")
    assert.deepStrictEqual(
      (await text("chat-tool-call"))?.tool_calls?.map((call) =>
        call.type === "function" ? JSON.parse(call.function.arguments) : undefined
      ),
      [{ city: "Paris", unit: "celsius" }, { city: "Lyon" }]
    )
    const response = await sdk(upstream).responses.stream({ model: "m", input: "[sim: fixture=responses-text]" })
      .finalResponse()
    assert.strictEqual(response.output_text, "The capital of France is Paris. 它在塞纳河畔。")
  })

  withUpstream("lists its models and wants its key", { apiKey: "sk-up", models: ["a", "b"] }, async (upstream) => {
    const page = await sdk(upstream).models.list()
    assert.deepStrictEqual(page.data.map((model) => model.id), ["a", "b"])
    const refused = await sdk(upstream, "sk-wrong").models.list().then(() => undefined, (error: unknown) => error)
    assert.instanceOf(refused, AuthenticationError)
    assert.strictEqual(refused.code, "invalid_api_key")
  })
})
