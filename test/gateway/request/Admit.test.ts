import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { type AdmissionRules, admit } from "../../../src/gateway/request/Admit.ts"
import type { Call, Refused } from "../../../src/gateway/request/Call.ts"
import { forwardBody } from "../../../src/gateway/request/ForwardBody.ts"
import { admittedOf, callOf, chat, embeddings, item, part, refusalOf, responses } from "./Bodies.ts"

const rules: AdmissionRules = {
  hostedTools: "drop",
  toolCallsMax: 5,
  contextTokens: 128_000,
  maxOutputTokens: 16_384,
  toolPrices: { webSearchMicros: 10_000n, fileSearchMicros: null },
  cacheTtlPriced: false
}
const under = (parsed: Call | Refused, changed: Partial<AdmissionRules> = {}) =>
  admit(callOf(parsed), { ...rules, ...changed })

/** What a channel that knows everything is sent, and the names of what was dropped. */
const sent = (parsed: Call | Refused, changed: Partial<AdmissionRules> = {}) => {
  const forwarded = forwardBody(admittedOf(under(parsed, changed)), {
    upstreamModel: "m",
    knownFields: ["stream_options", "max_tool_calls", "cache_salt", "metadata", "service_tier"],
    unknownFields: "forward",
    includeUsage: false,
    identity: (value) => value
  })
  if (forwarded === "refused") throw new Error("refused")
  const body: unknown = JSON.parse(Buffer.concat(forwarded.parts).toString())
  return { body, dropped: forwarded.dropped.toSorted() }
}

const fn = { type: "function", name: "f" }
const search = { type: "web_search" }
const namespace = (...tools: ReadonlyArray<object>) => ({ type: "namespace", name: "n", tools })

describe("admit: the output limit", () => {
  it.each<[number, number]>([[1, 1], [16_384, 16_384], [16_385, 16_384], [32_000, 16_384]])(
    "lowers %i to at most the model's",
    (limit, expected) => {
      const admitted = admittedOf(under(chat({ max_tokens: limit })))
      assert.deepStrictEqual([admitted.call.outputLimit, admitted.dropped], [expected, []])
      assert.deepInclude(sent(chat({ max_tokens: limit })).body, { max_tokens: expected })
    }
  )

  it("stays absent where the client set none", () => {
    assert.strictEqual(admittedOf(under(responses({}))).call.outputLimit, undefined)
  })
})

describe("admit: what a model does not bound", () => {
  const file = part({ type: "file", file: { file_data: "AAAA" } })
  const cached = (ttl: string) => part({ type: "text", text: "x", cache_control: { type: "ephemeral", ttl } })
  const breakpoint = (ttl: string) =>
    item({
      role: "user",
      content: [{ type: "input_text", text: "x", prompt_cache_breakpoint: { mode: "explicit", ttl } }]
    })

  it.each<[name: string, parsed: Call | Refused, changed: Partial<AdmissionRules>, expected: ReadonlyArray<unknown>]>([
    ["a file with a known context", chat(file), {}, ["accepted"]],
    ["a file without", chat(file), { contextTokens: null }, [
      400,
      "unsupported_parameter",
      "messages[0].content[0].file.file_data"
    ]],
    ["the usual lifetime", chat(cached("5m")), {}, ["accepted"]],
    ["a long lifetime", chat(cached("1h")), {}, [
      400,
      "unsupported_parameter",
      "messages[0].content[0].cache_control.ttl"
    ]],
    ["a long lifetime that has its price", chat(cached("1h")), { cacheTtlPriced: true }, ["accepted"]],
    ["a long lifetime on a tool", chat({ tools: [{ ...fn, cache_control: { ttl: "1h" } }] }), {}, [
      400,
      "unsupported_parameter",
      "tools[0].cache_control.ttl"
    ]],
    [
      "a long lifetime on a function",
      chat({ tools: [{ type: "function", function: { cache_control: { ttl: "1h" } } }] }),
      {},
      [400, "unsupported_parameter", "tools[0].function.cache_control.ttl"]
    ],
    ["a long lifetime of the whole call", chat({ cache_control: { ttl: "1h" } }), {}, [
      400,
      "unsupported_parameter",
      "cache_control.ttl"
    ]],
    ["OpenAI's usual lifetime", responses(breakpoint("30m")), {}, ["accepted"]],
    ["OpenAI's long lifetime", responses(breakpoint("12h")), {}, [
      400,
      "unsupported_parameter",
      "input[0].content[0].prompt_cache_breakpoint.ttl"
    ]],
    ["OpenAI's long lifetime as an option", responses({ prompt_cache_options: { ttl: "12h" } }), {}, [
      400,
      "unsupported_parameter",
      "prompt_cache_options.ttl"
    ]],
    ["an input that fits the context at least", responses({ input: "x".repeat(128 * 10) }), { contextTokens: 10 }, [
      "accepted"
    ]],
    ["a batch of which each input fits", embeddings({ input: ["x".repeat(128 * 6), "x".repeat(128 * 6)] }), {
      contextTokens: 10
    }, ["accepted"]],
    ["a batch that cannot fit", embeddings({ input: ["x".repeat(128 * 21), ""] }), { contextTokens: 10 }, [
      400,
      "context_length_exceeded",
      "input"
    ]],
    ["an input that cannot fit", responses({ input: "x".repeat(128 * 11) }), { contextTokens: 10 }, [
      400,
      "context_length_exceeded",
      "input"
    ]]
  ])("%s", (_, parsed, changed, expected) => {
    assert.deepStrictEqual(refusalOf(under(parsed, changed)), expected)
  })
})

