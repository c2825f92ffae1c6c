import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { type Call, forwardBody, holdInputTokens, type Refused } from "../../src/gateway/CallRequest.ts"
import { parseChatRequest } from "../../src/gateway/ChatRequest.ts"
import { parseResponsesRequest } from "../../src/gateway/ResponsesRequest.ts"

const messages = [{ role: "user", content: "hi" }]
const encode = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value))
const chat = (extra: object | string) =>
  parseChatRequest(encode(typeof extra === "string" ? extra : { model: "m", messages, ...extra }))
const responses = (extra: object) => parseResponsesRequest(encode({ model: "m", input: "hi", ...extra }))

const callOf = (parsed: Call | Refused): Call => {
  if (parsed._tag === "Refused") throw new Error(`${parsed.param}: ${parsed.message}`)
  return parsed
}
const refusalOf = (parsed: Call | Refused) =>
  parsed._tag === "Refused" ? [parsed.status, parsed.code, parsed.param] : ["accepted"]
const part = (content: object) => ({ messages: [{ role: "user", content: [content] }] })
const item = (value: object) => ({ input: [value] })

describe("parseChatRequest", () => {
  it("reads a plain call", () => {
    const body = encode({ model: "m", messages })
    const { fields, ...call } = callOf(parseChatRequest(body))
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
      inputBytes: body.length,
      messages: 1,
      images: 0
    })
  })

  it("reads limits, answers and stream options", () => {
    const call = callOf(chat({
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 7,
      max_tokens: null,
      n: 3
    }))
    assert.deepStrictEqual(
      [call.stream, call.wantsUsage, call.outputLimit, call.outputLimitField, call.n],
      [true, true, 7, "max_completion_tokens", 3]
    )
  })

  it.each<[object]>([
    [{ stream: null, stream_options: null, n: null, max_tokens: null, tools: null, service_tier: null }],
    [{ service_tier: "default", background: false, store: true, logprobs: true, modalities: ["text"] }],
    [{ tools: [{ type: "function", function: { name: "f" } }, { type: "custom", custom: { name: "c" } }] }],
    [{ unknown: { deep: [1, 2, 3] }, enable_search: false, max_tokens: 2 ** 31 - 1, n: 128 }],
    [{ tools: [{ type: "function", function: { parameters: { properties: { file_id: { type: "string" } } } } }] }],
    [{ metadata: { Model: "x" }, "X-Model": 1 }],
    [{ messages: [{ role: "assistant", content: null, tool_calls: [{ id: "call_1", function: { name: "f" } }] }] }],
    [part({ type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } })]
  ])("accepts %j", (extra) => {
    assert.deepStrictEqual(refusalOf(chat(extra)), ["accepted"])
  })

  it.each<[object, string | null]>([
    [{ model: undefined }, "model"],
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
    [{ max_tokens: 1, max_completion_tokens: 1 }, "max_tokens"],
    [{ n: 0 }, "n"],
    [{ n: 129 }, "n"],
    [{ n: 10_000 }, "n"],
    [{ n: true }, "n"],
    [{ messages: undefined }, "messages"],
    [{ messages: "hi" }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [messages[0], "hi"] }, "messages[1]"],
    [{ tools: {} }, "tools"],
    [{ tools: [{ function: {} }] }, "tools[0].type"],
    [{ service_tier: 1 }, "service_tier"],
    [{ background: "no" }, "background"],
    [{ Model: "expensive" }, "Model"],
    [{ MAX_TOKENS: 5 }, "MAX_TOKENS"],
    [{ "\u017ftream": true }, "\u017ftream"],
    [{ "max_to\u212aens": 5 }, "max_to\u212aens"]
  ])("refuses %j as invalid", (extra, param) => {
    assert.deepStrictEqual(refusalOf(chat(extra)), [400, "invalid_request_error", param])
  })

  it.each<[object, string]>([
    [{ tools: [{ type: "function" }, { type: "web_search" }] }, "tools[1].type"],
    [{ web_search_options: {} }, "web_search_options"],
    [{ service_tier: "auto" }, "service_tier"],
    [{ service_tier: "flex" }, "service_tier"],
    [{ service_tier: "priority" }, "service_tier"],
    [{ service_tier: "scale" }, "service_tier"],
    [{ background: true }, "background"],
    [{ previous_response_id: "resp_1" }, "previous_response_id"],
    [{ prediction: { type: "content", content: "x" } }, "prediction"],
    [{ audio: { voice: "alloy" } }, "audio"],
    [{ modalities: ["text", "audio"] }, "modalities"],
    [{ modalities: ["image"] }, "modalities"],
    [{ models: ["a", "b"] }, "models"],
    [part({ type: "file", file: { file_id: "file-1" } }), "messages[0].content[0].file.file_id"],
    [part({ type: "input_audio", input_audio: { data: "" } }), "messages[0].content[0].type"],
    [{ messages: [{ role: "assistant", audio: { id: "audio_1" } }] }, "messages[0].audio.id"]
  ])("refuses %j as unsupported", (extra, param) => {
    assert.deepStrictEqual(refusalOf(chat(extra)), [400, "unsupported_parameter", param])
  })

  it.each([
    "",
    "null",
    "[]",
    '{"model":"m","messages":[{}],"model":"n"}',
    '{"model":"m","messages":[{}],"mod\\u0065l":"n"}',
    '{"model":"m","messages":[{]}',
    '{"model":"m","messages":[{}],"n":01}',
    // The first of the two is another user's file to a parser that keeps the first.
    '{"model":"m","messages":[{"content":[{"file":{"file_id":"f","file_id":null}}]}]}'
  ])("refuses the body %s", (body) => {
    assert.deepStrictEqual(refusalOf(chat(body)), [400, "invalid_request_error", null])
  })

  it("lets a repeated key pass where the gateway reads nothing", () => {
    const body = '{"model":"m","messages":[{"role":"user","content":"hi"}],"logit_bias":{"1":1,"1":2}}'
    assert.deepStrictEqual(refusalOf(chat(body)), ["accepted"])
  })

  it("counts images apart from text", () => {
    const url = `data:image/png;base64,${"A".repeat(100_000)}`
    const call = callOf(chat({
      messages: [{
        role: "user",
        content: [
          { type: "text", text: "what is this?" },
          { type: "image_url", image_url: { url } },
          { type: "image_url", image_url: { url: "https://example.com/a.png" } }
        ]
      }]
    }))
    assert.strictEqual(call.images, 2)
    assert.strictEqual(call.inputBytes, call.body.length - url.length - "https://example.com/a.png".length)
    assert.strictEqual(holdInputTokens(call), Math.ceil(call.inputBytes / 3) + 8 + 2 * 1600)
  })

  it("takes for text what only looks like an image", () => {
    const text = "x".repeat(1000)
    for (const content of [{ type: "text", image_url: `https://${text}` }, { type: "image_url", image_url: text }]) {
      const call = callOf(chat(part(content)))
      assert.strictEqual(call.inputBytes, call.body.length)
    }
  })

  it("never counts fewer bytes than the body has beside its images, however they are escaped", () => {
    const url = "https://example.com/" + "é".repeat(50)
    const escaped = JSON.stringify(url).replaceAll("é", "\\u00e9").replaceAll("/", "\\/")
    const call = callOf(chat(
      `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":${escaped}}}]}]}`
    ))
    assert.strictEqual(call.inputBytes, call.body.length - Buffer.byteLength(url))
    assert.isAtLeast(call.inputBytes, call.body.length - escaped.length)
  })
})

