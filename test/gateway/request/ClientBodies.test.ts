/**
 * What real clients send by default. The fixture holds bodies that were recorded from unmodified clients, their long texts cut; the
 * rest follows the source of clients that need a window.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { readFileSync } from "node:fs"
import { admit } from "../../../src/gateway/request/Admit.ts"
import { forwardBody } from "../../../src/gateway/request/ForwardBody.ts"
import { defaultTerms } from "../../../src/domain/ModelTerms.ts"
import { defaultChannelTerms } from "../../../src/domain/ChannelTerms.ts"
import { admittedOf, callOf, chat, item, parseAs, refusalOf, responses } from "./Bodies.ts"

const Recorded = Schema.fromJsonString(Schema.Struct({
  client: Schema.String,
  dialect: Schema.Literals(["chat", "responses", "embeddings"]),
  body: Schema.Record(Schema.String, Schema.Unknown)
}))
const decode = Schema.decodeUnknownSync(Recorded)

const recorded = readFileSync(new URL("fixtures/clientBodies.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => decode(line))

/** The call as a model and a channel with default settings take it. */
const byDefault = (dialect: typeof recorded[number]["dialect"], body: object) => {
  const call = callOf(parseAs[dialect](JSON.stringify(body)))
  const admitted = admittedOf(admit(call, {
    ...defaultTerms,
    contextTokens: 200_000,
    toolPrices: undefined,
    cacheTtlPriced: false
  }))
  const forwarded = forwardBody(admitted, {
    ...defaultChannelTerms,
    upstreamModel: "up",
    includeUsage: true,
    identity: (value) => value
  })
  if (forwarded === "refused") throw new Error("refused")
  const sent: unknown = JSON.parse(Buffer.concat(forwarded.parts).toString())
  return { call, sent, dropped: forwarded.dropped }
}

