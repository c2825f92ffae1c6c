/**
 * What a model's terms must be before they are stored, whichever way they come: the bounds of each, and the rules between
 * them. Pure; each way in says the same in its own words.
 */
import { Schema } from "effect"
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOKENS_MAX, TOOL_USD_PER_CALL_MAX } from "./Bounds.ts"
import { defaultTerms, type ModelTermName, type ModelTerms, modelTerms, type UnpricedTerms } from "./ModelTerms.ts"
import { integer, micros, microsOrNull } from "./Fields.ts"
import { model } from "./Model.ts"
import { MICROS_PER_USD } from "./Money.ts"
import type { PriceTier } from "./Price.ts"

/** A part of a model's prices, as forms name it. */
export const priceFields = [
  "input",
  "cached_input",
  "cache_write",
  "output",
  "price_tiers",
  "web_search",
  "file_search"
] as const
export type PriceField = typeof priceFields[number]

const PRICE_MICROS_PER_1M_MAX = PRICE_USD_PER_1M_MAX * MICROS_PER_USD
const TOOL_MICROS_MAX = TOOL_USD_PER_CALL_MAX * MICROS_PER_USD

/** Prices as people type them: no price of cached input means that it costs what other input costs. */
export const unitPrices = model({
  inputMicrosPer1m: micros({ max: PRICE_MICROS_PER_1M_MAX, key: "input" }),
  outputMicrosPer1m: micros({ max: PRICE_MICROS_PER_1M_MAX, key: "output" }),
  cachedInputMicrosPer1m: microsOrNull({ max: PRICE_MICROS_PER_1M_MAX, key: "cached_input" }),
  cacheWriteMicrosPer1m: microsOrNull({ max: PRICE_MICROS_PER_1M_MAX, key: "cache_write" })
})

export const tierTerms = model({
  aboveInputTokens: integer({ min: 1, max: TOKENS_MAX, key: "above" }),
  ...unitPrices.fields
})

export const toolPrices = model({
  webSearchMicros: microsOrNull({ max: TOOL_MICROS_MAX, key: "web_search" }),
  fileSearchMicros: microsOrNull({ max: TOOL_MICROS_MAX, key: "file_search" })
})

/** A price of 1M tokens, in micros. */
export const isPrice = Schema.is(unitPrices.fields.inputMicrosPer1m.value)

/** A price of one call of a tool, in micros. Null: the tool is not priced. */
export const isToolPrice = Schema.is(toolPrices.fields.webSearchMicros.value)

/** Where a tier begins, in input tokens. */
export const isTierStart = Schema.is(tierTerms.fields.aboveInputTokens.value)

/** In bounds, ascending, and not too many. */
export const areTiers = (tiers: ReadonlyArray<PriceTier>): boolean =>
  tiers.length <= PRICE_TIERS_MAX &&
  tiers.every((tier, at) =>
    tierTerms.wrong(tier).length === 0 &&
    tier.aboveInputTokens > (tiers[at - 1]?.aboveInputTokens ?? 0)
  )

/** The defaults of a model's terms. The default output limit is lowered to a context that is shorter. */
export const defaultTermsWithin = (contextTokens: unknown): UnpricedTerms =>
  typeof contextTokens === "number" && contextTokens >= 1 && contextTokens < defaultTerms.maxOutputTokens
    ? { ...defaultTerms, maxOutputTokens: contextTokens }
    : defaultTerms

const wrongPrices = ({ price }: ModelTerms): ReadonlyArray<PriceField> => {
  const { tiers = [], tools } = price
  const wrong = new Set([
    ...unitPrices.wrong(price).map(unitPrices.inputOf),
    ...areTiers(tiers) ? [] : ["price_tiers"],
    ...tools === undefined ? [] : toolPrices.wrong(tools).map(toolPrices.inputOf)
  ])
  return priceFields.filter((field) => wrong.has(field))
}

type Field = PriceField | ModelTermName

/** The fields that are out of bounds, or that do not go with the others. Priced tools are held for at the context's size. */
export const wrongFieldsOf = (terms: ModelTerms): ReadonlyArray<Field> => {
  const { contextTokens, defaultOutputTokens, hostedTools, maxOutputTokens, price } = terms
  const outOfBounds: ReadonlyArray<Field> = [...wrongPrices(terms), ...modelTerms.wrong(terms)]
  const isToolPriced = price.tools !== undefined &&
    (price.tools.webSearchMicros !== null || price.tools.fileSearchMicros !== null)
  const rules: ReadonlyArray<readonly [field: ModelTermName, others: ReadonlyArray<Field>, isKept: boolean]> = [
    ["maxOutputTokens", ["contextTokens"], contextTokens === null || maxOutputTokens <= contextTokens],
    [
      "defaultOutputTokens",
      ["maxOutputTokens"],
      defaultOutputTokens === null || defaultOutputTokens <= maxOutputTokens
    ],
    [
      "hostedTools",
      ["contextTokens", "web_search", "file_search"],
      hostedTools !== "price" || (contextTokens !== null && isToolPriced)
    ]
  ]
  // A rule is judged only where everything that it is about is in bounds.
  const broken = rules.flatMap(([field, others, isKept]) =>
    isKept || [field, ...others].some((part) => outOfBounds.includes(part)) ? [] : [field]
  )
  return [...outOfBounds, ...broken]
}
