import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { admit } from "../../../src/gateway/request/Admit.ts"
import type { Call, Refused } from "../../../src/gateway/request/Call.ts"
import { forwardBody, type Forwarding } from "../../../src/gateway/request/ForwardBody.ts"
import { admittedOf, callOf, chat, embeddings, messages, responses } from "./Bodies.ts"

const forward = (parsed: Call | Refused, forwarding: Partial<Forwarding> = {}) => {
  const admitted = admittedOf(admit(callOf(parsed), {
    hostedTools: "price",
    toolCallsMax: 5,
    contextTokens: 1_000_000,
    maxOutputTokens: 2 ** 31,
    toolPrices: { webSearchMicros: 1n, fileSearchMicros: 1n },
    cacheTtlPriced: true
  }))
  return forwardBody(admitted, {
    upstreamModel: "up",
    knownFields: ["stream_options"],
    unknownFields: "drop",
    includeUsage: false,
    identity: (value) => `code of ${value}`,
    ...forwarding
  })
}

const forwarded = (parsed: Call | Refused, forwarding: Partial<Forwarding> = {}) => {
  const result = forward(parsed, forwarding)
  if (result === "refused") throw new Error("refused")
  return { text: Buffer.concat(result.parts).toString(), dropped: result.dropped }
}
const jsonOf = (parsed: Call | Refused, forwarding: Partial<Forwarding> = {}): unknown =>
  JSON.parse(forwarded(parsed, forwarding).text)

