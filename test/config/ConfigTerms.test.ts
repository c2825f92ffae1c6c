/**
 * The terms of models and channels in config.yaml: what each key means, which values it takes, and which do not go together.
 */
import { assert, describe, it } from "@effect/vitest"
import { testConfig } from "../../src/config/Config.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"

const modelWith = (more: object) => ({ models: [{ id: "m", input_usd_per_1m: "1", output_usd_per_1m: "2", ...more }] })

const channelWith = (more: object) => ({ channels: [{ name: "c", base_url: "http://up/v1", ...more }] })

/** The lines of the message that refuses a document, without their indent. */
const problemsOf = (document: object): ReadonlyArray<string> => {
  try {
    testConfig(document)
    return []
  } catch (error) {
    return error instanceof Error ? error.message.split("\n").slice(1).map((line) => line.trim()) : []
  }
}

describe("terms of a model", () => {
  it("have their defaults where the file says nothing", () => {
    assert.deepStrictEqual(testConfig(modelWith({})).models, [{
      ...defaultTerms,
      id: "m",
      price: {
        inputMicrosPer1m: 1_000_000n,
        cachedInputMicrosPer1m: 1_000_000n,
        cacheWriteMicrosPer1m: null,
        outputMicrosPer1m: 2_000_000n
      }
    }])
  })

  it("are what the file says, each under its key, as text or as YAML has it", () => {
    const terms = {
      vendor: "OpenAI",
      description: "Writes well.",
      capabilities: ["vision", "tools"],
      context_tokens: "1000000",
      max_output_tokens: 64_000,
      default_output_tokens: 500,
      input_overhead_tokens: 0,
      image_tokens_max: 48_169,
      tokenizer_margin: 1.25,
      output_tokens_per_second: "250",
      reasoning: "true",
      hosted_tools: "Price",
      tool_calls_max: 9,
      tools: { web_search_usd_per_call: "0.01", file_search_usd_per_call: 0.0025 },
      price_tiers: [
        { above_input_tokens: 200_000, input_usd_per_1m: "6", output_usd_per_1m: "22.5" },
        {
          above_input_tokens: 400_000,
          input_usd_per_1m: "7",
          cached_input_usd_per_1m: "0.7",
          cache_write_usd_per_1m: "8",
          output_usd_per_1m: "30"
        }
      ]
    }
    const [model] = testConfig(modelWith(terms)).models
    assert.deepStrictEqual(model, {
      id: "m",
      vendor: "OpenAI",
      description: "Writes well.",
      capabilities: ["tools", "vision"],
      contextTokens: 1_000_000,
      maxOutputTokens: 64_000,
      defaultOutputTokens: 500,
      inputOverheadTokens: 0,
      imageTokensMax: 48_169,
      tokenizerMarginMicros: 1_250_000,
      outputTokensPerSecond: 250,
      reasoning: true,
      hostedTools: "price",
      toolCallsMax: 9,
      price: {
        inputMicrosPer1m: 1_000_000n,
        cachedInputMicrosPer1m: 1_000_000n,
        cacheWriteMicrosPer1m: null,
        outputMicrosPer1m: 2_000_000n,
        tiers: [
          {
            aboveInputTokens: 200_000,
            inputMicrosPer1m: 6_000_000n,
            cachedInputMicrosPer1m: 6_000_000n,
            cacheWriteMicrosPer1m: null,
            outputMicrosPer1m: 22_500_000n
          },
          {
            aboveInputTokens: 400_000,
            inputMicrosPer1m: 7_000_000n,
            cachedInputMicrosPer1m: 700_000n,
            cacheWriteMicrosPer1m: 8_000_000n,
            outputMicrosPer1m: 30_000_000n
          }
        ],
        tools: { webSearchMicros: 10_000n, fileSearchMicros: 2_500n }
      }
    })
  })

  it("have an output limit that gives way to a shorter context where the file names none", () => {
    assert.strictEqual(testConfig(modelWith({ context_tokens: 1_000 })).models[0]?.maxOutputTokens, 1_000)
    assert.strictEqual(testConfig(modelWith({ context_tokens: 20_000 })).models[0]?.maxOutputTokens, 16_384)
  })

  it("have neither tiers nor tools where the lists are empty", () => {
    const [model] = testConfig(modelWith({ price_tiers: [], tools: {} })).models
    assert.isFalse(Object.hasOwn(model?.price ?? {}, "tiers"))
    assert.isFalse(Object.hasOwn(model?.price ?? {}, "tools"))
  })

  it("are refused out of their bounds, with what was expected", () => {
    const tokens = (min: number) => `expected an integer from ${min} to 100000000`
    const tier = (more: object) => ({
      price_tiers: [{ above_input_tokens: 5, input_usd_per_1m: "1", output_usd_per_1m: "1", ...more }]
    })
    const table: ReadonlyArray<readonly [terms: object, problem: string]> = [
      [{ context_tokens: 0 }, `context_tokens: ${tokens(1)}, got 0`],
      [{ context_tokens: "many" }, `context_tokens: ${tokens(1)}, got some other text`],
      [{ max_output_tokens: 100_000_001 }, `max_output_tokens: ${tokens(1)}, got 100000001`],
      [{ default_output_tokens: 1.5 }, `default_output_tokens: ${tokens(1)}, got 1.5`],
      [{ input_overhead_tokens: -1 }, `input_overhead_tokens: ${tokens(0)}, got -1`],
      [{ image_tokens_max: [] }, `image_tokens_max: ${tokens(1)}, got a list`],
      [
        { tokenizer_margin: "0.99" },
        "tokenizer_margin: expected a decimal string of at most 6 decimals, from 1 to 100, got 0.99"
      ],
      [
        { tokenizer_margin: 101 },
        "tokenizer_margin: expected a decimal string of at most 6 decimals, from 1 to 100, got 101"
      ],
      [{ output_tokens_per_second: 0 }, "output_tokens_per_second: expected an integer from 1 to 100000, got 0"],
      [{ reasoning: "maybe" }, "reasoning: expected true or false, got some other text"],
      [{ hosted_tools: "allow" }, "hosted_tools: expected drop or refuse or price, got some other text"],
      [{ tool_calls_max: 129 }, "tool_calls_max: expected an integer from 1 to 128, got 129"],
      [
        { tools: { web_search_usd_per_call: "-1" } },
        "tools.web_search_usd_per_call: expected a decimal string of at most 6 decimals, from 0 to 1000, got -1"
      ],
      [
        { tools: { web_serch_usd_per_call: "1" } },
        'tools.web_serch_usd_per_call: unknown key, did you mean "web_search_usd_per_call"?'
      ],
      [{ price_tiers: {} }, "price_tiers: expected a list"],
      [tier({ above_input_tokens: 0 }), `price_tiers[0].above_input_tokens: ${tokens(1)}, got 0`],
      [
        tier({ output_usd_per_1m: "100001" }),
        "price_tiers[0].output_usd_per_1m: expected a decimal string of at most 6 decimals, from 0 to 100000, got 100001"
      ],
      [
        tier({ above: 1 }),
        "price_tiers[0].above: unknown key; known here: above_input_tokens, input_usd_per_1m, cached_input_usd_per_1m, " +
        "cache_write_usd_per_1m, output_usd_per_1m"
      ]
    ]
    for (const [terms, problem] of table) {
      assert.deepStrictEqual(problemsOf(modelWith(terms)), [`models[0].${problem}`], JSON.stringify(terms))
    }
  })

  it("are refused where they do not go together", () => {
    const tiers = (...above: ReadonlyArray<number>) => ({
      price_tiers: above.map((tokens) => ({
        above_input_tokens: tokens,
        input_usd_per_1m: "1",
        output_usd_per_1m: "1"
      }))
    })
    const tools = { tools: { web_search_usd_per_call: "0.01" } }
    const priced = "hosted_tools: price needs context_tokens and the price of a tool under tools"
    const tierText = "price_tiers: expected at most 8 tiers, with above_input_tokens ascending"
    const table: ReadonlyArray<readonly [terms: object, problem: string | undefined]> = [
      [{ context_tokens: 1_000, max_output_tokens: 1_000 }, undefined],
      [{ context_tokens: 1_000, max_output_tokens: 1_001 }, "max_output_tokens: expected at most context_tokens"],
      [{ context_tokens: 1_000 }, undefined],
      [
        { context_tokens: 1_000, default_output_tokens: 1_001 },
        "default_output_tokens: expected at most max_output_tokens"
      ],
      [{ max_output_tokens: 10, default_output_tokens: 10 }, undefined],
      [
        { max_output_tokens: 10, default_output_tokens: 11 },
        "default_output_tokens: expected at most max_output_tokens"
      ],
      [{ hosted_tools: "price" }, priced],
      [{ hosted_tools: "price", context_tokens: 100_000 }, priced],
      [{ hosted_tools: "price", ...tools }, priced],
      [{ hosted_tools: "price", context_tokens: 100_000, tools: {} }, priced],
      [{ hosted_tools: "price", context_tokens: 100_000, ...tools }, undefined],
      [{ hosted_tools: "refuse" }, undefined],
      [tiers(1, 2, 3, 4, 5, 6, 7, 8), undefined],
      [tiers(1, 2, 3, 4, 5, 6, 7, 8, 9), tierText],
      [tiers(2, 2), tierText],
      [tiers(3, 2), tierText]
    ]
    for (const [terms, problem] of table) {
      const problems = problem === undefined ? [] : [`models[0].${problem}`]
      assert.deepStrictEqual(problemsOf(modelWith(terms)), problems, JSON.stringify(terms))
    }
  })
})

