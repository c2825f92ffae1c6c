import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { emptyTally } from "../../../src/gateway/request/Call.ts"
import { parseCall } from "../../../src/gateway/request/ParseCall.ts"
import { callOf, chat, encode, messages, part, refusalOf } from "./Bodies.ts"

describe("parseCall of a chat call", () => {
  it("reads a plain call", () => {
    const body = encode({ model: "m", messages })
    const { fields, ...call } = callOf(parseCall("chat", body))
    assert.deepStrictEqual(fields.map((field) => field.key), ["model", "messages"])
    assert.deepStrictEqual(call, {
      _tag: "Call",
      dialect: "chat",
      body,
      model: "m",
      stream: false,
      n: 1,
      outputLimit: undefined,
      outputLimitField: undefined,
      wantsUsage: false,
      store: true,
      input: { ...emptyTally, textBytes: Buffer.byteLength("userhi"), messages: 1 },
      references: [],
      hostedTools: [],
      toolCallsMax: undefined,
      unknownFields: []
    })
  })

  it("reads limits, answers and stream options", () => {
    const call = callOf(chat({
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 7,
      max_tokens: null,
      n: 3,
      store: false
    }))
    assert.deepStrictEqual(
      [call.stream, call.wantsUsage, call.outputLimit, call.outputLimitField, call.n, call.store],
      [true, true, 7, "max_completion_tokens", 3, false]
    )
  })

  it("names the fields that no table knows, but none that is null", () => {
    const call = callOf(chat({ foo: 1, bar: { deep: [{}] }, baz: null }))
    assert.deepStrictEqual(call.unknownFields, ["foo", "bar"])
  })

  it.each<[object]>([
    [{ stream: null, stream_options: null, n: null, max_tokens: null, tools: null, service_tier: null }],
    [{ service_tier: "default", background: false, store: true, logprobs: true, modalities: ["text"] }],
    [{ service_tier: "auto" }],
    [{ tools: [{ type: "function", function: { name: "f" } }, { type: "custom", custom: { name: "c" } }] }],
    [{ unknown: { deep: [1, 2, 3] }, enable_search: false, max_tokens: 2 ** 31 - 1, n: 128 }],
    [{ tools: [{ type: "function", function: { parameters: { properties: { file_id: { type: "string" } } } } }] }],
    [{ tools: [{ type: "function" }, { type: "web_search" }] }],
    [{ web_search_options: {} }],
    [{ metadata: { Model: "x" }, "X-Model": 1 }],
    [{ messages: [{ role: "assistant", content: null, tool_calls: [{ id: "call_1", function: { name: "f" } }] }] }],
    [{ messages: [{ role: "assistant", content: "a", refusal: null, annotations: [], audio: null }] }],
    [{ messages: [{ role: "function", name: "f", content: "1" }, { role: "developer", content: "x" }] }],
    [part({ type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } })],
    [{ prediction: null, web_search_options: null, audio: null, plugins: null, best_of: null, models: null }],
    [{ plugins: [] }],
    [{ use_beam_search: false, ignore_eos: false, best_of: 1, num_return_sequences: 1, min_tokens: 0, priority: 0 }],
    [{
      models: [],
      extra_body: {},
      prompt: "",
      conversation: "",
      search_parameters: { mode: "off" },
      speed: "standard"
    }],
    [{ top_k: 4, min_p: 0.1, top_a: 0.2, repetition_penalty: 1.1, enable_thinking: true, thinking_budget: 512 }],
    [{ thinking: { type: "enabled", budget_tokens: 1024 }, reasoning: { effort: "high", exclude: true } }],
    [{ chat_template_kwargs: { enable_thinking: false, reasoning_effort: "low" } }]
  ])("accepts %j", (extra) => {
    assert.deepStrictEqual(refusalOf(chat(extra)), ["accepted"])
  })

  it.each<[object, string | null]>([
    [{ model: undefined }, "model"],
    [{ model: null }, "model"],
    [{ model: 5 }, "model"],
    [{ model: "" }, "model"],
    [{ model: "m".repeat(257) }, "model"],
    [{ stream: "true" }, "stream"],
    [{ stream: 1 }, "stream"],
    [{ stream_options: [] }, "stream_options"],
    [{ stream_options: { include_usage: "yes" } }, "stream_options.include_usage"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: -1 }, "max_tokens"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ max_tokens: "10" }, "max_tokens"],
    [{ max_completion_tokens: 2 ** 31 }, "max_completion_tokens"],
    [{ n: 0 }, "n"],
    [{ n: 129 }, "n"],
    [{ n: 10_000 }, "n"],
    [{ n: true }, "n"],
    [{ messages: undefined }, "messages"],
    [{ messages: null }, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [messages[0], "hi"] }, "messages[1]"],
    [{ messages: [null] }, "messages[0]"],
    [{ messages: [{ role: 1 }] }, "messages[0].role"],
    [{ messages: [{ content: 1 }] }, "messages[0].content"],
    [{ messages: [{ content: ["x"] }] }, "messages[0].content[0]"],
    [{ tools: {} }, "tools"],
    [{ tools: [{ function: {} }] }, "tools[0].type"],
    [{ tools: [{ type: 1 }] }, "tools[0].type"],
    [{ service_tier: 1 }, "service_tier"],
    [{ background: "no" }, "background"],
    [{ top_k: "4" }, "top_k"],
    [{ enable_thinking: "yes" }, "enable_thinking"],
    [{ stop: [1] }, "stop"],
    [{ Model: "expensive" }, "Model"],
    [{ MAX_TOKENS: 5 }, "MAX_TOKENS"],
    [{ "ſtream": true }, "ſtream"],
    [{ "toolſ": [] }, "toolſ"],
    [{ "max_to\u212aens": 5 }, "max_to\u212aens"]
  ])("refuses %j as invalid", (extra, param) => {
    assert.deepStrictEqual(refusalOf(chat(extra)), [400, "invalid_request_error", param])
  })

  it.each<[object, string]>([
    [{ service_tier: "flex" }, "service_tier"],
    [{ service_tier: "priority" }, "service_tier"],
    [{ service_tier: "scale" }, "service_tier"],
    [{ background: true }, "background"],
    [{ previous_response_id: "resp_1" }, "previous_response_id"],
    [{ conversation: "conv_1" }, "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "prompt"],
    [{ prediction: { type: "content", content: "x" } }, "prediction"],
    [{ audio: { voice: "alloy" } }, "audio"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ modalities: ["image"] }, "modalities"],
    [{ models: ["a", "b"] }, "models"],
    [{ route: "fallback" }, "route"],
    [{ chat_template: "{{ x }}" }, "chat_template"],
    [{ chat_template_kwargs: { chat_template: "x" } }, "chat_template_kwargs.chat_template"],
    [{ chat_template_kwargs: { tools: [] } }, "chat_template_kwargs.tools"],
    [{ messages: [{ role: "user", content: "x", chat_template: "y" }] }, "messages[0].chat_template"],
    [{ request_id: "r" }, "request_id"],
    [{ priority: 1 }, "priority"],
    [{ extra_body: { google: {} } }, "extra_body"],
    [{ enable_search: true }, "enable_search"],
    [{ search_parameters: {} }, "search_parameters"],
    [{ plugins: [{ id: "web" }] }, "plugins"],
    [{ cached_content: "c" }, "cached_content"],
    [{ best_of: 2 }, "best_of"],
    [{ use_beam_search: true }, "use_beam_search"],
    [{ min_tokens: 100 }, "min_tokens"],
    [{ ignore_eos: true }, "ignore_eos"],
    [{ speed: "fast" }, "speed"],
    [{ max_new_tokens: 10 }, "max_new_tokens"],
    [{ max_output_tokens: 10 }, "max_output_tokens"],
    [{ mm_processor_kwargs: { max_pixels: 1e9 } }, "mm_processor_kwargs"],
    [{ reasoning: { mode: "pro" } }, "reasoning.mode"],
    [{ reasoning: { effort: { deep: 1 } } }, "reasoning.effort"],
    [{ reasoning: { other: { deep: 1 } } }, "reasoning.other"],
    [part({ type: "file", file: { file_id: "file-1" } }), "messages[0].content[0].file.file_id"],
    [part({ type: "file", file: { file_data: "https://example.com/a.pdf" } }), "messages[0].content[0].file.file_data"],
    [part({ type: "input_audio", input_audio: { data: "" } }), "messages[0].content[0].type"],
    [part({ type: "video_url", video_url: { url: "https://x" } }), "messages[0].content[0].type"],
    [part({ type: "document", document: {} }), "messages[0].content[0].type"],
    [part({ type: "text", text: "x", image_url: { url: "https://x" } }), "messages[0].content[0].image_url"],
    [{ messages: [{ role: "assistant", audio: { id: "audio_1" } }] }, "messages[0].audio.id"],
    [{ messages: [{ role: "user", content: "x", files: [] }] }, "messages[0].files"]
  ])("refuses %j as unsupported", (extra, param) => {
    const expected = param === "reasoning.effort" ? "invalid_request_error" : "unsupported_parameter"
    assert.deepStrictEqual(refusalOf(chat(extra)), [400, expected, param])
  })

  it.each<[string, object]>([
    ["has no type", { video_url: { url: "https://example.com/a.mp4" } }],
    ["has a type of null", { type: null, text: "x" }],
    ["has a type that is not a string", { type: 1, text: "x" }],
    ["is empty", {}]
  ])("refuses a content part that %s", (_, content) => {
    assert.deepStrictEqual(refusalOf(chat(part(content))), [
      400,
      "invalid_request_error",
      "messages[0].content[0].type"
    ])
  })

  it("refuses a key that only looks like a known one, where the gateway reads the object", () => {
    const body = part({ type: "text", text: "x", Type: "image_url", image_url: "https://example.com/a.png" })
    assert.deepStrictEqual(refusalOf(chat(body)), [400, "invalid_request_error", "messages[0].content[0].Type"])
    const other = part({ type: "text", text: "x", Image_Url: "https://example.com/a.png" })
    assert.deepStrictEqual(refusalOf(chat(other)), [400, "invalid_request_error", "messages[0].content[0].Image_Url"])
  })

  it.each([
    "",
    "null",
    "[]",
    '{"model":"m","messages":[{}]',
    '{"model":"m","messages":[{}]} x',
    '{"model":"m","messages":[{}],}',
    '{"model":"m","messages":[{}],"model":"n"}',
    '{"model":"m","messages":[{}],"mod\\u0065l":"n"}',
    '{"model":"m","messages":[{]}',
    '{"model":"m","messages":[{}],"n":01}',
    '{"model":"m","messages":[{}],"x":NaN}',
    '{"model":"m","messages":[{}],"x":"\t"}',
    // The first of the two is another user's file to a parser that keeps the first.
    '{"model":"m","messages":[{"content":[{"type":"file","file":{"filename":"f","filename":null}}]}]}',
    '{"model":"m","messages":[{"content":"a","c\\u006fntent":"b"}]}',
    '{"model":"m","messages":[{"content":[{"type":"text","type":"image_url"}]}]}',
    '{"model":"m","messages":[{}],"tools":[{"type":"function","type":"web_search"}]}',
    '{"model":"m","messages":[{"x":1,"x":2}]}'
  ])("refuses the body %s", (body) => {
    assert.deepStrictEqual(refusalOf(chat(body)), [400, "invalid_request_error", null])
  })

  it.each([
    '"logit_bias":{"1":1,"1":2}',
    '"metadata":{"type":"a","type":"b","Type":"c"}',
    '"tools":[{"type":"function","function":{"name":"f","parameters":{"type":1,"Type":2,"type":3}}}]',
    '"response_format":{"type":"json_object","type":"text"}'
  ])("lets repeated keys pass in objects of the client: %s", (member) => {
    assert.deepStrictEqual(refusalOf(chat(`{"model":"m","messages":[{"role":"user","content":"hi"}],${member}}`)), [
      "accepted"
    ])
  })
})