describe("parseResponsesRequest", () => {
  it("reads a plain call", () => {
    const call = callOf(responses({ instructions: "be brief", max_output_tokens: 16, stream: true }))
    assert.deepStrictEqual(
      [call.dialect, call.stream, call.outputLimit, call.outputLimitField, call.messages, call.n],
      ["responses", true, 16, "max_output_tokens", 2, 1]
    )
  })

  it.each<[object]>([
    [item({ role: "user", content: "hi" })],
    [item({ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAA" })],
    [item({ type: "function_call_output", call_id: "c", output: "{}" })],
    [item({
      role: "assistant",
      id: "msg_1",
      content: [{ type: "output_text", text: "a", annotations: [{ file_id: "f" }] }]
    })],
    [{ store: true, truncation: "auto", include: ["reasoning.encrypted_content"], max_tool_calls: 1 }],
    [item({ type: "additional_tools", role: "developer", tools: [{ type: "function", name: "f" }] })],
    [{ stream_options: { include_obfuscation: false } }]
  ])("accepts %j", (extra) => {
    assert.deepStrictEqual(refusalOf(responses(extra)), ["accepted"])
  })

  it.each<[object, string, string]>([
    [{ input: undefined }, "invalid_request_error", "input"],
    [{ input: null }, "invalid_request_error", "input"],
    [{ input: 5 }, "invalid_request_error", "input"],
    [{ input: ["hi"] }, "invalid_request_error", "input[0]"],
    [{ max_output_tokens: 0 }, "invalid_request_error", "max_output_tokens"],
    [{ Max_Output_Tokens: 9 }, "invalid_request_error", "Max_Output_Tokens"],
    [{ tools: [{ type: "web_search_preview" }] }, "unsupported_parameter", "tools[0].type"],
    [{ tools: [{ type: "mcp" }] }, "unsupported_parameter", "tools[0].type"],
    [{ background: true }, "unsupported_parameter", "background"],
    [{ previous_response_id: "resp_1" }, "unsupported_parameter", "previous_response_id"],
    [{ conversation: "conv_1" }, "unsupported_parameter", "conversation"],
    [{ conversation: { id: "conv_1" } }, "unsupported_parameter", "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "unsupported_parameter", "prompt"],
    [{ service_tier: "auto" }, "unsupported_parameter", "service_tier"],
    [item({ type: "item_reference", id: "msg_1" }), "unsupported_parameter", "input[0].id"],
    [item({ id: "msg_1" }), "unsupported_parameter", "input[0].id"],
    [item({ id: "msg_1", type: null, role: "user" }), "unsupported_parameter", "input[0].id"],
    [
      item({ content: [{ type: "input_file", file_id: "file-1" }] }),
      "unsupported_parameter",
      "input[0].content[0].file_id"
    ],
    [
      item({ content: [{ type: "input_image", file_id: "file-1" }] }),
      "unsupported_parameter",
      "input[0].content[0].file_id"
    ],
    [
      item({ content: [{ type: "input_file", file_url: "https://x" }] }),
      "unsupported_parameter",
      "input[0].content[0].file_url"
    ],
    [
      item({ type: "function_call_output", output: [{ type: "input_image", file_id: "f" }] }),
      "unsupported_parameter",
      "input[0].output[0].file_id"
    ],
    [item({ type: "additional_tools", tools: [{ type: "mcp" }] }), "unsupported_parameter", "input[0].tools[0].type"]
  ])("refuses %j", (extra, code, param) => {
    assert.deepStrictEqual(refusalOf(responses(extra)), [400, code, param])
  })

  it("counts images", () => {
    const url = "data:image/png;base64,AAAA"
    const call = callOf(responses(item({ role: "user", content: [{ type: "input_image", image_url: url }] })))
    assert.deepStrictEqual([call.images, call.inputBytes], [1, call.body.length - url.length])
  })
})

describe("forwardBody", () => {
  const forward = (parsed: Call | Refused, forwarding: Partial<Parameters<typeof forwardBody>[1]> = {}) =>
    Buffer.from(forwardBody(callOf(parsed), { upstreamModel: "up", includeUsage: false, ...forwarding })).toString()

  it("writes what it read and keeps the bytes of the rest", () => {
    const rest =
      '"messages" : [ {"role":"user", "content":"\\u6f22 \\/ 1e400"} ], "seed": 12345678901234567890, "top_p":1.0'
    const body = `{ "model":"m", "stream" : false,"n":1e0, "max_tokens":1.0e2, ${rest} }`
    assert.strictEqual(
      forward(chat(body)),
      `{ "model":"up","stream" : false,"n":1,"max_tokens":100,${rest} }`
    )
  })

  it.each<[string, object, Partial<Parameters<typeof forwardBody>[1]>, object]>([
    ["asks a stream for usage", { stream: true }, { includeUsage: true }, {
      stream: true,
      stream_options: { include_usage: true }
    }],
    [
      "keeps other stream options",
      { stream: true, stream_options: { include_obfuscation: false, include_usage: false } },
      { includeUsage: true },
      {
        stream: true,
        stream_options: { include_obfuscation: false, include_usage: true }
      }
    ],
    [
      "takes the option out for a channel that does not know it",
      { stream: true, stream_options: { include_usage: true } },
      {},
      {
        stream: true
      }
    ],
    ["asks nothing of a call that is not streamed", {}, { includeUsage: true }, {}],
    ["writes null as what it stands for", { stream: null, n: null, max_tokens: null }, {}, { stream: false, n: 1 }],
    ["sets a limit where the client set none", {}, { outputLimit: { field: "max_tokens", value: 9 } }, {
      max_tokens: 9
    }],
    ["puts a limit in the place of the client's", { max_tokens: 50 }, {
      outputLimit: { field: "max_completion_tokens", value: 9 }
    }, { max_completion_tokens: 9 }]
  ])("%s", (_, extra, forwarding, expected) => {
    assert.deepStrictEqual(JSON.parse(forward(chat(extra), forwarding)), { model: "up", messages, ...expected })
  })

  it("leaves the stream options of a response alone", () => {
    const extra = { stream: true, stream_options: { include_obfuscation: false } }
    assert.deepStrictEqual(
      JSON.parse(
        forward(responses(extra), { includeUsage: true, outputLimit: { field: "max_output_tokens", value: 3 } })
      ),
      { model: "up", input: "hi", ...extra, max_output_tokens: 3 }
    )
  })

  it.prop("forwards any other parameter unchanged", [Schema.Record(Schema.String, Schema.Json)], ([extra]) => {
    const others = Object.fromEntries(Object.entries(extra).map(([key, value]) => [`x-${key}`, value]))
    assert.deepStrictEqual(
      JSON.parse(forward(chat(others))),
      JSON.parse(JSON.stringify({ model: "up", messages, ...others }))
    )
  })
})
