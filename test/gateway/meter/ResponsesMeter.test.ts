/**
 * The meter on streams of /v1/responses: text comes in deltas, again with its part, its item and the whole response, and counts
 * once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { StreamMeter } from "../../../src/gateway/meter/StreamMeter.ts"
import { countTokens } from "../../../src/gateway/meter/TokenCount.ts"

const frame = (data: unknown) => {
  const bytes = Buffer.from(typeof data === "string" ? data : JSON.stringify(data))
  return { raw: bytes, data: bytes }
}
const observe = (...data: ReadonlyArray<unknown>) => {
  const meter = new StreamMeter({ dialect: "responses", choices: 1 })
  return { meter, seen: data.map((one) => meter.observe(frame(one))) }
}
const delta = (text: string, output = 0, content = 0, type = "response.output_text.delta") => ({
  type,
  item_id: `item_${output}`,
  output_index: output,
  content_index: content,
  delta: text,
  obfuscation: "xxxxxxxxxxxx"
})
const textDone = (text: string, output = 0, content = 0) => ({
  type: "response.output_text.done",
  item_id: `item_${output}`,
  output_index: output,
  content_index: content,
  text
})
const message = (...texts: ReadonlyArray<string>) => ({
  type: "message",
  id: "msg_1",
  status: "completed",
  role: "assistant",
  content: texts.map((text) => ({ type: "output_text", text, annotations: [{ title: "no output" }] }))
})
const call = (name: string, args: string) => ({
  type: "function_call",
  id: "fc_1",
  call_id: "call_1",
  status: "completed",
  name,
  arguments: args
})
const itemDone = (item: object, output = 0) => ({ type: "response.output_item.done", output_index: output, item })
const completed = (output: ReadonlyArray<object>, extra?: object) => ({
  type: "response.completed",
  response: { id: "resp_1", status: "completed", output, ...extra }
})
const usage = { input_tokens: 4, output_tokens: 7 }

describe("StreamMeter on responses", () => {
  it.each<[string, ReadonlyArray<unknown>, ReadonlyArray<number>]>([
    ["text", [delta("Hello, world")], [4]],
    ["arguments", [delta('{"a"', 0, -1, "response.function_call_arguments.delta")], [2]],
    ["an event that is not known", [{ type: "response.musing.delta", delta: "abc" }], [1]],
    ["a delta that is an object", [{ type: "response.output_text.delta", delta: { text: "abc" } }], [1]],
    ["a chat frame", [{ choices: [{ index: 0, delta: { content: "abc" } }] }], [1]],
    ["the whole text again", [delta("Hello,"), delta(" world"), textDone("Hello, world")], [2, 2, 0]],
    ["more text than the deltas had", [delta("Hello,"), textDone("Hello, world")], [2, 2]],
    ["a text that had no deltas", [textDone("Hello, world")], [4]],
    ["the same text of a part", [
      textDone("Hello"),
      {
        type: "response.content_part.done",
        output_index: 0,
        content_index: 0,
        part: { type: "output_text", text: "Hello" }
      }
    ], [2, 0]],
    ["the second part of an item", [delta("Hello"), textDone("Hello", 0, 0), textDone("Hello", 0, 1)], [2, 0, 2]],
    ["a summary and a text of one index", [
      { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "Hello" },
      { type: "response.reasoning_text.done", output_index: 0, content_index: 0, text: "Hello" }
    ], [2, 2]],
    ["a text that is done again and again", [textDone("abc"), textDone("abc"), textDone("abc")], [1, 1, 1]],
    ["an item", [delta("Hello"), itemDone(message("Hello", "world"))], [2, 2]],
    ["a call: its name came in no delta", [
      { type: "response.output_item.added", output_index: 0, item: call("name", "") },
      delta('{"a":1}', 0, -1, "response.function_call_arguments.delta"),
      itemDone(call("name", '{"a":1}'))
    ], [0, 3, 2]],
    ["items with ids instead of places", [
      { type: "response.output_text.delta", item_id: "a", content_index: 0, delta: "abc" },
      { type: "response.output_text.done", item_id: "b", content_index: 0, text: "def" },
      { type: "response.output_text.done", item_id: "a", content_index: 0, text: "abc" }
    ], [1, 1, 0]],
    ["the response, streamed", [delta("Hello"), itemDone(message("Hello")), completed([message("Hello")])], [2, 0, 0]],
    ["the response, never streamed", [completed([message("one two three"), call("f", "{}")])], [7]],
    ["the rest of the response", [delta("Hello"), completed([message("Hello, world")])], [2, 3]],
    ["created", [{ type: "response.created", response: { output: [message("abc")], instructions: "abc" } }], [0]],
    ["what a tool found", [
      itemDone({ type: "file_search_call", id: "fs_1", status: "completed", queries: [], results: [{ text: "abc" }] }),
      itemDone({
        type: "web_search_call",
        id: "ws_1",
        status: "completed",
        action: { type: "search", sources: [{ url: "u" }] }
      })
    ], [0, 0]],
    ["what is said of no item", [
      { type: "codex.rate_limits", plan_type: "plus", rate_limits: { primary: { used: "some" } } },
      { type: "response.heartbeat", sequence_number: 3, at: "2026-11-30T00:00:00Z" },
      { detail: "Internal error" },
      { type: "error", delta: "abc", message: "x" },
      { type: "response.musing.done", text: "abc" },
      { type: "response.musing", output_index: 0, text: "abc" }
    ], [0, 0, 0, 0, 1, 1]],
    ["encrypted reasoning", [itemDone({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "abc" })], [0]]
  ])("counts %s", (_, data, tokens) => {
    const { meter, seen } = observe(...data)
    assert.deepStrictEqual(seen.map((one) => one.outputTokens), [...tokens])
    assert.deepStrictEqual(seen.map((one) => one.isOutput), tokens.map((count) => count > 0))
    assert.strictEqual(meter.runningTokens, tokens.reduce((sum, count) => sum + count, 0))
  })

  it.each<[string, unknown, "terminal" | "failure" | "neither"]>([
    ["completed", completed([], { usage }), "terminal"],
    [
      "cancelled, with nothing",
      { type: "response.completed", response: { status: "cancelled", output: [] } },
      "failure"
    ],
    ["a message with a code, without a type", { message: "Internal error", code: 500 }, "failure"],
    ["done", { type: "response.done", response: { status: "completed", output: [message("abc")], usage } }, "terminal"],
    ["done, and failed", { type: "response.done", response: { status: "failed", error: null } }, "failure"],
    ["incomplete", { type: "response.incomplete", response: { status: "incomplete" } }, "terminal"],
    ["failed", { type: "response.failed", response: { usage: null } }, "failure"],
    ["completed with a failed status", { type: "response.completed", response: { status: "failed" } }, "failure"],
    ["completed with an error", completed([], { error: { code: "server_error", message: "x" } }), "failure"],
    ["type behind the rest", { response: { type: "x" }, type: "response.completed" }, "terminal"],
    ["half a terminal event", '{"type":"response.completed","response":{', "neither"],
    ["error", { type: "error", message: "delta", code: "x" }, "failure"],
    ["error in chat's shape", { error: { message: "x" } }, "failure"],
    ["an item with an error", itemDone({ type: "mcp_call", id: "m", status: "failed", error: "x" }), "neither"],
    ["metadata that looks like an end", {
      type: "response.created",
      response: { metadata: { type: "response.completed", delta: "x" } }
    }, "neither"]
  ])("tells the end by %s", (_, data, expected) => {
    const { meter, seen } = observe(data)
    assert.strictEqual(seen[0]?.terminal, expected === "terminal")
    assert.strictEqual(seen[0]?.failure !== undefined, expected === "failure")
    assert.strictEqual(meter.isFinished, expected === "terminal")
    assert.strictEqual(meter.hasFailed, expected === "failure")
  })

  it("takes the usage from the terminal event alone: a response repeats its tools", () => {
    const { meter } = observe(
      { type: "response.created", response: { usage: { input_tokens: 1, output_tokens: 1 }, tools: [{ usage }] } },
      delta("a")
    )
    assert.isUndefined(meter.reported().output)
    meter.observe(frame(completed([], { usage, tools: [{ parameters: { usage: { output_tokens: 99 } } }] })))
    assert.strictEqual(meter.reported().output, 7)
    assert.isTrue(meter.usageIsLast)
  })

  it("reads usage from a response that failed or stayed incomplete", () => {
    for (const type of ["response.failed", "response.incomplete"]) {
      assert.strictEqual(observe({ type, response: { usage } }).meter.reported().output, 7)
    }
  })

  it("keeps the ids of a stored response", () => {
    const { meter } = observe(completed([{ ...message("a"), id: "msg_9" }, call("f", "{}"), { type: "reasoning" }, {
      ...message("b"),
      id: ""
    }]))
    assert.deepStrictEqual(meter.identity(), { responseId: "resp_1", itemIds: ["msg_9", "fc_1"] })
    assert.isUndefined(observe(delta("a")).meter.identity())
    assert.isUndefined(observe({ type: "response.completed", response: { output: [] } }).meter.identity())
  })

  it("counts tools that were run, from the items when the end does not come", () => {
    const search = (id: string, action?: object) => ({ type: "web_search_call", id, status: "completed", action })
    const items = [
      search("a", { type: "search", query: "x", queries: ["x", "y"] }),
      search("b", { type: "open_page", url: "u" }),
      search("c"),
      { type: "file_search_call", id: "d", status: "completed" },
      { type: "file_search_call", id: "e", status: "in_progress" }
    ]
    const { meter } = observe(...items.map((item, index) => itemDone(item, index)))
    assert.deepStrictEqual(meter.reported().tools, { webSearch: 3, fileSearch: 1 })
    meter.observe(frame(completed(items)))
    assert.deepStrictEqual(meter.reported().tools, { webSearch: 3, fileSearch: 1 })
  })

  it("estimates from the terminal event what came without deltas", () => {
    const { meter } = observe(completed([message("one two three four")]))
    assert.strictEqual(meter.sample.estimate(countTokens(meter.sample.texts().join(""))), 4)
  })

  it("does not take settings of the call, which a response repeats behind its output, for output", () => {
    const settings = {
      service_tier: "default",
      truncation: "disabled",
      reasoning: { effort: "medium", summary: "auto" },
      tools: [{ type: "function", name: "lookup", description: "finds what is asked for" }],
      metadata: { note: "what the client wrote" }
    }
    const { meter, seen } = observe(delta("Hello"), completed([message("Hello")], settings))
    assert.deepStrictEqual(seen.map(({ isOutput }) => isOutput), [true, false])
    assert.strictEqual(meter.deliveredBytes, "Hello".length)
    const empty = observe(completed([], settings))
    assert.isFalse(empty.meter.hasOutput)
    // Output behind such settings is output all the same.
    const last = observe({ type: "response.completed", response: { ...settings, output: [message("Hello")] } })
    assert.strictEqual(last.meter.deliveredBytes, "Hello".length)
  })

  it("knows the number of the last event, for an error of our own behind it", () => {
    const { meter } = observe({ type: "response.created", sequence_number: 0, response: {} }, {
      ...delta("a"),
      sequence_number: 41
    }, { type: "response.x" })
    assert.isTrue(meter.sawResponseCreated)
    assert.strictEqual(meter.lastSequenceNumber, 41)
  })

  it("counts an answer of very many parts no less", () => {
    const parts = Array.from({ length: 5000 }, (_, index) => textDone("abc", index))
    assert.strictEqual(observe(...parts, ...parts).meter.runningTokens, 10_000)
    assert.strictEqual(
      observe(...parts.flatMap((part) => [delta("abc", part.output_index), part])).meter.runningTokens,
      5000
    )
  })
})