describe("admit: tools that the upstream runs, dropped", () => {
  it.each<[name: string, parsed: Call | Refused, expected: object, dropped: ReadonlyArray<string>]>([
    ["are taken out between others", responses({ tools: [fn, search, fn] }), { tools: [fn, fn] }, ["tools.web_search"]],
    ["take an empty list with them", responses({ tools: [search] }), {}, ["tools.web_search"]],
    ["are taken out of namespaces", responses({ tools: [namespace(fn, search)] }), { tools: [namespace(fn)] }, [
      "tools.web_search"
    ]],
    ["take an empty namespace with them", responses({ tools: [fn, namespace(namespace(search))] }), { tools: [fn] }, [
      "tools.web_search"
    ]],
    ["take a choice that names them", responses({ tools: [fn, search], tool_choice: { type: "web_search" } }), {
      tools: [fn]
    }, ["tool_choice", "tools.web_search"]],
    [
      "take a choice of a container shell",
      responses({
        tools: [fn, { type: "shell", environment: { type: "container_auto" } }],
        tool_choice: { type: "shell" }
      }),
      { tools: [fn] },
      ["tool_choice", "tools.shell"]
    ],
    ["leave other choices", responses({ tools: [fn, search], tool_choice: { type: "function", name: "f" } }), {
      tools: [fn],
      tool_choice: { type: "function", name: "f" }
    }, ["tools.web_search"]],
    [
      "are taken out of a list of allowed tools",
      responses({
        tools: [fn, search],
        tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }, search] }
      }),
      {
        tools: [fn],
        tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] }
      },
      ["tool_choice.tools", "tools.web_search"]
    ],
    [
      "take a list that allowed only them",
      chat({
        tools: [fn, search],
        tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [search] } }
      }),
      { tools: [fn] },
      ["tool_choice", "tools.web_search"]
    ],
    ["take every choice when no tool is left", responses({ tools: [search], tool_choice: "required" }), {}, [
      "tool_choice",
      "tools.web_search"
    ]],
    [
      "take what the chat API refuses without tools",
      chat({
        tools: [search],
        tool_choice: "auto",
        parallel_tool_calls: true
      }),
      {},
      ["parallel_tool_calls", "tool_choice", "tools.web_search"]
    ],
    [
      "take their entries in include",
      responses({
        tools: [fn, search],
        include: ["web_search_call.action.sources", "reasoning.encrypted_content", "file_search_call.results"]
      }),
      { tools: [fn], include: ["reasoning.encrypted_content", "file_search_call.results"] },
      [
        "include.web_search_call.action.sources",
        "tools.web_search"
      ]
    ],
    ["take an include that is empty then", responses({ tools: [fn, search], include: ["web_search_call.results"] }), {
      tools: [fn]
    }, ["include.web_search_call.results", "tools.web_search"]],
    ["are an option of the chat API", chat({ web_search_options: { search_context_size: "low" } }), {}, [
      "web_search_options"
    ]]
  ])("%s", (_, parsed, expected, dropped) => {
    const base = callOf(parsed).dialect === "chat" ? { messages: [{ role: "user", content: "hi" }] } : { input: "hi" }
    assert.deepStrictEqual(sent(parsed), { body: { model: "m", ...base, ...expected }, dropped: [...dropped] })
  })

  it("are taken out of items that add tools, which go when they are empty", () => {
    const user = { role: "user", content: "hi" }
    const input = [
      user,
      { type: "additional_tools", role: "developer", tools: [search, fn] },
      { type: "additional_tools", role: "developer", tools: [search] },
      { type: "tool_search_output", call_id: "c", tools: [search] }
    ]
    assert.deepStrictEqual(sent(responses({ input, tool_choice: "required" })), {
      body: {
        model: "m",
        input: [
          user,
          { type: "additional_tools", role: "developer", tools: [fn] },
          { type: "tool_search_output", call_id: "c", tools: [] }
        ],
        tool_choice: "required"
      },
      dropped: ["tools.web_search"]
    })
  })

  it("leave the bytes of everything else", () => {
    const kept = `{ "type":"function", "name":"f", "parameters":{"x":1.0, "x":12345678901234567890}}`
    const text = `{"model":"m","input":"hi","tools":[ {"type":"web_search"} , ${kept} ]}`
    const forwarded = forwardBody(admittedOf(under(responses(text))), {
      upstreamModel: "m",
      knownFields: [],
      unknownFields: "drop",
      includeUsage: false,
      identity: (value) => value
    })
    const body = forwarded === "refused" ? "" : Buffer.concat(forwarded.parts).toString()
    assert.strictEqual(body, `{"model":"m","input":"hi","tools":[${kept}]}`)
  })
})

