/**
 * What a call costs: disjoint token buckets times a price snapshot, an exact rational until the single rounding at the
 * end. Prices are micros per 1M tokens and multipliers are scaled by 10^6, so the cost of anything is a `bigint`
 * numerator over a fixed denominator.
 */
import { divideUp, maximum } from "./Money.ts"

/** Prices of the four buckets of tokens, in micros per 1M tokens. */
export interface UnitPrices {
  readonly inputMicrosPer1m: bigint
  readonly cachedInputMicrosPer1m: bigint
  /** Null when the model does not price cache writes apart: they cost what other input costs. */
  readonly cacheWriteMicrosPer1m: bigint | null
  readonly outputMicrosPer1m: bigint
}

/** Prices for calls with more than `aboveInputTokens` input tokens in all: cached and written ones count too. */
export interface PriceTier extends UnitPrices {
  readonly aboveInputTokens: number
}

/** Tools that the upstream runs and bills per call, in micros a call. Null: the model does not price the tool. */
export interface ToolPrices {
  readonly webSearchMicros: bigint | null
  readonly fileSearchMicros: bigint | null
}

/** Prices of a model as they were when the call was reserved. */
export interface PriceSnapshot extends UnitPrices {
  /** Ascending by `aboveInputTokens`; absent: one price for every length. */
  readonly tiers?: ReadonlyArray<PriceTier>
  /** Absent: no tool is priced. */
  readonly tools?: ToolPrices
}

/** The optional parts of a price snapshot: none of them is there empty. */
export const withExtras = (tiers: ReadonlyArray<PriceTier>, tools: ToolPrices) => ({
  ...tiers.length === 0 ? {} : { tiers },
  ...tools.webSearchMicros === null && tools.fileSearchMicros === null ? {} : { tools }
})

/** Finished calls of tools that the upstream ran. */
export interface ToolUse {
  readonly webSearch: number
  readonly fileSearch: number
}

/** Disjoint token counts of one call: no token is in two buckets. Reasoning tokens are part of the output. */
export interface TokenUsage {
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  /** Absent: the upstream ran no tool that is priced. */
  readonly tools?: ToolUse
}

export const zeroUsage: TokenUsage = { inputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0 }

/** The multiplier 1, scaled by 10^6. */
export const MULTIPLIER_ONE = 1_000_000n

/** tokens × (micros per 1M tokens) has this denominator. */
const TOKENS_PER_PRICE = 1_000_000n

/** The prices of a call with `inputTokens` input tokens in all: the tier of its total prices the whole call. */
export const pricesAt = (price: PriceSnapshot, inputTokens: number): UnitPrices => {
  let prices: UnitPrices = price
  if (price.tiers === undefined) return prices
  for (const tier of price.tiers) if (inputTokens > tier.aboveInputTokens) prices = tier
  return prices
}

/** The unmultiplied cost of tool calls in micros × 10^6. A tool without a price costs nothing. */
const toolsNumerator = (prices: ToolPrices | undefined, use: ToolUse | undefined): bigint =>
  prices === undefined || use === undefined
    ? 0n
    : (BigInt(use.webSearch) * (prices.webSearchMicros ?? 0n) +
      BigInt(use.fileSearch) * (prices.fileSearchMicros ?? 0n)) *
      TOKENS_PER_PRICE

/** The unmultiplied cost of `usage` in micros × 10^6, exactly. */
export const costNumerator = (price: PriceSnapshot, usage: TokenUsage): bigint => {
  const prices = pricesAt(price, usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens)
  return BigInt(usage.inputTokens) * prices.inputMicrosPer1m +
    BigInt(usage.cachedInputTokens) * prices.cachedInputMicrosPer1m +
    BigInt(usage.cacheWriteTokens) * (prices.cacheWriteMicrosPer1m ?? prices.inputMicrosPer1m) +
    BigInt(usage.outputTokens) * prices.outputMicrosPer1m +
    toolsNumerator(price.tools, usage.tools)
}

/** An upper bound, in micros per 1M tokens, of what an input token can cost, whichever bucket it falls into. */
export const inputTokenBound = (prices: UnitPrices): bigint =>
  maximum(
    maximum(prices.inputMicrosPer1m, prices.cachedInputMicrosPer1m),
    prices.cacheWriteMicrosPer1m ?? prices.inputMicrosPer1m
  )

/** True: no token costs anything, at any length. A call that uses a priced tool may still cost something. */
export const isFree = (price: PriceSnapshot): boolean =>
  [price, ...price.tiers ?? []].every((prices) => inputTokenBound(prices) === 0n && prices.outputMicrosPer1m === 0n)

/** What one token of a call with at most `inputTokens` input tokens costs at most: over every tier that it can reach. */
export const boundPrices = (
  price: PriceSnapshot,
  inputTokens: number
): { readonly inputMicrosPer1m: bigint; readonly outputMicrosPer1m: bigint } => {
  let input = inputTokenBound(price)
  let output = price.outputMicrosPer1m
  for (const tier of price.tiers ?? []) {
    if (inputTokens <= tier.aboveInputTokens) break
    input = maximum(input, inputTokenBound(tier))
    output = maximum(output, tier.outputMicrosPer1m)
  }
  return { inputMicrosPer1m: input, outputMicrosPer1m: output }
}

/** All are scaled by 10^6. */
export interface Multipliers {
  /** Of the configuration, `billing.multiplier`. */
  readonly billingMultiplier: bigint
  /** Of the plan that pays; {@link MULTIPLIER_ONE} when the balance pays. */
  readonly planMultiplier: bigint
  /** Of the user's group. */
  readonly groupMultiplier: bigint
}

/** The product of the multipliers: {@link PRODUCT_ONE} is one. */
export const multiplierProduct = ({ billingMultiplier, groupMultiplier, planMultiplier }: Multipliers): bigint =>
  billingMultiplier * planMultiplier * groupMultiplier

/** The product 1 of the three multipliers. */
export const PRODUCT_ONE = MULTIPLIER_ONE * MULTIPLIER_ONE * MULTIPLIER_ONE

/** The cost in micros: the numerator times the multipliers, rounded up once. */
export const costMicros = (numerator: bigint, multipliers: Multipliers): bigint => {
  if (numerator === 0n) return 0n
  const { billingMultiplier, groupMultiplier, planMultiplier } = multipliers
  if (billingMultiplier === MULTIPLIER_ONE && planMultiplier === MULTIPLIER_ONE && groupMultiplier === MULTIPLIER_ONE) {
    return divideUp(numerator, TOKENS_PER_PRICE)
  }
  return divideUp(numerator * multiplierProduct(multipliers), TOKENS_PER_PRICE * PRODUCT_ONE)
}
