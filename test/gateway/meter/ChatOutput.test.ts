/**
 * What counts as output in a chat stream: a key that is not in the list counts, in every shape; a failure is found wherever it
 * is reported; text that comes as a whole counts for what the deltas lacked.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { REPEATS_UNCOUNTED_MAX } from "../../../src/gateway/meter/FrameStrings.ts"
import { chunk, ending, frame, observe, usage, words } from "../../support/MeterFrames.ts"

describe("the output of a chat stream", () => {
  it.each<[string, unknown, string]>([
    ["role", chunk({ role: "assistant", content: "" }), ""],
    ["a token", chunk({ content: "a" }), "output 1"],
    ["text", chunk({ content: "Hello, world" }), "output 4"],
    ["text in bytes, not characters", chunk({ content: "漢字漢字" }), "output 4"],
    ["reasoning_content", chunk({ reasoning_content: "hmm" }), "output 1"],
    ["reasoning under two names", chunk({ reasoning: "hmmhmm", reasoning_content: "hmmhmm" }), "output 2"],
    ["equal strings of one choice", chunk({ reasoning: "hmm", content: "hmm" }), "output 1"],
    [
      "a long text under two names",
      chunk({ reasoning: "hmm".repeat(50), reasoning_content: "hmm".repeat(50) }),
      "output 50"
    ],
    [
      "long texts that differ at the end",
      chunk({ reasoning: "hmm".repeat(50), content: `${"hmm".repeat(49)}hm!` }),
      "output 100"
    ],
    ["different strings of one choice", chunk({ reasoning: "hmm", content: "ahem" }), "output 3"],
    ["equal strings of two choices", {
      choices: [{ index: 0, delta: { content: "a" } }, { index: 1, delta: { content: "a" } }]
    }, "output 2"],
    ["refusal", chunk({ refusal: "No." }), "output 1"],
    ["tool arguments", chunk({ tool_calls: [{ index: 0, function: { arguments: '{"a":1}' } }] }), "output 3"],
    [
      "a tool's name",
      chunk({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "f" } }] }),
      "output 1"
    ],
    [
      "arguments as an object, whatever its keys",
      chunk({
        tool_calls: [{ function: { arguments: { id: "abc", type: "def", error: "ghi" } } }]
      }),
      "output 3"
    ],
    ["space around the colon", '{ "choices" : [ { "delta" : { "content" \n:\t"a" } } ] }', "output 1"],
    ["a key with escapes", '{"ch\\u006fices":[{"delta":{"cont\\u0065nt":"abc"}}]}', "output 1"],
    ["an end", ending("stop"), "finishes"],
    [
      "output with an end",
      { choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] },
      "output 1, finishes"
    ],
    ["an end that is empty", ending(""), ""],
    ["an end that is null in words", ending("null"), ""],
    ["an end as an object", { choices: [{ delta: {}, finish_reason: { type: "stop", matched: 5 } }] }, "finishes"],
    ["an end as an empty object", { choices: [{ delta: {}, finish_reason: { type: "" } }] }, ""],
    [
      "an abortion as an object",
      { choices: [{ delta: {}, finish_reason: { type: "abort", message: "Too long" } }] },
      "finishes, failure"
    ],
    ["an end that names an error", ending("network_error"), "finishes, failure"],
    ["an end without resources", ending("insufficient_system_resource"), "finishes, failure"],
    ["an end by abortion", ending("abort"), "finishes, failure"],
    [
      "the same behind output",
      { choices: [{ index: 0, delta: { content: "a" }, finish_reason: "abort" }] },
      "output 1, finishes"
    ],
    ["an end by a filter", ending("content_filter"), "finishes"],
    ["null content", chunk({ content: null }), ""],
    ["text that looks like JSON", chunk({ content: '"content":"x","usage":{}' }), "output 10"],
    ["log probabilities", { choices: [{ delta: {}, logprobs: { content: [{ token: "content" }] } }] }, ""],
    ["content beside empty choices", { choices: [], content: "metadata" }, ""],
    ["usage alone", { choices: [], usage }, "usage"],
    ["usage without choices", { usage }, "usage"],
    ["usage null, no choices", { choices: [], usage: null }, ""],
    ["usage beside the last choice", chunk({}, { usage }), ""],
    ["done", "[DONE]", "done"],
    ["done, spaced", " [DONE] ", "done"],
    ["text that says done", chunk({ content: "[DONE]" }), "output 2"],
    ["not JSON", "hello", ""],
    ["half a frame", '{"choices":[{"delta":{"content":"abc', ""],
    ["a string that ends in half an escape", '{"choices":[{"delta":{"content":"abc\\u00"}}]}', ""],
    ["empty", "", ""]
  ])("observes %s", (_, data, expected) => {
    const { seen } = observe("chat", [data])
    assert.deepStrictEqual(seen.map(words), [expected])
  })

  it.each<[string, unknown, string]>([
    ["an error", { error: { message: "content", code: 500 } }, "failure"],
    ["an error in words", { error: "overloaded" }, "failure"],
    ["an error that is true", { error: true, message: "overloaded" }, "failure"],
    ["an error in a list of frames", [{ error: { code: 429, message: "x" } }], "failure"],
    ["an error in a choice", { choices: [{ index: 0, delta: {}, error: { code: 502, message: "x" } }] }, "failure"],
    ["an error in a delta", chunk({ error: { message: "x" } }), "failure"],
    [
      "an object of type error",
      { object: "error", message: "This model's maximum context length is", code: 400 },
      "failure"
    ],
    ["an event of type error", { type: "error", error: { type: "overloaded_error", message: "x" } }, "failure"],
    ["an end by error", ending("error"), "failure"],
    [
      "a message with the code of a failure",
      { code: 50505, message: "Model service overloaded", data: null },
      "failure"
    ],
    ["a message with a status of HTTP", { status: 500, message: "Internal error" }, "failure"],
    ["a message with a status in a word", { message: "Internal error", status: "error" }, "failure"],
    ["a message with a code in words", { message: "No such key", code: "invalid_api_key" }, "failure"],
    ["a message without success", { success: false, message: "Internal error" }, "failure"],
    ["an error in a wrapped frame", { code: 0, data: { choices: [], error: { message: "x" } } }, "failure"],
    ["success in words", { success: true, message: "abc" }, "output 1"],
    ["a message with a code that says that all is well", { code: 200, message: "abc" }, "output 1"],
    ["a code beside choices", chunk({ content: "a" }, { code: 500, message: "abc" }), "output 1"],
    ["an error beside output, which is not delivered", chunk({ content: "a" }, { error: { message: "x" } }), "failure"],
    ["no error", chunk({ content: "a" }, { error: null }), "output 1"],
    ["an empty error", chunk({ content: "a" }, { error: {} }), "output 1"],
    [
      "an error of nothing but nulls and empty texts",
      chunk({ content: "a" }, { error: { message: "", type: "", code: null, param: [], inner: { status: 0 } } }),
      "output 1"
    ],
    ["an error of a number", chunk({ content: "a" }, { error: { message: "", code: 500 } }), "failure"],
    [
      "an error of something beside the answer",
      { choices: [{ delta: { content: "a" }, filter_result: { error: { code: "content_filter_error" } } }] },
      "output 1"
    ],
    ["an error of no words", chunk({ content: "a" }, { error: "" }), "output 1"],
    ["no error in the choice", { choices: [{ index: 0, delta: { content: "a" }, error: null }] }, "output 1"],
    [
      "an error in a tool's arguments",
      chunk({
        tool_calls: [{ function: { arguments: { error: "file missing" } } }]
      }),
      "output 4"
    ]
  ])("tells a failure by %s", (_, data, expected) => {
    const { meter, seen } = observe("chat", [data])
    assert.deepStrictEqual(seen.map(words), [expected])
    assert.strictEqual(meter.hasFailed, expected.includes("failure"))
  })

  // Of the list of keys that are no output, each in the place where upstreams put it; every other key counts.
  it.each<[string, unknown]>([
    ["id", chunk({ id: "abc" })],
    ["type", chunk({ type: "abc" })],
    ["role", chunk({ role: "abc" })],
    ["index", chunk({ index: "abc" })],
    ["format", chunk({ reasoning_details: [{ format: "abc" }] })],
    ["native_finish_reason", { choices: [{ delta: {}, native_finish_reason: "abc" }] }],
    ["stop_reason", { choices: [{ delta: {}, stop_reason: "abc" }] }],
    ["matched_stop", { choices: [{ delta: {}, matched_stop: "abc" }] }],
    ["finish_details", { choices: [{ delta: {}, finish_details: { type: "stop", stop: "abc" } }] }],
    ["content_filter_results", { choices: [{ delta: {}, content_filter_results: { hate: { severity: "safe" } } }] }],
    ["content_filter_offsets", { choices: [{ delta: {}, content_filter_offsets: { check: "abc" } }] }],
    ["logprobs", { choices: [{ delta: {}, logprobs: { content: [{ token: "abc", bytes: [1] }] } }] }],
    ["obfuscation", chunk({ obfuscation: "abc" })],
    ["signature", chunk({ thinking_blocks: [{ type: "thinking", signature: "abc" }] })],
    ["thought_signature", chunk({ extra_content: { google: { thought_signature: "abc" } } })],
    ["encrypted_content", chunk({ reasoning_items: [{ encrypted_content: "abc" }] })],
    ["data of reasoning_details", chunk({ reasoning_details: [{ type: "reasoning.encrypted", data: "abc" }] })],
    ["annotations", chunk({ annotations: [{ type: "url_citation", url_citation: { title: "abc" } }] })],
    ["audio", chunk({ audio: { transcript: "abc" } })],
    ["a listed key behind arguments that are null", chunk({ tool_calls: [{ arguments: null, id: "abc" }] })],
    ["the model of a message", { type: "message_start", message: { id: "m", model: "abc", content: [] } }],
    ["a section behind content that is null", { content: null, meta: { words: "abc" } }],
    ["a section behind choices that are null", { choices: null, meta: { words: "abc" } }]
  ])("does not count %s", (_, data) => {
    assert.deepStrictEqual(observe("chat", [data]).seen.map(words), [""])
  })

  it.each<[string, unknown, number]>([
    ["an unknown key", chunk({ musings: "abc" }), 1],
    ["a model in a choice", chunk({ model: "abc" }), 1],
    ["an unknown key of the choice", { choices: [{ words: "abc" }] }, 1],
    ["a key of another name for data", chunk({ data: "abc" }), 1],
    ["data behind details that are null", chunk({ reasoning_details: null, data: "abc" }), 1],
    ["a list of strings", chunk({ content: ["abc", "def"] }), 2],
    ["a list of texts", chunk({ content: [{ type: "text", text: "abc" }, { type: "text", text: "def" }] }), 2],
    ["strings that are choices", { choices: ["abc"] }, 1],
    ["choices that are one object", { choices: { delta: { content: "abc" } } }, 1],
    ["choices that are a string", { choices: "abc" }, 1],
    ["a listed key with an object in it", chunk({ id: { text: "abc" } }), 1],
    ["a frame in a list", [chunk({ content: "abc" })], 1],
    ["message without choices", { message: { role: "assistant", content: "abc" }, done: false }, 1],
    ["message in words", { message: "abc" }, 1],
    ["response without choices", { response: "abc", done: false }, 1],
    ["content without choices", { content: "abc", stop: false }, 1],
    ["choices that are null", { choices: null, content: "abc" }, 1],
    ["delta without choices", { type: "content_block_delta", delta: { type: "text_delta", text: "abc" } }, 1],
    ["choices in a section", { code: 0, data: chunk({ content: "abc" }) }, 1],
    ["choices in another section", { result: { id: "c", choices: [{ index: 0, delta: { content: "abc" } }] } }, 1],
    ["candidates", { candidates: [{ content: { parts: [{ text: "abc" }] } }] }, 1],
    ["output", { output: { text: "abc" } }, 1]
  ])("counts %s", (_, data, tokens) => {
    const { meter, seen } = observe("chat", [data])
    assert.deepStrictEqual(seen.map(words), [`output ${tokens}`])
    assert.strictEqual(meter.runningTokens, tokens)
  })

  it("counts equal strings of one choice once, but only as many as there are names for one text", () => {
    const times = 100
    const texts = Array.from({ length: times }, () => ({ text: "abc" }))
    const { meter } = observe("chat", [chunk({ content: texts })])
    assert.strictEqual(meter.runningTokens, times - REPEATS_UNCOUNTED_MAX)
  })

  it.each<[string, ReadonlyArray<unknown>, ReadonlyArray<number>]>([
    ["a message that repeats the deltas", [
      chunk({ content: "abc" }),
      chunk({ content: "def" }),
      { choices: [{ index: 0, message: { content: "abcdef" }, finish_reason: "stop" }] }
    ], [1, 1, 0]],
    ["a message that has more than the deltas", [
      chunk({ content: "abc" }),
      { choices: [{ index: 0, message: { content: "abcdefghi" } }] }
    ], [1, 2]],
    ["messages that grow beside the deltas", [
      { choices: [{ index: 0, delta: { content: "abc" }, message: { content: "abc" } }] },
      { choices: [{ index: 0, delta: { content: "def" }, message: { content: "abcdef" } }] },
      { choices: [{ index: 0, delta: { content: "ghi" }, message: { content: "abcdefghi" } }] }
    ], [1, 1, 1]],
    ["a text beside each delta", [
      { choices: [{ index: 0, text: "abc", delta: { content: "abc" } }] },
      { choices: [{ index: 0, text: "def", delta: { content: "def" } }] }
    ], [1, 1]],
    ["pieces of text without deltas", [
      { choices: [{ index: 0, text: "abc" }] },
      { choices: [{ index: 0, text: "abc" }] },
      { choices: [{ index: 0, text: "xyz" }] }
    ], [1, 1, 1]],
    ["messages that grow without deltas", [
      { choices: [{ index: 0, message: { content: "abc" } }] },
      { choices: [{ index: 0, message: { content: "abcdef" } }] },
      { choices: [{ index: 0, message: { content: "abcdefghi" } }] }
    ], [1, 1, 1]],
    ["pieces of messages behind a delta", [
      chunk({ content: "abcdef" }),
      { choices: [{ index: 0, message: { content: "ghi" } }] },
      { choices: [{ index: 0, message: { content: "jkl" } }] },
      { choices: [{ index: 0, message: { content: "mno" } }] }
    ], [2, 0, 0, 1]],
    ["messages of two choices", [
      { choices: [{ index: 0, delta: { content: "abc" } }] },
      { choices: [{ index: 1, message: { content: "abc" } }] },
      { choices: [{ index: 0, message: { content: "abc" } }] }
    ], [1, 1, 0]]
  ])("counts what the deltas lacked: %s", (_, data, tokens) => {
    const { seen } = observe("chat", data)
    assert.deepStrictEqual(seen.map((one) => one.outputTokens), [...tokens])
  })

  it("keeps the end of a message that the deltas lacked as text", () => {
    const { meter } = observe("chat", [
      chunk({ content: 'one "two"\n' }),
      { choices: [{ index: 0, message: { content: 'one "two"\nthree 漢字' } }] }
    ])
    assert.deepStrictEqual(meter.sample.texts(), ['one "two"\nthree 漢字'])
    assert.strictEqual(meter.deliveredBytes, Buffer.byteLength('one "two"\nthree 漢字'))
  })

  it("reads a frame in a section like any other", () => {
    const { meter, seen } = observe("chat", [
      { data: chunk({ content: "abc" }) },
      { data: { ...ending("stop"), usage, model: "m" }, message: "" }
    ])
    assert.deepStrictEqual(seen.map(words), ["output 1", "finishes"])
    assert.strictEqual(meter.reported().output, usage.completion_tokens)
  })

  it("is whole when all that began has ended, though fewer answers came than were asked for", () => {
    const { meter } = observe("chat", [chunk({ content: "abc" })], 2)
    assert.isFalse(meter.isWhole)
    meter.observe(frame(ending("stop")))
    assert.deepStrictEqual([meter.isWhole, meter.isFinished], [true, false])
    meter.observe(frame({ choices: [{ index: 1, delta: { content: "abc" } }] }))
    assert.isFalse(meter.isWhole)
    meter.observe(frame(ending("stop", 1)))
    assert.deepStrictEqual([meter.isWhole, meter.isFinished], [true, true])
  })
})
