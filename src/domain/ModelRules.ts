/**
 * What a model's terms must be before they are stored, whichever way they come: the bounds of each, and the rules between
 * them. Pure; each way in says the same in its own words.
 */
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOKENS_MAX, TOOL_USD_PER_CALL_MAX } from "./Bounds.ts"
import { defaultTerms, type ModelTermName, type ModelTerms, modelTerms, type UnpricedTerms } from "./ModelTerms.ts"
import { MICROS_PER_USD } from "./Money.ts"
import type { PriceTier, UnitPrices } from "./Price.ts"

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

/** A price of 1M tokens, in micros. */
export const isPrice = (microsPer1m: bigint): boolean => microsPer1m >= 0n && microsPer1m <= PRICE_MICROS_PER_1M_MAX

/** A price of one call of a tool, in micros. Null: the tool is not priced. */
export const isToolPrice = (micros: bigint | null): boolean =>
  micros === null || (micros >= 0n && micros <= TOOL_MICROS_MAX)

/** Where a tier begins, in input tokens. */
export const isTierStart = (tokens: number): boolean => Number.isInteger(tokens) && tokens >= 1 && tokens <= TOKENS_MAX

const arePrices = (prices: UnitPrices): boolean =>
  isPrice(prices.inputMicrosPer1m) && isPrice(prices.cachedInputMicrosPer1m) && isPrice(prices.outputMicrosPer1m) &&
  (prices.cacheWriteMicrosPer1m === null || isPrice(prices.cacheWriteMicrosPer1m))

/** In bounds, ascending, and not too many. */
export const areTiers = (tiers: ReadonlyArray<PriceTier>): boolean =>
  tiers.length <= PRICE_TIERS_MAX &&
  tiers.every((tier, at) =>
    arePrices(tier) && isTierStart(tier.aboveInputTokens) &&
    tier.aboveInputTokens > (tiers[at - 1]?.aboveInputTokens ?? 0)
  )

/** The defaults of a model's terms. The default output limit is lowered to a context that is shorter. */
export const defaultTermsWithin = (contextTokens: unknown): UnpricedTerms =>
  typeof contextTokens === "number" && contextTokens >= 1 && contextTokens < defaultTerms.maxOutputTokens
    ? { ...defaultTerms, maxOutputTokens: contextTokens }
    : defaultTerms

const wrongPrices = ({ price }: ModelTerms): ReadonlyArray<PriceField> => {
  const { cacheWriteMicrosPer1m, tiers = [], tools } = price
  const checks: ReadonlyArray<readonly [PriceField, boolean]> = [
    ["input", isPrice(price.inputMicrosPer1m)],
    ["cached_input", isPrice(price.cachedInputMicrosPer1m)],
    ["cache_write", cacheWriteMicrosPer1m === null || isPrice(cacheWriteMicrosPer1m)],
    ["output", isPrice(price.outputMicrosPer1m)],
    ["price_tiers", areTiers(tiers)],
    ["web_search", isToolPrice(tools?.webSearchMicros ?? null)],
    ["file_search", isToolPrice(tools?.fileSearchMicros ?? null)]
  ]
  return checks.flatMap(([field, isFine]) => isFine ? [] : [field])
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