describe("admit: tools that the upstream runs, refused or priced", () => {
  it.each<[name: string, parsed: Call | Refused, changed: Partial<AdmissionRules>, param: string]>([
    [
      "are refused by a model that refuses them",
      responses({ tools: [fn, search] }),
      { hostedTools: "refuse" },
      "tools[1].type"
    ],
    ["are refused as an option too", chat({ web_search_options: {} }), { hostedTools: "refuse" }, "web_search_options"],
    ["have no price on the chat API", chat({ tools: [search] }), { hostedTools: "price" }, "tools[0].type"],
    ["have no price of their own", responses({ tools: [{ type: "mcp" }] }), { hostedTools: "price" }, "tools[0].type"],
    [
      "have no price with this model",
      responses({ tools: [{ type: "file_search" }] }),
      { hostedTools: "price" },
      "tools[0].type"
    ],
    [
      "are another product",
      responses({ tools: [{ type: "web_search_preview" }] }),
      { hostedTools: "price" },
      "tools[0].type"
    ],
    ["need prices", responses({ tools: [search] }), { hostedTools: "price", toolPrices: undefined }, "tools[0].type"],
    [
      "need a known context",
      responses({ tools: [search] }),
      { hostedTools: "price", contextTokens: null },
      "tools[0].type"
    ],
    [
      "need a call that is admitted",
      responses({ tools: [search] }),
      { hostedTools: "price", toolCallsMax: 0 },
      "tools[0].type"
    ]
  ])("%s", (_, parsed, changed, param) => {
    assert.deepStrictEqual(refusalOf(under(parsed, changed)), [400, "unsupported_parameter", param])
  })

  it.each<[name: string, extra: object, calls: number]>([
    ["the model's", {}, 5],
    ["the client's, when it is less", { max_tool_calls: 2 }, 2],
    ["the model's, when the client's is more", { max_tool_calls: 50 }, 5]
  ])("are sent with a number of calls that is %s", (_, extra, calls) => {
    const parsed = responses({ tools: [search, { type: "web_search_2025_08_26" }], ...extra })
    const admitted = admittedOf(under(parsed, { hostedTools: "price" }))
    assert.deepStrictEqual([admitted.pricedToolCalls, admitted.dropped], [calls, []])
    assert.deepInclude(sent(parsed, { hostedTools: "price" }).body, { max_tool_calls: calls })
  })

  it("are no matter where the client runs all tools", () => {
    for (const hostedTools of ["drop", "refuse", "price"] as const) {
      const admitted = admittedOf(under(responses({ tools: [fn] }), { hostedTools, contextTokens: null }))
      assert.deepStrictEqual([admitted.pricedToolCalls, admitted.dropped, admitted.changes], [0, [], undefined])
    }
  })
})
