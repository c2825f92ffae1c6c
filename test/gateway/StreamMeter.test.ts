import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import type { Dialect } from "../../src/gateway/CallRequest.ts"
import { estimateFromBody, SAMPLE_BYTES_MAX, StreamMeter } from "../../src/gateway/StreamMeter.ts"
import { countTokens } from "../../src/gateway/TextTokens.ts"

const frame = (data: unknown) => {
  const bytes = Buffer.from(typeof data === "string" ? data : JSON.stringify(data))
  return { raw: bytes, data: bytes }
}
const chunk = (delta: object, extra?: object) => ({
  id: "c",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...extra
})
const usage = { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 3 } }
const observe = (dialect: Dialect, ...data: ReadonlyArray<unknown>) => {
  const meter = new StreamMeter(dialect)
  return { meter, seen: data.map((one) => meter.observe(frame(one))) }
}
const text = (delta: string, type = "response.output_text.delta") => ({ type, delta, obfuscation: "xxxxxxxxxxxx" })

describe("StreamMeter on chat completions", () => {
  it.each<[string, unknown, string, number]>([
    ["role", chunk({ role: "assistant", content: "" }), "other", 0],
    ["a token", chunk({ content: "a" }), "delta", 1],
    ["text", chunk({ content: "Hello, world" }), "delta", 4],
    ["text in bytes, not characters", chunk({ content: "漢字漢字" }), "delta", 4],
    ["reasoning_content", chunk({ reasoning_content: "hmm" }), "delta", 1],
    ["reasoning under two names", chunk({ reasoning: "hmmhmm", reasoning_content: "hmmhmm" }), "delta", 2],
    ["reasoning and content", chunk({ reasoning: "hmm", content: "hmm" }), "delta", 2],
    ["refusal", chunk({ refusal: "No." }), "delta", 1],
    ["tool arguments", chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }), "delta", 3],
    ["two choices", { choices: [{ delta: { content: "a" } }, { delta: { content: "b" } }] }, "delta", 2],
    ["space around the colon", '{ "choices" : [ { "delta" : { "content" \n:\t"a" } } ] }', "delta", 1],
    ["finish", chunk({}), "other", 0],
    ["null content", chunk({ content: null }), "other", 0],
    ["text that looks like JSON", chunk({ content: '"content":"x","usage":{}' }), "delta", 10],
    ["log probabilities", { choices: [{ delta: {}, logprobs: { content: [{ token: "content" }] } }] }, "other", 0],
    ["content outside the choices", { choices: [], content: "metadata" }, "other", 0],
    ["usage alone", { choices: [], usage }, "usage-only", 0],
    ["usage without choices", { usage }, "usage-only", 0],
    ["usage null, no choices", { choices: [], usage: null }, "other", 0],
    ["usage beside the last choice", chunk({}, { usage }), "other", 0],
    ["done", "[DONE]", "terminal", 0],
    ["done, spaced", " [DONE] ", "terminal", 0],
    ["error", { error: { message: "content", code: 500 } }, "error", 0],
    ["no error", chunk({ content: "a" }, { error: null }), "delta", 1],
    ["text that says done", chunk({ content: "[DONE]" }), "delta", 2],
    ["not JSON", "hello", "other", 0],
    ["half a frame", '{"choices":[{"delta":{"content":"abc', "other", 0],
    ["empty", "", "other", 0]
  ])("%s", (_, data, kind, outputDelta) => {
    const { meter, seen } = observe("chat", data)
    assert.deepStrictEqual(seen, [{ kind, outputDelta }])
    assert.strictEqual(meter.runningTokens, outputDelta)
  })

  it.each<[string, ReadonlyArray<unknown>, number | undefined]>([
    ["a frame of its own", [chunk({ content: "a" }, { usage: null }), { choices: [], usage }, "[DONE]"], 2],
    ["the last choice", [chunk({ content: "a" }), chunk({}, { usage })], 2],
    [
      "every frame, the last counts",
      [1, 2, 3].map((count) =>
        chunk({ content: "a" }, {
          usage: { ...usage, completion_tokens: count }
        })
      ),
      3
    ],
    ["before text that it does not cover", [chunk({}, { usage }), chunk({ content: "a" })], undefined],
    ["inside the choice", [{ choices: [{ delta: {}, usage }] }], 2],
    ["a section of its own", [chunk({}, { x_groq: { usage } })], 2],
    ["explicit zero", [{ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } }], 0],
    ["none", [chunk({ content: "a" }), "[DONE]"], undefined],
    ["null", [chunk({ content: "a" }, { usage: null }), "[DONE]"], undefined],
    ["empty", [{ choices: [], usage: {} }], undefined],
    ["in text only", [chunk({ content: JSON.stringify({ usage }) })], undefined]
  ])("finds the usage in %s", (_, data, outputTokens) => {
    const { meter } = observe("chat", ...data)
    assert.strictEqual(meter.usage()?.outputTokens, outputTokens)
    assert.strictEqual(meter.hasUsage, outputTokens !== undefined)
  })

  it("copies the usage, since the frame's bytes are the network's", () => {
    const meter = new StreamMeter("chat")
    const last = frame({ choices: [], usage })
    meter.observe(last)
    last.raw.fill(0)
    assert.deepStrictEqual(meter.usage(), {
      inputTokens: 6,
      cachedInputTokens: 3,
      cacheWriteTokens: 0,
      outputTokens: 2,
      flagged: false
    })
  })
})

