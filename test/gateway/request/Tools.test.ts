import { assert, describe, it } from "@effect/vitest"
import { HOSTED_KINDS_MAX, NAMESPACES_DEEP_MAX } from "../../../src/gateway/request/ToolTable.ts"
import { callOf, chat, item, refusalOf, responses } from "./Bodies.ts"

const fn = { type: "function", name: "f", parameters: { type: "object", Type: 1 } }
const namespace = (...tools: ReadonlyArray<object>) => ({ type: "namespace", name: "n", description: "d", tools })

describe("tools", () => {
  it.each<[name: string, tools: ReadonlyArray<object>]>([
    ["function", [fn]],
    ["custom", [{ type: "custom", name: "c", format: { type: "grammar", syntax: "lark", definition: "x" } }]],
    ["namespace", [namespace(fn, { type: "custom", name: "c" })]],
    ["namespaces in a namespace", [namespace(namespace(fn), namespace(namespace(fn)))]],
    ["tool_search that the client runs", [{ type: "tool_search", execution: "client", parameters: {} }]],
    ["local_shell", [{ type: "local_shell" }]],
    ["shell that names no environment", [{ type: "shell" }, { type: "shell", environment: null }]],
    ["shell in a local environment", [{ type: "shell", environment: { type: "local", skills: [{ name: "s" }] } }]],
    ["apply_patch", [{ type: "apply_patch" }, { type: "apply_patch", environment: { type: "local" } }]]
  ])("are the client's: %s", (_, tools) => {
    for (const extra of [{ tools }, item({ type: "additional_tools", role: "developer", tools })]) {
      assert.deepStrictEqual(callOf(responses(extra)).hostedTools, [])
    }
    assert.deepStrictEqual(callOf(chat({ tools })).hostedTools, [])
  })

  it.each<[tool: object, type: string]>([
    [{ type: "web_search", filters: { allowed_domains: ["a"] } }, "web_search"],
    [{ type: "web_search_preview" }, "web_search_preview"],
    [{ type: "file_search", vector_store_ids: ["vs_1"] }, "file_search"],
    [{ type: "code_interpreter", container: { type: "auto" } }, "code_interpreter"],
    [{ type: "image_generation" }, "image_generation"],
    [{ type: "mcp", server_url: "https://x", headers: { a: "b" } }, "mcp"],
    [{ type: "tool_search" }, "tool_search"],
    [{ type: "tool_search", execution: "server" }, "tool_search"],
    [{ type: "shell", environment: { type: "container_auto" } }, "shell"],
    [{ type: "shell", environment: { id: "x" } }, "shell"],
    [{ type: "shell", environment: "local" }, "shell"],
    [{ environment: { type: "container_reference", container_id: "c" }, type: "apply_patch" }, "apply_patch"],
    [{ type: "unheard_of", options: { a: [1] } }, "unheard_of"]
  ])("are the upstream's, in any wrapping: %j", (tool, type) => {
    for (
      const [extra, place] of [
        [{ tools: [fn, tool] }, "tools[1].type"],
        [{ tools: [namespace(fn, tool)] }, "tools[0].tools[1].type"],
        [item({ type: "additional_tools", tools: [tool] }), "input[0].tools[0].type"],
        [item({ type: "tool_search_output", call_id: "c", tools: [tool] }), "input[0].tools[0].type"]
      ] as const
    ) {
      const call = callOf(responses(extra))
      assert.deepStrictEqual([call.hostedTools, call.places?.hostedTool], [[type], place])
    }
  })

  it("that the upstream runs are named once, with the fields that hold them", () => {
    const search = { type: "web_search" }
    const call = callOf(responses({ tools: [search, search], input: [{ type: "additional_tools", tools: [search] }] }))
    assert.deepStrictEqual([call.hostedTools, call.hostedFields], [["web_search"], ["input", "tools"]])
    const options = callOf(chat({ web_search_options: {} }))
    assert.deepStrictEqual([options.hostedTools, options.hostedFields], [["web_search_options"], [
      "web_search_options"
    ]])
  })

  it("are counted as their JSON, spaces left out", () => {
    const tools = [fn, namespace(fn)]
    const { input } = callOf(responses(`{"model":"m","input":"hi","tools":${JSON.stringify(tools, null, 4)}}`))
    const bytes = tools.map((tool) => JSON.stringify(tool).length).reduce((sum, length) => sum + length)
    assert.deepStrictEqual([input.tools, input.textBytes], [3, bytes + "hi".length])
  })

  it.each<[name: string, tools: ReadonlyArray<object>, code: string, param: string]>([
    [
      "an unknown object of a tool that the client runs",
      [{ ...fn, extra: { a: 1 } }],
      "unsupported_parameter",
      "tools[0].extra"
    ],
    [
      "an unknown object of a function",
      [{ type: "function", function: { name: "f", extra: [1] } }],
      "unsupported_parameter",
      "tools[0].function.extra"
    ],
    [
      "a name that looks like a known one",
      [{ type: "function", Type: "web_search" }],
      "invalid_request_error",
      "tools[0].Type"
    ],
    ["a type without letters", [{ type: "" }], "invalid_request_error", "tools[0].type"],
    ["a type that is too long", [{ type: "x".repeat(65) }], "invalid_request_error", "tools[0].type"]
  ])("refuse %s", (_, tools, code, param) => {
    assert.deepStrictEqual(refusalOf(chat({ tools })), [400, code, param])
  })

  it("are bounded in kinds and in depth", () => {
    const kinds = Array.from({ length: HOSTED_KINDS_MAX + 1 }, (_, index) => ({ type: `t${index}` }))
    assert.strictEqual(callOf(responses({ tools: kinds.slice(1) })).hostedTools.length, HOSTED_KINDS_MAX)
    assert.strictEqual(refusalOf(responses({ tools: kinds }))[1], "invalid_request_error")
    let nested: object = fn
    for (let depth = 0; depth < NAMESPACES_DEEP_MAX; depth++) nested = namespace(nested)
    assert.deepStrictEqual(refusalOf(responses({ tools: [nested] })), ["accepted"])
    assert.strictEqual(refusalOf(responses({ tools: [namespace(nested)] }))[1], "invalid_request_error")
  })
})