describe("forwardBody", () => {
  it("writes what it read and keeps the bytes of the rest", () => {
    const rest =
      '"messages" : [ {"role":"user", "content":"\\u6f22 \\/ 1e400"} ], "seed": 12345678901234567890, "top_p":1.0'
    const body = `{ "model":"m", "stream" : false,"n":1e0, "max_tokens":1.0e2, ${rest} }`
    assert.strictEqual(forwarded(chat(body)).text, `{ "model":"up","stream" : false,"n":1,"max_tokens":100,${rest} }`)
  })

  it.each<[string, object, Partial<Forwarding>, object]>([
    ["asks a stream for usage", { stream: true }, { includeUsage: true }, {
      stream: true,
      stream_options: { include_usage: true }
    }],
    [
      "keeps other stream options",
      { stream: true, stream_options: { include_obfuscation: false, include_usage: false } },
      { includeUsage: true },
      { stream: true, stream_options: { include_obfuscation: false, include_usage: true } }
    ],
    [
      "takes the option out for a channel that does not know it",
      { stream: true, stream_options: { include_usage: true } },
      { knownFields: [] },
      { stream: true }
    ],
    ["takes it out where usage is not asked for", { stream: true, stream_options: { include_usage: true } }, {}, {
      stream: true
    }],
    ["asks nothing of a call that is not streamed", {}, { includeUsage: true }, {}],
    ["writes null as what it stands for", { stream: null, n: null, max_tokens: null }, {}, { stream: false, n: 1 }],
    ["keeps other nulls", { stop: null, user: null, tools: null }, {}, { stop: null, user: null, tools: null }],
    ["sets a limit where the client set none", {}, { outputLimit: { field: "max_tokens", value: 9 } }, {
      max_tokens: 9
    }],
    ["puts a limit in the place of the client's", { max_tokens: 50 }, {
      outputLimit: { field: "max_completion_tokens", value: 9 }
    }, { max_completion_tokens: 9 }],
    ["sends the smaller of two limits", { max_tokens: 50, max_completion_tokens: 70 }, {}, {
      max_completion_tokens: 50
    }],
    ["takes out what is switched off", { plugins: [], best_of: 1, enable_search: false, speed: null }, {}, {
      speed: null
    }],
    ["takes out options of a stream where none is asked for", { stream: false, stream_options: {} }, {
      knownFields: ["stream_options"]
    }, { stream: false }],
    ["takes out a tier that the channel does not know", { service_tier: "auto" }, {}, {}],
    ["sends a tier as the default", { service_tier: "auto" }, { knownFields: ["service_tier"] }, {
      service_tier: "default"
    }],
    ["replaces what names a user or a cache", { user: "u", safety_identifier: "s", prompt_cache_key: 'p\\"' }, {}, {
      user: "code of u",
      safety_identifier: "code of s",
      prompt_cache_key: 'code of p\\"'
    }],
    ["sends a salt and metadata to a channel that knows them", { cache_salt: "c", metadata: { a: "b" } }, {
      knownFields: ["cache_salt", "metadata"]
    }, { cache_salt: "code of c", metadata: { a: "b" } }],
    ["sends unknown fields on, where the channel says so", { foo: { Bar: 1 } }, { unknownFields: "forward" }, {
      foo: { Bar: 1 }
    }],
    ["takes out unknown fields that are null", { foo: null }, {}, {}]
  ])("%s", (_, extra, forwarding, expected) => {
    assert.deepStrictEqual(jsonOf(chat(extra), forwarding), { model: "up", messages, ...expected })
  })

  it.each<[string, Call | Refused, Partial<Forwarding>, ReadonlyArray<string>]>([
    ["unknown fields", chat({ foo: 1, bar: null }), {}, ["foo"]],
    ["nothing that was sent on", chat({ foo: 1 }), { unknownFields: "forward" }, []],
    ["fields that the channel does not know", chat({ metadata: { a: "b" }, cache_salt: "x", stream_options: {} }), {
      knownFields: []
    }, ["metadata", "cache_salt", "stream_options"]],
    ["no tier, for the default is what is served", chat({ service_tier: "auto" }), {}, []],
    ["nothing that was switched off", chat({ plugins: [], best_of: 1, stream_options: {} }), {}, []],
    ["no options that the gateway sets itself", chat({ stream: true, stream_options: {} }), {
      includeUsage: true,
      knownFields: []
    }, []],
    ["a number of tool calls that the channel does not know", responses({ max_tool_calls: 3 }), {}, ["max_tool_calls"]],
    ["what is never sent", responses({ client_metadata: { id: "x" }, access_programs: {} }), {
      unknownFields: "forward"
    }, ["client_metadata", "access_programs"]]
  ])("names %s", (_, parsed, forwarding, dropped) => {
    assert.deepStrictEqual(forwarded(parsed, forwarding).dropped, dropped)
  })

  it("leaves the stream options of a response alone", () => {
    const extra = { stream: true, stream_options: { include_obfuscation: false } }
    assert.deepStrictEqual(
      jsonOf(responses(extra), { includeUsage: true, outputLimit: { field: "max_output_tokens", value: 3 } }),
      { model: "up", input: "hi", ...extra, max_output_tokens: 3 }
    )
  })

  it("forwards a call for embeddings", () => {
    assert.deepStrictEqual(jsonOf(embeddings({ input: [[1, 2]], user: "u", n: 2 }), { includeUsage: true }), {
      model: "up",
      input: [[1, 2]],
      user: "code of u"
    })
  })

  it("passes a channel over that refuses unknown fields", () => {
    assert.strictEqual(forward(chat({ foo: 1 }), { unknownFields: "refuse" }), "refused")
    assert.notStrictEqual(forward(chat({ foo: null }), { unknownFields: "refuse" }), "refused")
  })

  it("passes a channel over that cannot bound the calls of priced tools", () => {
    const call = responses({ tools: [{ type: "web_search" }] })
    assert.strictEqual(forward(call), "refused")
    assert.deepInclude(jsonOf(call, { knownFields: ["max_tool_calls"] }), { max_tool_calls: 5 })
  })

  it.prop("forwards any other field unchanged", [Schema.Record(Schema.String, Schema.Json)], ([extra]) => {
    const others = Object.fromEntries(Object.entries(extra).slice(0, 60).map(([key, value]) => [`x-${key}`, value]))
    assert.deepStrictEqual(
      jsonOf(chat(others), { unknownFields: "forward" }),
      JSON.parse(JSON.stringify({ model: "up", messages, ...others }))
    )
  })

  it.prop(
    "changes nothing but what it says",
    [
      Schema.Record(Schema.String, Schema.Json),
      Schema.Array(Schema.Literals(["function", "custom", "web_search", "mcp"])),
      Schema.Boolean
    ],
    ([client, types, known]) => {
      const tools = types.map((type) => ({ type, name: "n", parameters: client }))
      const own = {
        model: "m",
        input: [{ role: "user", content: "hi" }],
        tools,
        metadata: client,
        text: client,
        user: "u"
      }
      const admitted = admittedOf(admit(callOf(responses(JSON.stringify(own, null, 1))), {
        hostedTools: "drop",
        toolCallsMax: 5,
        contextTokens: null,
        maxOutputTokens: 1,
        toolPrices: undefined,
        cacheTtlPriced: false
      }))
      const result = forwardBody(admitted, {
        upstreamModel: "up",
        knownFields: known ? ["metadata"] : [],
        unknownFields: "drop",
        includeUsage: true,
        identity: () => "code"
      })
      const kept = tools.filter(({ type }) => type === "function" || type === "custom")
      const expected: Record<string, unknown> = { ...own, model: "up", user: "code", tools: kept }
      if (kept.length === 0 && tools.length > 0) delete expected.tools
      if (!known) delete expected.metadata
      assert.deepStrictEqual(
        JSON.parse(result === "refused" ? "null" : Buffer.concat(result.parts).toString()),
        JSON.parse(JSON.stringify(expected))
      )
    }
  )
})