describe("StreamMeter on responses", () => {
  const completed = { type: "response.completed", response: { usage: { input_tokens: 4, output_tokens: 7 } } }

  it.each<[string, unknown, string, number]>([
    ["text", text("Hello, world"), "delta", 4],
    ["arguments", text('{"a"', "response.function_call_arguments.delta"), "delta", 2],
    ["the whole text again", { type: "response.output_text.done", text: "Hello, world" }, "other", 0],
    [
      "a part that is done",
      { type: "response.content_part.done", part: { text: "Hello", delta: "Hello" } },
      "other",
      0
    ],
    [
      "created",
      { type: "response.created", response: { metadata: { type: "response.completed", delta: "x" } } },
      "other",
      0
    ],
    ["tools that name a usage", { type: "response.created", response: { tools: [{ usage: { a: 1 } }] } }, "other", 0],
    ["completed", completed, "terminal", 0],
    ["incomplete", { type: "response.incomplete", response: {} }, "terminal", 0],
    ["failed", { type: "response.failed", response: { usage: null } }, "terminal", 0],
    ["type behind the rest", { response: { type: "x" }, type: "response.completed" }, "terminal", 0],
    ["half a terminal event", '{"type":"response.completed","response":{', "other", 0],
    ["error", { type: "error", message: "delta", code: "x" }, "error", 0],
    ["error in chat's shape", { error: { message: "x" } }, "error", 0]
  ])("%s", (_, data, kind, outputDelta) => {
    assert.deepStrictEqual(observe("responses", data).seen, [{ kind, outputDelta }])
  })

  it("takes the usage from the terminal event", () => {
    const { meter } = observe("responses", {
      type: "response.created",
      response: { usage: { input_tokens: 1, output_tokens: 1 } }
    }, text("a"))
    assert.isFalse(meter.hasUsage)
    meter.observe(frame(completed))
    assert.strictEqual(meter.usage()?.outputTokens, 7)
  })

  it("estimates from the terminal event what came without deltas", () => {
    const content = [{ type: "output_text", text: "one two three four" }]
    const { meter } = observe("responses", {
      type: "response.completed",
      response: { output: [{ type: "message", content }] }
    })
    assert.isFalse(meter.hasUsage)
    assert.strictEqual(meter.estimateOutputTokens(), 4)
  })
})

