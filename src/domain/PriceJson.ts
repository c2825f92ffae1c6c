/**
 * Price tiers as JSON, in the database and in the API. Amounts are decimal texts, because JSON numbers lose digits.
 */
import type { PriceTier, ToolPrices } from "./Price.ts"

export interface PriceTierJson {
  readonly above_input_tokens: number
  readonly input_micros_per_1m: string
  readonly cached_input_micros_per_1m: string
  readonly cache_write_micros_per_1m: string | null
  readonly output_micros_per_1m: string
}

export const tierJson = (tier: PriceTier): PriceTierJson => ({
  above_input_tokens: tier.aboveInputTokens,
  input_micros_per_1m: tier.inputMicrosPer1m.toString(),
  cached_input_micros_per_1m: tier.cachedInputMicrosPer1m.toString(),
  cache_write_micros_per_1m: tier.cacheWriteMicrosPer1m?.toString() ?? null,
  output_micros_per_1m: tier.outputMicrosPer1m.toString()
})

/** The optional parts of a price snapshot: none of them is there empty. */
export const withExtras = (tiers: ReadonlyArray<PriceTier>, tools: ToolPrices) => ({
  ...tiers.length === 0 ? {} : { tiers },
  ...tools.webSearchMicros === null && tools.fileSearchMicros === null ? {} : { tools }
})
