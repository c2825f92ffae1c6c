import { assert, describe, it } from "@effect/vitest"
import { REFERENCES_MAX } from "../../../src/gateway/request/Reading.ts"
import { callOf, item, refusalOf, responses } from "./Bodies.ts"

const encrypted = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAA" }

describe("parseCall of a call to /v1/responses", () => {
  it("reads a plain call", () => {
    const call = callOf(responses({ instructions: "be brief", max_output_tokens: 16, stream: true, max_tool_calls: 3 }))
    assert.deepStrictEqual(
      [call.dialect, call.stream, call.outputLimit, call.outputLimitField, call.input.messages, call.n],
      ["responses", true, 16, "max_output_tokens", 2, 1]
    )
    assert.strictEqual(call.toolCallsMax, 3)
    assert.strictEqual(call.input.textBytes, "hi".length + "be brief".length)
  })

  it.each<[object]>([
    [item({ role: "user", content: "hi" })],
    [item(encrypted)],
    [item({ type: "function_call_output", call_id: "c", output: "{}" })],
    [item({
      role: "assistant",
      id: "msg_1",
      content: [{ type: "output_text", text: "a", annotations: [{ file_id: "f" }], logprobs: [] }]
    })],
    [{ store: true, truncation: "auto", include: ["reasoning.encrypted_content"], max_tool_calls: 1 }],
    [item({ type: "additional_tools", role: "developer", tools: [{ type: "function", name: "f" }] })],
    [{ stream_options: { include_obfuscation: false } }],
    [{ input: [] }],
    [{ n: 1, generate: true, prompt_cache_options: { mode: "explicit", ttl: "30m", prewarm: false } }],
    [{ image: { context_compression: "auto" }, client_metadata: { a: "b" }, access_programs: { cyber: "standard" } }]
  ])("accepts %j", (extra) => {
    assert.deepStrictEqual(refusalOf(responses(extra)), ["accepted"])
  })

  it.each<[object, string, string]>([
    [{ input: undefined }, "invalid_request_error", "input"],
    [{ input: null }, "invalid_request_error", "input"],
    [{ input: 5 }, "invalid_request_error", "input"],
    [{ input: ["hi"] }, "invalid_request_error", "input[0]"],
    [{ max_output_tokens: 0 }, "invalid_request_error", "max_output_tokens"],
    [{ max_tool_calls: 0 }, "invalid_request_error", "max_tool_calls"],
    [{ Max_Output_Tokens: 9 }, "invalid_request_error", "Max_Output_Tokens"],
    [{ max_tokens: 9 }, "unsupported_parameter", "max_tokens"],
    [{ n: 2 }, "unsupported_parameter", "n"],
    [{ background: true }, "unsupported_parameter", "background"],
    [{ conversation: "conv_1" }, "unsupported_parameter", "conversation"],
    [{ conversation: { id: "conv_1" } }, "unsupported_parameter", "conversation"],
    [{ prompt: { id: "pmpt_1" } }, "unsupported_parameter", "prompt"],
    [{ service_tier: "flex" }, "unsupported_parameter", "service_tier"],
    [{ generate: false }, "unsupported_parameter", "generate"],
    [{ context_management: [{ type: "compaction" }] }, "unsupported_parameter", "context_management"],
    [{ prompt_cache_options: { prewarm: true } }, "unsupported_parameter", "prompt_cache_options.prewarm"],
    [{ previous_response_id: "" }, "invalid_request_error", "previous_response_id"],
    [{ previous_response_id: 5 }, "invalid_request_error", "previous_response_id"],
    [item({ type: "item_reference" }), "invalid_request_error", "input[0].id"],
    [item({ type: "item_reference", id: "" }), "invalid_request_error", "input[0].id"],
    [item({ type: "item_reference", id: "x".repeat(513) }), "invalid_request_error", "input[0].id"],
    [item({ type: "unheard_of", text: "x" }), "unsupported_parameter", "input[0].type"],
    [item({ role: "user", content: "x", extra: { deep: 1 } }), "unsupported_parameter", "input[0].extra"],
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
    [
      item({ type: "computer_call_output", call_id: "c", output: { type: "computer_screenshot", file_id: "f" } }),
      "unsupported_parameter",
      "input[0].output.file_id"
    ],
    [item({ type: "additional_tools", tools: [{ name: "x" }] }), "invalid_request_error", "input[0].tools[0].type"]
  ])("refuses %j", (extra, code, param) => {
    assert.deepStrictEqual(refusalOf(responses(extra)), [400, code, param])
  })
})

describe("references of a call", () => {
  const refers = (extra: object) => callOf(responses(extra)).references
  const inline: ReadonlyArray<object> = [
    encrypted,
    { type: "reasoning", id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "x" }] },
    { type: "message", id: "msg_1", role: "assistant", content: [] },
    { type: "function_call", id: "fc_1", call_id: "c", name: "f", arguments: "{}" },
    { type: "image_generation_call", id: "ig_1", status: "completed", result: "iVBORw0KGgoAAAA" },
    { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } },
    { type: "compaction", id: "cmp_1", encrypted_content: "x" },
    { type: "compaction_trigger" },
    { role: "user", content: "hi" },
    { type: "reasoning", summary: [] }
  ]

  it.each(inline.map((value) => [value] as const))("are not made by %j", (value) => {
    assert.deepStrictEqual(refers(item(value)), [])
  })

  const stored: ReadonlyArray<object> = [
    { type: "item_reference", id: "x" },
    { id: "x" },
    { id: "x", type: null, role: "user" },
    { id: "x", type: "message", role: "assistant" },
    { id: "x", type: "message", role: "assistant", content: null },
    { id: "x", type: "reasoning", summary: [] },
    { id: "x", type: "reasoning", summary: [], content: [], encrypted_content: null },
    // A summary is not the content: an upstream that stores it looks the content up by the id.
    { id: "x", type: "reasoning", summary: [{ type: "summary_text", text: "thought" }] },
    { id: "x", type: "image_generation_call" },
    { id: "x", type: "image_generation_call", result: "" },
    { id: "x", type: "compaction" },
    { id: "x", type: "function_call_output", call_id: "c" }
  ]

  it.each(stored.map((value) => [value] as const))("are made by %j", (value) => {
    assert.deepStrictEqual(refers({ input: [{ role: "user", content: "hi" }, value] }), [
      { kind: "item", id: "x", param: "input[1].id" }
    ])
  })

  it("are made by a previous response", () => {
    assert.deepStrictEqual(refers({ previous_response_id: "resp_1" }), [
      { kind: "response", id: "resp_1", param: "previous_response_id" }
    ])
    assert.deepStrictEqual(refers({ previous_response_id: null }), [])
  })

  it("are bounded", () => {
    const input = Array.from(
      { length: REFERENCES_MAX + 1 },
      (_, index) => ({ type: "item_reference", id: `i${index}` })
    )
    assert.strictEqual(callOf(responses({ input: input.slice(1) })).references.length, REFERENCES_MAX)
    assert.deepStrictEqual(refusalOf(responses({ input })), [
      400,
      "invalid_request_error",
      `input[${REFERENCES_MAX}].id`
    ])
  })
})