describe("bodies of real clients", () => {
  it("are recorded from each of them", () => {
    assert.deepStrictEqual([...new Set(recorded.map(({ client }) => client))].toSorted(), [
      "@langchain/openai",
      "@openai/agents",
      "@openai/codex 0.171",
      "ai",
      "openai"
    ])
  })

  it.each(recorded.map((body, index) => [index, body.client, body] as const))(
    "are admitted, and sent with nothing lost but what is named: %i, %s",
    (_, __, { dialect, body }) => {
      const { call, dropped, sent } = byDefault(dialect, body)
      assert.deepStrictEqual(call.unknownFields, [])
      if (dropped.length === 0) assert.deepInclude(sent, { ...body, model: "up", ...streamOptions(dialect, body) })
      for (const name of dropped) {
        assert.match(name, /^(?:tools\.(?:web_search|code_interpreter)|include\.|metadata$|client_metadata$)/)
      }
    }
  )

  it("refer to stored items on the second turn, as the AI SDK's default provider does", () => {
    const turns = recorded.filter(({ client }) => client === "ai").map(({ body, dialect }) =>
      byDefault(dialect, body).call
    )
    const references = turns.flatMap((call) => call.references)
    assert.isAbove(references.length, 0)
    assert.isTrue(references.every(({ kind, param }) => kind === "item" && /^input\[\d+\]\.id$/.test(param)))
  })

  it("of Codex hold tools in namespaces and in added items", () => {
    const calls = recorded.filter(({ client }) => client.startsWith("@openai/codex"))
      .map(({ body, dialect }) => byDefault(dialect, body))
    assert.isTrue(calls.every(({ call }) => call.input.tools > 5 && call.references.length === 0))
    assert.isTrue(calls.some(({ dropped }) => dropped.includes("tools.web_search")))
    assert.isTrue(calls.every(({ dropped }) => dropped.includes("client_metadata")))
  })

  it.each<[client: string, parsed: ReturnType<typeof chat>]>([
    [
      "Cline",
      responses({
        instructions: "x",
        tools: [{ type: "function", name: "f", strict: true }, { type: "web_search" }, { type: "image_generation" }],
        reasoning: { effort: "medium", summary: "auto" },
        store: true,
        stream: true
      })
    ],
    ["opencode", chat({ max_tokens: 32_000, stream: true, stream_options: { include_usage: true }, top_p: 1 })],
    [
      "opencode with marks for a cache",
      chat({
        messages: [
          { role: "system", content: "x", cache_control: { type: "ephemeral" } },
          { role: "user", content: [{ type: "text", text: "x", cache_control: { type: "ephemeral" } }] },
          {
            role: "assistant",
            content: "x",
            reasoning_text: "y",
            reasoning_opaque: "z",
            copilot_cache_control: { type: "e" }
          }
        ]
      })
    ],
    ["Cherry Studio", chat({ service_tier: "auto", temperature: 1, top_p: 1, enable_thinking: false })],
    ["Cursor", chat({ tools: [{ type: "function", name: "f", description: "d", parameters: {} }], user: "u" })],
    ["Continue", chat({ max_tokens: 4_096, stop: null, stream: true })],
    ["LibreChat", chat({ user: "u", presence_penalty: 0, frequency_penalty: 0, stream: true })],
    ["Open WebUI", chat({ stream: true, params: {}, features: { web_search: false } })],
    ["Dify", chat({ stop: ["x"], response_format: { type: "text" }, user: "u", stream: true })],
    [
      "OpenRouter's clients",
      chat({
        messages: [{
          role: "assistant",
          content: "x",
          reasoning: "y",
          reasoning_details: [{ type: "reasoning.text" }]
        }],
        provider: { order: ["a"] },
        transforms: ["middle-out"],
        usage: { include: true },
        reasoning: { effort: "high", exclude: false }
      })
    ],
    [
      "LiteLLM's clients",
      chat({
        messages: [{ role: "assistant", content: "x", provider_specific_fields: { a: [1] }, thinking_blocks: [{}] }]
      })
    ],
    [
      "Claude Code behind a router",
      chat({
        messages: [
          { role: "user", content: [{ type: "text", text: "x", cache_control: { type: "ephemeral" } }] },
          { role: "assistant", content: null, thinking: { content: "x", signature: "y" } }
        ],
        reasoning: { effort: "high", enabled: true },
        tools: [{ type: "function", function: { name: "f", parameters: {} } }]
      })
    ],
    [
      "the upstreams of Groq, Perplexity, Mistral and Databricks, sent back",
      chat({
        messages: [
          { role: "assistant", content: "x", executed_tools: [{ type: "search", output: "y" }] },
          { role: "assistant", content: "x", citations: ["https://a"], search_results: [{ url: "https://a" }] },
          {
            role: "assistant",
            content: [
              { type: "reasoning", summary: [{ type: "summary_text", text: "x", signature: "y" }] },
              { type: "text", text: "z" },
              { type: "reference", reference_ids: [1] }
            ]
          }
        ]
      })
    ],
    [
      "the Agents SDK",
      responses(item({ type: "function_call", call_id: "c", name: "f", arguments: "{}", provider_data: { a: 1 } }))
    ],
    ["servers of MCP", chat({ tools: [{ type: "function", function: { name: "f", annotations: { title: "x" } } }] })],
    ["NextChat", chat({ max_tokens: 4_000, max_completion_tokens: 4_000 })],
    [
      "openai-node's parse",
      chat({
        messages: [{
          role: "assistant",
          content: "{}",
          parsed: { a: 1 },
          tool_calls: [{
            id: "c",
            type: "function",
            function: { name: "f", arguments: "{}", parsed_arguments: { a: 1 } }
          }]
        }]
      })
    ],
    [
      "the chat API's older functions",
      chat({ functions: [{ name: "f", parameters: {} }], function_call: { name: "f" } })
    ]
  ])("of %s are admitted", (_, parsed) => {
    assert.deepStrictEqual(refusalOf(parsed), ["accepted"])
  })

  const caller = { type: "program", caller_id: "p" }
  it.each<[object]>([
    [{
      type: "message",
      id: "m",
      role: "assistant",
      status: "completed",
      phase: null,
      content: [
        { type: "output_text", text: "x", annotations: [{ type: "file_citation", file_id: "f" }], logprobs: [] },
        { type: "refusal", refusal: "no" }
      ]
    }],
    [{
      type: "reasoning",
      id: "r",
      summary: [{ type: "summary_text", text: "x" }],
      encrypted_content: "y",
      status: null
    }],
    [{ type: "function_call", id: "f", call_id: "c", name: "n", arguments: "{}", status: "completed", caller }],
    [{ type: "function_call_output", call_id: "c", output: "x", caller }],
    [{
      type: "function_call_output",
      call_id: "c",
      output: [
        { type: "input_text", text: "x" },
        { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "auto" },
        { type: "input_file", filename: "a", file_data: "AAAA" }
      ]
    }],
    [{ type: "custom_tool_call", id: "x", call_id: "c", name: "n", input: "text" }],
    [{ type: "custom_tool_call_output", call_id: "c", output: "x" }],
    [{
      type: "local_shell_call",
      id: "x",
      call_id: "c",
      status: "completed",
      action: { type: "exec", command: ["ls"], env: {} }
    }],
    [{ type: "local_shell_call_output", id: "x", output: "y" }],
    [{
      type: "shell_call",
      id: "x",
      call_id: "c",
      status: "completed",
      action: { commands: ["ls"], timeout_ms: null }
    }],
    [{
      type: "shell_call_output",
      call_id: "c",
      output: [{ stdout: "", stderr: "", outcome: { type: "exit", exit_code: 0 } }]
    }],
    [{
      type: "apply_patch_call",
      id: "x",
      call_id: "c",
      status: "completed",
      operation: { type: "delete_file", path: "a" }
    }],
    [{ type: "apply_patch_call_output", id: "x", call_id: "c", status: "completed" }],
    [{
      type: "web_search_call",
      id: "x",
      status: "completed",
      action: { type: "search", queries: ["a"], sources: [] }
    }],
    [{
      type: "file_search_call",
      id: "x",
      status: "completed",
      queries: ["a"],
      results: [{ file_id: "f", text: "t" }]
    }],
    [{ type: "code_interpreter_call", id: "x", code: "1", container_id: "c", outputs: [{ type: "logs", logs: "1" }] }],
    [{ type: "image_generation_call", id: "x", status: "completed", result: "iVBORw0KGgoAAA", revised_prompt: "p" }],
    [{ type: "computer_call", id: "x", call_id: "c", action: { type: "wait" }, pending_safety_checks: [] }],
    [{ type: "computer_call_output", call_id: "c", output: { type: "computer_screenshot", image_url: "https://a/b" } }],
    [{ type: "mcp_list_tools", id: "x", server_label: "s", tools: [{ name: "t", input_schema: { type: "object" } }] }],
    [{ type: "mcp_approval_request", id: "x", name: "n", server_label: "s", arguments: "{}" }],
    [{ type: "mcp_approval_response", approval_request_id: "x", approve: true }],
    [{ type: "mcp_call", id: "x", name: "n", server_label: "s", arguments: "{}", output: "y", error: null }],
    [{ type: "tool_search_call", id: "x", call_id: null, execution: "client", arguments: { query: "a" } }],
    [{
      type: "tool_search_output",
      call_id: "c",
      execution: "client",
      status: "completed",
      tools: [{ type: "function" }]
    }],
    [{ type: "additional_tools", id: "at_1", role: "developer", tools: [] }],
    [{ type: "configuration_update", id: "x", reasoning: { effort: "high" } }],
    [{ type: "program", id: "x", call_id: "c", code: "1", fingerprint: "f" }],
    [{ type: "program_output", id: "x", call_id: "c", result: "1", status: "completed" }],
    [{ type: "compaction", id: "x", encrypted_content: "y", created_by: "z" }],
    [{ type: "compaction_summary", encrypted_content: "y" }],
    [{
      type: "agent_message",
      author: "/root",
      recipient: "/w",
      content: [{ type: "encrypted_content", encrypted_content: "x" }]
    }],
    [{ type: "message", role: "user", content: [], internal_chat_message_metadata_passthrough: { turn_id: "t" } }]
  ])("send items of an answer back: %j", (value) => {
    const call = callOf(responses(item(value)))
    assert.deepStrictEqual([call.references, call.hostedTools, call.input.messages], [[], [], 1])
  })
})

const streamOptions = (dialect: string, body: Readonly<Record<string, unknown>>): object =>
  dialect === "chat" && body.stream === true ? { stream_options: { include_usage: true } } : {}
