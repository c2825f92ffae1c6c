import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { type Answer, readAnswer } from "../../../src/gateway/meter/Answer.ts"
import { countTokens } from "../../../src/gateway/meter/TokenCount.ts"
import type { Dialect } from "../../../src/gateway/request/Call.ts"

const textOf = (answer: Answer) => answer.sample.texts().join("|")
const message = (text: string) => ({ type: "message", content: [{ type: "output_text", text }] })

describe("readAnswer", () => {
  it.each<[string, Dialect, unknown, string]>([
    ["text", "chat", { choices: [{ message: { content: "one two three" } }] }, "one two three"],
    ["several choices", "chat", {
      choices: [{ index: 0, message: { content: "one" } }, { index: 1, message: { content: null, refusal: " no" } }]
    }, "one no"],
    [
      "reasoning under two names",
      "chat",
      { choices: [{ message: { reasoning_content: "hmm", reasoning: "hmm" } }] },
      "hmm"
    ],
    ["a tool call", "chat", {
      choices: [{ message: { content: null, tool_calls: [{ id: "c", function: { name: "f", arguments: "{}" } }] } }]
    }, "f{}"],
    ["parts of content", "chat", {
      choices: [{
        message: { content: [{ type: "text", text: "a" }, { type: "thinking", thinking: [{ text: "b" }] }] }
      }]
    }, "ab"],
    ["an unknown shape", "chat", { choices: [{ musings: { deep: ["a"] } }] }, "a"],
    ["a text of an old API", "chat", { choices: [{ text: "abc" }] }, "abc"],
    ["Ollama's message", "chat", { message: { content: "abc" }, done: true }, "abc"],
    ["escapes", "chat", { choices: [{ message: { content: '"\n\\漢😀' } }] }, '"\n\\漢😀'],
    ["a response", "responses", { status: "completed", output: [message("one two")] }, "one two"],
    ["a response's call", "responses", {
      status: "completed",
      output: [{ type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: "{}" }]
    }, "f{}"],
    ["a response's summary", "responses", {
      status: "completed",
      output: [{ type: "reasoning", summary: [{ type: "summary_text", text: "one two" }] }]
    }, "one two"],
    ["a local shell call", "responses", {
      status: "completed",
      output: [{ type: "local_shell_call", action: { type: "exec", command: ["ls", "-l"] } }]
    }, "ls-l"]
  ])("takes the output of %s", (_, dialect, json, text) => {
    for (const body of [json, Buffer.from(JSON.stringify(json))]) {
      const answer = readAnswer(body, dialect)
      assert.strictEqual(textOf(answer), text)
      assert.strictEqual(answer.outputBytes, Buffer.byteLength(text))
      assert.deepStrictEqual([answer.hasOutput, answer.failure], [true, undefined])
      assert.strictEqual(answer.sample.estimate(countTokens(text)), countTokens(text))
      assert.strictEqual(answer.outputLowerTokens, 1)
    }
  })

  it.each<[string, Dialect, unknown, "complete" | "failure"]>([
    ["an end without output", "chat", { choices: [{ message: { content: "" }, finish_reason: "stop" }] }, "complete"],
    ["an end by error", "chat", { choices: [{ message: { content: "a" }, finish_reason: "error" }] }, "failure"],
    ["an error", "chat", { error: { message: "one two three" } }, "failure"],
    ["an error beside output", "chat", { choices: [{ message: { content: "a" } }], error: "x" }, "failure"],
    ["an error in a choice", "chat", { choices: [{ message: { content: "a" }, error: { message: "x" } }] }, "failure"],
    ["an error in a list", "chat", [{ error: { code: 400, message: "x" } }], "failure"],
    ["neither output nor end", "chat", { choices: [{ message: { content: "" }, finish_reason: null }] }, "failure"],
    ["no choices", "chat", { choices: [] }, "failure"],
    ["something else", "chat", { detail: "Not found" }, "failure"],
    ["an empty object", "chat", {}, "failure"],
    ["null", "chat", null, "failure"],
    ["text", "chat", "abc", "failure"],
    ["a completed response", "responses", { id: "resp_1", status: "completed", output: [] }, "complete"],
    ["an incomplete response", "responses", { id: "resp_1", status: "incomplete", output: [message("a")] }, "complete"],
    [
      "a failed response",
      "responses",
      { status: "failed", error: { message: "x" }, output: [message("a")] },
      "failure"
    ],
    ["a failed response without words", "responses", { status: "failed", output: [] }, "failure"],
    ["an error for a response", "responses", { error: { message: "x" } }, "failure"],
    ["a response under way", "responses", { status: "in_progress", output: [] }, "failure"],
    ["null for a response", "responses", null, "failure"],
    ["embeddings", "embeddings", { data: [{ embedding: [1] }] }, "complete"],
    ["no embeddings", "embeddings", { data: [] }, "failure"],
    ["an error for embeddings", "embeddings", { error: { message: "x" }, data: [{}] }, "failure"],
    ["null for embeddings", "embeddings", null, "failure"]
  ])("judges %s", (_, dialect, json, expected) => {
    for (const body of [json, Buffer.from(JSON.stringify(json))]) {
      const answer = readAnswer(body, dialect)
      assert.strictEqual(answer.failure === undefined, expected === "complete")
      if (expected === "complete") assert.isTrue(answer.hasFinish)
    }
  })

  const whole = JSON.stringify({ choices: [{ message: { content: "abc" }, finish_reason: "stop" }], usage: {} })
  it.each<[string, string, boolean]>([
    ["as it is", whole, true],
    ["behind line feeds and with space at its end", `\n\n${whole}\n `, true],
    ["behind a byte order mark", `\uFEFF${whole}`, true],
    ["cut in its last member", whole.slice(0, -3), false],
    ["cut in a text", `{"choices":[{"message":{"content":"abc"},"finish_reason":"stop"}],"id":"x`, false],
    ["with something behind it", `${whole}<html>`, false],
    ["as a stream", `data: ${whole}\n\ndata: [DONE]\n\n`, false]
  ])("is an answer only when it is one JSON value: %s", (_, body, isAnswer) => {
    assert.strictEqual(readAnswer(Buffer.from(body), "chat").failure === undefined, isAnswer)
  })

  it("reads over a byte order mark", () => {
    const bodies: ReadonlyArray<readonly [Dialect, object]> = [
      ["chat", { choices: [{ message: { content: "abc" }, finish_reason: "stop" }], usage: { completion_tokens: 3 } }],
      ["responses", { status: "completed", output: [message("abc")], usage: { output_tokens: 3 } }],
      ["embeddings", { data: [{ embedding: [1] }], usage: { prompt_tokens: 3 } }]
    ]
    for (const [dialect, json] of bodies) {
      const { failure, reported } = readAnswer(Buffer.from(`\uFEFF${JSON.stringify(json)}`), dialect)
      assert.isUndefined(failure)
      assert.strictEqual(dialect === "embeddings" ? reported.input?.uncached : reported.output, 3)
    }
  })

  it("says what an upstream said of a failure", () => {
    const answer = readAnswer({ error: { code: 502, message: "m" } }, "chat")
    assert.deepStrictEqual(answer.failure, { status: 502, code: undefined, type: undefined, message: "m" })
    assert.strictEqual(readAnswer({ detail: "m" }, "chat").failure?.message, "m")
    assert.strictEqual(readAnswer({ object: "error", message: "m" }, "responses").failure?.message, "m")
    assert.strictEqual(readAnswer(Buffer.from("<html>"), "chat").failure?.message, undefined)
  })

  it("keeps the ids of a stored response", () => {
    const json = { id: "resp_1", status: "completed", output: [{ ...message("a"), id: "msg_1" }] }
    assert.deepStrictEqual(readAnswer(json, "responses").identity, { responseId: "resp_1", itemIds: ["msg_1"] })
    assert.isUndefined(readAnswer({ ...json, choices: [] }, "chat").identity)
  })

  it("is a failure, not an exception, for a value that is nested without end", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000)
    const body = `{"choices":[{"message":{"content":${deep}}}]}`
    assert.isDefined(readAnswer(Buffer.from(body), "chat").failure)
    assert.isDefined(readAnswer(JSON.parse(body), "chat").failure)
  })

  it.prop("never fails, and never counts more tokens below than there are bytes", [
    Schema.Json,
    Schema.Literals(["chat", "responses", "embeddings"])
  ], ([json, dialect]) => {
    for (const body of [json, { choices: json }, { output: json, status: json }, { data: json }]) {
      const answer = readAnswer(body, dialect)
      assert.isAtMost(answer.outputLowerTokens, answer.outputBytes)
      assert.strictEqual(answer.hasOutput, answer.outputBytes > 0)
      assert.isTrue(answer.failure !== undefined || answer.hasOutput || answer.hasFinish)
    }
  })
})
