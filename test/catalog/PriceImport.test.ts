import { assert, describe, it } from "@effect/vitest"
import {
  OFFERS_MAX,
  type OfferTerms,
  PRICE_FILE_LENGTH_MAX,
  type PriceOffer,
  readPriceFile
} from "../../src/catalog/PriceImport.ts"
import type { UnitPrices } from "../../src/domain/Price.ts"
import { liteLlm, modelsDev } from "./PriceSamples.ts"

const read = (text: string) => {
  const file = readPriceFile(text)
  return typeof file === "string" ? assert.fail(file) : file
}

const pricesText = (prices: UnitPrices): string =>
  [
    prices.inputMicrosPer1m,
    prices.cachedInputMicrosPer1m,
    prices.cacheWriteMicrosPer1m ?? "-",
    prices.outputMicrosPer1m
  ].join(" ")

const termsText = (terms: OfferTerms): string =>
  [
    pricesText(terms.price),
    terms.contextTokens ?? "-",
    terms.maxOutputTokens ?? "-",
    terms.reasoning ?? "-",
    ...(terms.tiers ?? []).map((tier) => `>${tier.aboveInputTokens}: ${pricesText(tier)}`),
    ...terms.webSearchMicros === null ? [] : [`search:${terms.webSearchMicros}`]
  ].join(" ")

/**
 * `provider|id input cached write output context limit reasoning >tier: … search:… flags`, prices in micros per 1M tokens and
 * of a search in micros.
 */
const line = ({ modelId, problem, provider, rounded, terms, unread }: PriceOffer): string =>
  [
    `${provider}|${modelId}`,
    terms === null ? `refused:${problem}` : termsText(terms),
    ...(rounded ? ["rounded"] : []),
    ...(unread.length === 0 ? [] : [`unread:${unread.join()}`])
  ].join(" ")

