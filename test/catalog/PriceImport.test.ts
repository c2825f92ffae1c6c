import { assert, describe, it } from "@effect/vitest"
import { OFFERS_MAX, PRICE_FILE_LENGTH_MAX, type PriceOffer, readPriceFile } from "../../src/catalog/PriceImport.ts"
import { liteLlm, modelsDev } from "./PriceSamples.ts"

const read = (text: string) => {
  const file = readPriceFile(text)
  return typeof file === "string" ? assert.fail(file) : file
}

/** `provider|id input cached write output limit reasoning flags`, prices in micros per 1M tokens. */
const line = ({ maxOutputTokens, modelId, price, problem, provider, reasoning, rounded, tiered }: PriceOffer): string =>
  [
    `${provider}|${modelId}`,
    ...(price === null
      ? [`refused:${problem}`]
      : [
        price.inputMicrosPer1m,
        price.cachedInputMicrosPer1m,
        price.cacheWriteMicrosPer1m ?? "-",
        price.outputMicrosPer1m,
        maxOutputTokens ?? "-",
        reasoning ?? "-"
      ]),
    ...(rounded ? ["rounded"] : []),
    ...(tiered ? ["tiered"] : [])
  ].join(" ")

describe("readPriceFile", () => {
  it("reads models.dev's list", () => {
    const { offers, skipped } = read(modelsDev)
    assert.deepStrictEqual(offers.map(line), [
      "openai|gpt-4o-mini 150000 80000 - 600000 16384 false",
      "openai|o4-mini 1100000 275000 - 4400000 100000 true",
      "anthropic|claude-sonnet-4-5 3000000 300000 3750000 15000000 64000 true tiered",
      "reseller|o4-mini 1200000 1200000 - 4800000 - -",
      "reseller|fine 1 1 - 123457 - - rounded",
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
      "openai|gpt-4o-mini 150000 75000 - 600000 16384 -",
      "azure|o4-mini 1100000 275000 - 4400000 100000 true",
      "openrouter|anthropic/claude-sonnet-4.5 3000000 300001 3750000 15000000 - - rounded tiered"
    ])
    assert.strictEqual(skipped, 3)
  })

  it("reads one provider alone, and the flat form", () => {
    const one = `{"id":"x","models":{"m":{"cost":{"input":1,"output":2}}}}`
    assert.deepStrictEqual(read(one).offers.map(line), ["x|m 1000000 1000000 - 2000000 - -"])
    const flat = `{"lab/m-1":{"cost":{"input":1,"output":2,"cache_write":null}},"m-2":{"id":"n","cost":{}}}`
    assert.deepStrictEqual(read(flat).offers.map(line), [
      "lab|m-1 1000000 1000000 - 2000000 - -",
      "|n refused:missing"
    ])
  })

  it("takes names as names, whatever they are", () => {
    const named = (id: string) =>
      JSON.stringify({ p: { id: "p", models: { [id]: { cost: { input: 0, output: 0 } } } } })
    for (const id of ["__proto__", "constructor", "a/b:c@d", "模型", "x".repeat(200)]) {
      assert.deepStrictEqual(read(named(id)).offers.map(line), [`p|${id} 0 0 - 0 - -`])
    }
    for (const id of ["", "a b", "a\tb", ".", "..", "x".repeat(201), "\u200B"]) {
      assert.strictEqual(read(named(id)).offers[0]?.problem, "id", JSON.stringify(id))
    }
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
      [`{"e":{"mode":"embedding","litellm_provider":"x"}}`, "shape"],
      [many, "size"],
      [" ".repeat(PRICE_FILE_LENGTH_MAX + 1), "size"]
    ] as const
    for (const [text, why] of table) assert.strictEqual(readPriceFile(text), why, text.slice(0, 40))
  })
})
