/**
 * What a call costs: disjoint token buckets times a price snapshot, an exact rational until the single rounding at the
 * end. Prices are micros per 1M tokens and multipliers are scaled by 10^6, so the cost of anything is a `bigint`
 * numerator over a fixed denominator.
 */
import { divideUp, maximum } from "./Money.ts"

/** Prices of a model, in micros per 1M tokens, as they were when the call was reserved. */
export interface PriceSnapshot {
  readonly inputMicrosPer1m: bigint
  readonly cachedInputMicrosPer1m: bigint
  /** Null when the model does not price cache writes apart: they cost what other input costs. */
  readonly cacheWriteMicrosPer1m: bigint | null
  readonly outputMicrosPer1m: bigint
}

/** Disjoint token counts of one call: no token is in two buckets. Reasoning tokens are part of the output. */
export interface TokenUsage {
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
}

export const zeroUsage: TokenUsage = { inputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 0 }

/** The multiplier 1, scaled by 10^6. */
export const MULTIPLIER_ONE = 1_000_000n

/** tokens × (micros per 1M tokens) has this denominator. */
const TOKENS_PER_PRICE = 1_000_000n

/** The unmultiplied cost of `usage` in micros × 10^6, exactly. */
export const costNumerator = (price: PriceSnapshot, usage: TokenUsage): bigint =>
  BigInt(usage.inputTokens) * price.inputMicrosPer1m +
  BigInt(usage.cachedInputTokens) * price.cachedInputMicrosPer1m +
  BigInt(usage.cacheWriteTokens) * (price.cacheWriteMicrosPer1m ?? price.inputMicrosPer1m) +
  BigInt(usage.outputTokens) * price.outputMicrosPer1m

/** An upper bound, in micros × 10^6, of what one input token can cost, whichever bucket it falls into. */
export const inputTokenBound = (price: PriceSnapshot): bigint =>
  maximum(
    maximum(price.inputMicrosPer1m, price.cachedInputMicrosPer1m),
    price.cacheWriteMicrosPer1m ?? price.inputMicrosPer1m
  )

/**
 * The cost in micros: the numerator times both multipliers (each scaled by 10^6), rounded up once. `billing` is
 * `billing.multiplier`; `plan` is the plan's, {@link MULTIPLIER_ONE} when the balance pays.
 */
export const costMicros = (numerator: bigint, billing: bigint, plan: bigint): bigint => {
  if (numerator === 0n) return 0n
  if (billing === MULTIPLIER_ONE && plan === MULTIPLIER_ONE) return divideUp(numerator, TOKENS_PER_PRICE)
  return divideUp(numerator * billing * plan, TOKENS_PER_PRICE * MULTIPLIER_ONE * MULTIPLIER_ONE)
}