describe("readPriceFile", () => {
  it("reads models.dev's list", () => {
    const { offers, skipped } = read(modelsDev)
    assert.deepStrictEqual(offers.map(line), [
      "openai|gpt-4o-mini 150000 80000 - 600000 128000 16384 false",
      "openai|o4-mini 1100000 275000 - 4400000 200000 100000 true",
      "openai|text-embedding-3-small 20000 20000 - 0 8191 - false",
      "anthropic|claude-sonnet-4-5 3000000 300000 3750000 15000000 200000 64000 true " +
      ">200000: 6000000 6000000 - 22500000",
      "reseller|o4-mini 1200000 1200000 - 4800000 1 - -",
      "reseller|fine 1 1 - 123457 - - - rounded",
      "reseller|no price refused:id",
      "reseller|unpriced refused:missing",
      "reseller|negative refused:price",
      "reseller|absurd refused:price",
      "reseller|words refused:price"
    ])
    assert.strictEqual(skipped, 1)
  })

  it("reads LiteLLM's list, by what the upstream calls each model", () => {
    const { offers, skipped } = read(`\uFEFF${liteLlm}`)
    assert.deepStrictEqual(offers.map(line), [
      "openai|gpt-4o-mini 150000 75000 - 600000 128000 16384 -",
      "azure|o4-mini 1100000 275000 - 4400000 - 100000 true",
      "openrouter|anthropic/claude-sonnet-4.5 3000000 300001 3750000 15000000 - - - " +
      ">200000: 6000000 300001 3750000 15000000 rounded",
      "openai|text-embedding-3-small 20000 20000 - 0 8191 - -",
      "bedrock|cohere.embed-v4:0 120000 120000 - 0 128000 - - unread:input_cost_per_image"
    ])
    assert.strictEqual(skipped, 2)
  })

  it("tells the vendor and the capabilities of a model where the file or its name says them", () => {
    const said = (text: string) =>
      read(text).offers.flatMap(({ modelId, terms }) =>
        terms === null ? [] : [`${modelId}: ${terms.vendor} ${terms.capabilities?.join() ?? "-"}`]
      )
    assert.deepStrictEqual(said(modelsDev), [
      "gpt-4o-mini: OpenAI tools,vision",
      "o4-mini: OpenAI ",
      "text-embedding-3-small: OpenAI embeddings",
      "claude-sonnet-4-5: Anthropic -",
      "o4-mini: OpenAI -",
      "fine: null -"
    ])
    assert.deepStrictEqual(said(liteLlm), [
      "gpt-4o-mini: OpenAI vision",
      "o4-mini: OpenAI -",
      "anthropic/claude-sonnet-4.5: Anthropic -",
      "text-embedding-3-small: OpenAI embeddings",
      "cohere.embed-v4:0: Cohere embeddings"
    ])
    const entry = { mode: "chat", input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 }
    const all = {
      supports_function_calling: true,
      supports_response_schema: true,
      supports_vision: true,
      supports_pdf_input: true
    }
    assert.deepStrictEqual(
      said(JSON.stringify({
        "us.anthropic.claude-haiku-4-5": { ...entry, ...all },
        "none": { ...entry, litellm_provider: "constructor", supports_vision: false },
        "odd": { ...entry, litellm_provider: "deepseek", supports_vision: "yes" }
      })),
      [
        "us.anthropic.claude-haiku-4-5: Anthropic tools,structured_output,vision,files",
        "none: null ",
        "odd: DeepSeek -"
      ]
    )
  })

  it("reads one provider alone, and the flat form", () => {
    const one = `{"id":"x","models":{"m":{"cost":{"input":1,"output":2}}}}`
    assert.deepStrictEqual(read(one).offers.map(line), ["x|m 1000000 1000000 - 2000000 - - -"])
    const flat = `{"lab/m-1":{"cost":{"input":1,"output":2,"cache_write":null}},"m-2":{"id":"n","cost":{}}}`
    assert.deepStrictEqual(read(flat).offers.map(line), [
      "lab|m-1 1000000 1000000 - 2000000 - - -",
      "|n refused:missing"
    ])
  })

  it("reads models of embeddings without a price or a limit of output", () => {
    const embedding = (more: object) => JSON.stringify({ p: { id: "p", models: { m: { id: "m", ...more } } } })
    const table: ReadonlyArray<readonly [text: string, line: string]> = [
      [embedding({ family: "Text-Embedding", cost: { input: 1 }, limit: { context: 512, output: 768 } }), "512 - -"],
      [embedding({ modalities: { output: ["embeddings"] }, cost: { input: 1, output: 0 } }), "- - -"],
      [embedding({ modalities: { output: ["embeddings"] }, cost: { input: 1, output: 9 } }), "- - -"],
      [
        `{"p/m":{"mode":"embedding","litellm_provider":"p","input_cost_per_token":1e-6,"max_tokens":512}}`,
        "512 - -"
      ],
      [
        `{"p/m":{"mode":"embedding","litellm_provider":"p","input_cost_per_token":1e-6,"max_tokens":9,"max_input_tokens":8}}`,
        "8 - -"
      ]
    ]
    for (const [text, lengths] of table) {
      assert.deepStrictEqual(read(text).offers.map(line), [`p|m 1000000 1000000 - 0 ${lengths}`], text)
    }
    const named = embedding({ id: "nomic-embed-text", modalities: { output: ["vector"] }, cost: { input: 1 } })
    assert.deepStrictEqual(read(named).offers.map(line), ["p|nomic-embed-text 1000000 1000000 - 0 - - -"])
    assert.strictEqual(read(embedding({ family: "embedding", cost: { output: 1 } })).offers[0]?.problem, "missing")
  })

  it("takes names as names, whatever they are", () => {
    const named = (id: string) =>
      JSON.stringify({ p: { id: "p", models: { [id]: { cost: { input: 0, output: 0 } } } } })
    for (const id of ["__proto__", "constructor", "a/b:c@d", "模型", "x".repeat(200)]) {
      assert.deepStrictEqual(read(named(id)).offers.map(line), [`p|${id} 0 0 - 0 - - -`])
    }
    for (const id of ["", "a b", "a\tb", ".", "..", "x".repeat(201), "\u200B"]) {
      assert.strictEqual(read(named(id)).offers[0]?.problem, "id", JSON.stringify(id))
    }
  })

  it("reads long contexts, lengths and reasoning of models.dev, and names what it cannot read", () => {
    const cost = { input: 2, output: 10, cache_read: 0.2 }
    const over = { input: 4, output: 15, cache_read: 0.4, cache_write: 5 }
    const at = (size: unknown, more: object = {}) => ({ ...over, tier: { type: "context", size }, ...more })
    const plain = "2000000 200000 - 10000000"
    const above = (tokens: number) => `>${tokens}: 4000000 400000 5000000 15000000`
    const table: ReadonlyArray<readonly [entry: object, line: string]> = [
      [{ cost, limit: { context: 128_000, output: 4_096 }, reasoning: true }, `${plain} 128000 4096 true`],
      [{ cost, limit: { context: 0, output: 0 } }, `${plain} - - -`],
      [{ cost, limit: { context: -5, output: "lots" } }, `${plain} - - - unread:limit.context,limit.output`],
      [{ cost, limit: { context: 100_000_001 } }, `${plain} - - - unread:limit.context`],
      [{ cost, limit: { context: 100, output: 200 } }, `${plain} - - - unread:limit.context,limit.output`],
      [{ cost, reasoning: "yes" }, `${plain} - - - unread:reasoning`],
      [{ cost: { ...cost, context_over_200k: over } }, `${plain} - - - ${above(200_000)}`],
      [{ cost: { ...cost, tiers: [at(272_000)], context_over_200k: over } }, `${plain} - - - ${above(272_000)}`],
      [{ cost: { ...cost, tiers: [], context_over_200k: over } }, `${plain} - - - ${above(200_000)}`],
      [{ cost: { ...cost, tiers: [at(9), at(5)] } }, `${plain} - - - ${above(5)} ${above(9)}`],
      [{ cost: { ...cost, tiers: [at(5), at(5)] } }, `${plain} - - - unread:cost.tiers`],
      [
        { cost: { ...cost, tiers: [at(5), { ...over, tier: { type: "time", size: 9 } }] } },
        `${plain} - - - unread:cost.tiers`
      ],
      [{ cost: { ...cost, tiers: [at("x")] } }, `${plain} - - - unread:cost.tiers`],
      [{ cost: { ...cost, tiers: [at(5, { input: -1 })] } }, `${plain} - - - unread:cost.tiers`],
      [{ cost: { ...cost, tiers: [at(5, { output: undefined })] } }, `${plain} - - - unread:cost.tiers`],
      [{ cost: { ...cost, tiers: 7 } }, `${plain} - - - unread:cost.tiers`],
      [
        { cost: { ...cost, tiers: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((size) => at(size)) } },
        `${plain} - - - unread:cost.tiers`
      ],
      [{ cost: { ...cost, context_over_200k: 5 } }, `${plain} - - - unread:cost.context_over_200k`],
      [{ cost: { ...cost, reasoning: 10, input_audio: 7 } }, `${plain} - - -`],
      [
        { cost: { ...cost, reasoning: 12, per_request: 0.01 } },
        `${plain} - - - unread:cost.reasoning,cost.per_request`
      ],
      [
        { cost: { ...cost, tiers: [at(5, { reasoning: 99 })] } },
        `${plain} - - - ${above(5)} unread:cost.tiers.reasoning`
      ]
    ]
    for (const [entry, expected] of table) {
      const { offers } = read(JSON.stringify({ "p/m": { limit: {}, ...entry } }))
      assert.deepStrictEqual(offers.map(line), [`p|m ${expected}`], JSON.stringify(entry))
    }
  })

  it("reads long contexts, lengths and searches of LiteLLM, and names what it cannot read", () => {
    const cost = {
      input_cost_per_token: 2e-6,
      output_cost_per_token: 1e-5,
      cache_read_input_token_cost: 2e-7,
      litellm_provider: "p",
      mode: "chat"
    }
    const plain = "2000000 200000 - 10000000"
    const range = (from: unknown, input: number, more: object = {}) => ({
      range: [from, 1_000_000],
      input_cost_per_token: input,
      output_cost_per_token: 2 * input,
      ...more
    })
    const ranged = { litellm_provider: "p", mode: "chat" }
    const table: ReadonlyArray<readonly [entry: object, line: string]> = [
      [{ ...cost, max_input_tokens: 128_000, max_output_tokens: 4_096, max_tokens: 4_096 }, `${plain} 128000 4096 -`],
      [{ ...cost, max_tokens: 8_192 }, `${plain} - 8192 -`],
      [{ ...cost, max_tokens: 8_192, max_output_tokens: 1_024 }, `${plain} 8192 1024 -`],
      [{ ...cost, max_input_tokens: "many" }, `${plain} - - - unread:max_input_tokens`],
      [
        { ...cost, input_cost_per_token_above_200k_tokens: 4e-6, output_cost_per_token_above_200k_tokens: 1.5e-5 },
        `${plain} - - - >200000: 4000000 200000 - 15000000`
      ],
      [
        {
          ...cost,
          cache_creation_input_token_cost: 2.5e-6,
          input_cost_per_token_above_128k_tokens: 3e-6,
          cache_read_input_token_cost_above_256k_tokens: 6e-7,
          cache_creation_input_token_cost_above_256k_tokens: 5e-6
        },
        "2000000 200000 2500000 10000000 - - - >128000: 3000000 200000 2500000 10000000 " +
        ">256000: 2000000 600000 5000000 10000000"
      ],
      [
        {
          ...ranged,
          input_cost_per_token: 1e-6,
          output_cost_per_token: 2e-6,
          input_cost_per_token_above_512000_tokens: 3e-6
        },
        "1000000 1000000 - 2000000 - - - >512000: 3000000 3000000 - 2000000"
      ],
      [{ ...cost, input_cost_per_token_above_200k_tokens: -1 }, `${plain} - - - unread:*_above_200k_tokens`],
      [{ ...cost, input_cost_per_token_above_200k_tokens: null }, `${plain} - - -`],
      [{ ...cost, input_cost_per_token_above_200k_tokens_priority: 9e-6 }, `${plain} - - -`],
      [
        { ...cost, input_cost_per_widget_above_200k_tokens: 9e-6 },
        `${plain} - - - unread:input_cost_per_widget_above_200k_tokens`
      ],
      [
        { ...ranged, tiered_pricing: [range(0, 1e-6), range(32_000, 2e-6)] },
        "1000000 1000000 - 2000000 - - - >32000: 2000000 2000000 - 4000000"
      ],
      [
        {
          ...ranged,
          tiered_pricing: [range(0, 1e-6, { output_cost_per_reasoning_token: 9e-6 }), range(32_000, 2e-6)]
        },
        "1000000 1000000 - 2000000 - - - >32000: 2000000 2000000 - 4000000 " +
        "unread:tiered_pricing.output_cost_per_reasoning_token"
      ],
      [{ ...ranged, tiered_pricing: [range("x", 1e-6)] }, "refused:missing"],
      [{ ...cost, tiered_pricing: "steep" }, `${plain} - - - unread:tiered_pricing`],
      [
        { ...cost, search_context_cost_per_query: { low: 0.01, medium: 0.035, high: 0.02 } },
        `${plain} - - - search:35000`
      ],
      [{ ...cost, search_context_cost_per_query: 0.01 }, `${plain} - - - search:10000`],
      [
        { ...cost, search_context_cost_per_query: { low: 0.01, high: "dear" } },
        `${plain} - - - unread:search_context_cost_per_query`
      ],
      [
        { ...cost, search_context_cost_per_query: { low: 1_001 } },
        `${plain} - - - unread:search_context_cost_per_query`
      ],
      [{ ...cost, output_cost_per_reasoning_token: 1e-5, supports_reasoning: true }, `${plain} - - true`],
      [
        { ...cost, input_cost_per_request: 0.005, citation_cost_per_token: 1e-6, input_cost_per_second: 0 },
        `${plain} - - - unread:input_cost_per_request,citation_cost_per_token`
      ],
      [
        {
          ...cost,
          input_cost_per_token_batches: 1e-6,
          input_cost_per_audio_token: 1e-5,
          cache_creation_input_token_cost_above_1hr: 4e-6
        },
        `${plain} - - -`
      ]
    ]
    for (const [entry, expected] of table) {
      const { offers } = read(JSON.stringify({ "p/m": entry }))
      assert.deepStrictEqual(offers.map(line), [`p|m ${expected}`], JSON.stringify(entry))
    }
  })

  it("names a bounded number of what it cannot read", () => {
    const others = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${"x".repeat(200)}_cost_${at}`, 1]))
    const entry = { mode: "chat", input_cost_per_token: 0, output_cost_per_token: 0, ...others }
    const [offer] = read(JSON.stringify({ m: entry })).offers
    assert.strictEqual(offer?.unread.length, 20)
    assert.isTrue(offer?.unread.every((name) => name.length <= 100))
  })

  it("refuses what is no price list", () => {
    const many = `{${Array.from({ length: OFFERS_MAX + 1 }, (_, at) => `"a/${at}":{"cost":{}}`).join(",")}}`
    const table = [
      ["", "json"],
      ["prices", "json"],
      ["{", "json"],
      ["[".repeat(200_000), "json"],
      ["null", "shape"],
      ["[]", "shape"],
      ["{}", "shape"],
      [`{"openai":7}`, "shape"],
      [`{"openai":{"models":{}}}`, "shape"],
      [`{"e":{"mode":"rerank","litellm_provider":"x"}}`, "shape"],
      [many, "size"],
      [" ".repeat(PRICE_FILE_LENGTH_MAX + 1), "size"]
    ] as const
    for (const [text, why] of table) assert.strictEqual(readPriceFile(text), why, text.slice(0, 40))
  })
})