describe("estimateOutputTokens", () => {
  it("is zero when nothing was seen", () => {
    assert.strictEqual(observe("chat", chunk({ role: "assistant", content: "" })).meter.estimateOutputTokens(), 0)
  })

  it("counts the tokens of what was streamed token by token", () => {
    for (const words of [1, 5, 200]) {
      const deltas = Array.from({ length: words }, (_, index) => chunk({ content: index === 0 ? "word" : " word" }))
      assert.strictEqual(observe("chat", ...deltas).meter.estimateOutputTokens(), words)
    }
  })

  it("unescapes before it counts", () => {
    const words = '天气很好\n"真的"\t'.repeat(20)
    const escaped = [...words].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")
    const { meter } = observe("chat", `{"choices":[{"delta":{"content":"${escaped}"}}]}`)
    assert.strictEqual(meter.estimateOutputTokens(), countTokens(words))
  })

  it("does not cut its sample inside an escape", () => {
    for (const lead of ["", "a", "ab", "abc", "abcd", "abcde"]) {
      const words = lead + "天气很好".repeat(4000)
      const escaped = lead + "\\u5929\\u6c14\\u5f88\\u597d".repeat(4000)
      const exact = countTokens(words)
      const estimate = observe("chat", `{"choices":[{"delta":{"content":"${escaped}"}}]}`).meter.estimateOutputTokens()
      assert.isBelow(Math.abs(estimate - exact) / exact, 0.05)
    }
  })

  it("joins characters that frames split", () => {
    const { meter } = observe(
      "chat",
      ...["\\ud83d", "\\ude00"].map((half) => `{"choices":[{"delta":{"content":"${half}"}}]}`)
    )
    assert.strictEqual(meter.estimateOutputTokens(), countTokens("😀"))
  })

  it("extrapolates beyond its sample, whichever way the text comes", () => {
    const words = 'The quick brown "fox" jumps over\nthe lazy 漢字 😀. '.repeat(2000)
    assert.isAbove(Buffer.byteLength(words), 2 * SAMPLE_BYTES_MAX)
    const exact = countTokens(words)
    const pieces = words.match(/[\s\S]{1,7}/gu) ?? []
    for (const data of [[chunk({ content: words })], pieces.map((content) => chunk({ content }))]) {
      const estimate = observe("chat", ...data).meter.estimateOutputTokens()
      assert.isBelow(Math.abs(estimate - exact) / exact, 0.05)
    }
  })

  it.prop("is never zero for text, and the running estimate never below the frames", [
    Schema.Array(Schema.NonEmptyString)
  ], ([pieces]) => {
    const { meter, seen } = observe("chat", ...pieces.map((content) => chunk({ content })))
    assert.isTrue(seen.every((one) => one.kind === "delta" && one.outputDelta >= 1))
    assert.isAtLeast(meter.runningTokens, pieces.length)
    assert.strictEqual(meter.estimateOutputTokens() > 0, pieces.length > 0)
  })
})

describe("estimateFromBody", () => {
  it.each<[string, Dialect, unknown, number]>([
    ["text", "chat", { choices: [{ message: { content: "one two three" } }] }, 3],
    ["no text", "chat", { choices: [{ message: { content: "" } }] }, 0],
    ["error", "chat", { error: { message: "one two three" } }, 0],
    [
      "several choices",
      "chat",
      { choices: [{ message: { content: "one" } }, { message: { refusal: "no" } }] },
      countTokens("one\nno")
    ],
    [
      "reasoning under two names",
      "chat",
      { choices: [{ message: { reasoning_content: "hmm", reasoning: "hmm" } }] },
      countTokens("hmm")
    ],
    ["tool call", "chat", {
      choices: [{ message: { content: null, tool_calls: [{ function: { name: "f", arguments: "{}" } }] } }]
    }, countTokens("f\n{}")],
    [
      "response",
      "responses",
      { output: [{ type: "message", content: [{ type: "output_text", text: "one two" }] }] },
      2
    ],
    [
      "response call",
      "responses",
      { output: [{ type: "function_call", name: "f", arguments: "{}" }] },
      countTokens("f\n{}")
    ],
    ["response summary", "responses", { output: [{ type: "reasoning", summary: [{ text: "one two" }] }] }, 2],
    ["not an object", "responses", null, 0]
  ])("%s", (_, dialect, json, expected) => {
    assert.strictEqual(estimateFromBody(json, dialect), expected)
  })
})