describe("terms of a channel", () => {
  it("have their defaults where the file says nothing", () => {
    assert.deepInclude(testConfig(channelWith({})).channels[0], defaultChannelTerms)
  })

  it("are what the file says", () => {
    const [channel] = testConfig(channelWith({
      unknown_fields: "forward",
      known_fields: ["service_tier", "cache_salt", "service_tier"],
      first_byte_timeout_seconds: 1,
      idle_timeout_seconds: "86400",
      stores_responses: true,
      input_overhead_tokens: 500,
      max_connections: 65_536
    })).channels
    assert.deepInclude(channel, {
      unknownFields: "forward",
      knownFields: ["cache_salt", "service_tier"],
      firstByteTimeoutSeconds: 1,
      idleTimeoutSeconds: 86_400,
      storesResponses: true,
      inputOverheadTokens: 500,
      maxConnections: 65_536
    })
    assert.deepStrictEqual(testConfig(channelWith({ known_fields: [] })).channels[0]?.knownFields, [])
  })

  it("are refused out of their bounds, and so is the key that known_fields replaced", () => {
    const known = "expected a list of any of stream_options, max_tool_calls, cache_salt, metadata, service_tier"
    const table: ReadonlyArray<readonly [terms: object, problem: string]> = [
      [{ unknown_fields: "keep" }, "unknown_fields: expected drop or forward or refuse, got some other text"],
      [{ known_fields: ["speed"] }, `known_fields: ${known}, got a list`],
      [{ known_fields: "stream_options" }, `known_fields: ${known}, got some other text`],
      [{ first_byte_timeout_seconds: 0 }, "first_byte_timeout_seconds: expected an integer from 1 to 86400, got 0"],
      [{ idle_timeout_seconds: 86_401 }, "idle_timeout_seconds: expected an integer from 1 to 86400, got 86401"],
      [{ stores_responses: 1 }, "stores_responses: expected true or false, got 1"],
      [{ input_overhead_tokens: -1 }, "input_overhead_tokens: expected an integer from 0 to 100000000, got -1"],
      [{ max_connections: 0 }, "max_connections: expected an integer from 1 to 65536, got 0"]
    ]
    for (const [terms, problem] of table) {
      assert.deepStrictEqual(problemsOf(channelWith(terms)), [`channels[0].${problem}`], JSON.stringify(terms))
    }
    assert.match(
      problemsOf(channelWith({ stream_options: false })).join(),
      /^channels\[0\]\.stream_options: unknown key/
    )
  })
})

describe("settings of billing", () => {
  it("have bounds for drains and open holds", () => {
    const table: ReadonlyArray<readonly [billing: object, problem: string]> = [
      [{ drain_seconds: -1 }, "drain_seconds: expected an integer from 0 to 86400, got -1"],
      [{ drain_max_seconds: 86_401 }, "drain_max_seconds: expected an integer from 0 to 86400, got 86401"],
      [{ max_open_holds_per_user: 0 }, "max_open_holds_per_user: expected an integer from 1 to 1000000, got 0"]
    ]
    for (const [billing, problem] of table) {
      assert.deepStrictEqual(problemsOf({ billing }), [`billing.${problem}`], JSON.stringify(billing))
    }
    assert.deepInclude(testConfig().billing, { drainSeconds: 10, drainMaxSeconds: 600, maxOpenHoldsPerUser: 2_000 })
  })
})
