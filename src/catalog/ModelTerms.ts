/**
 * What can be set of a model: its prices, the longest output and whether it reasons unseen. Says what is wrong with terms that
 * somebody typed, and how they stand in the record of changes.
 */
import { OUTPUT_TOKENS_DEFAULT, PRICE_USD_PER_1M_MAX, TOKENS_MAX } from "../domain/Bounds.ts"
import { MICROS_PER_USD } from "../domain/Money.ts"
import type { PriceSnapshot } from "../domain/Price.ts"
import type { AuditFacts } from "../platform/AuditLog.ts"

export interface ModelTerms {
  readonly price: PriceSnapshot
  readonly maxOutputTokens: number
  readonly reasoning: boolean
}

/** What may be wrong with a model. */
export const modelFields = ["id", "input", "cached_input", "cache_write", "output", "max_output_tokens"] as const
export type ModelField = typeof modelFields[number]

/** The longest id, in characters. */
export const MODEL_ID_CHARACTERS_MAX = 200

/** Printable and without spaces; `.` and `..` would be no segment of an address. */
const idPattern = new RegExp(`^(?!\\.{1,2}$)[^\\s\\p{C}]{1,${MODEL_ID_CHARACTERS_MAX}}$`, "u")

export const isModelId = (id: string): boolean => idPattern.test(id)

const PRICE_MICROS_PER_1M_MAX = PRICE_USD_PER_1M_MAX * MICROS_PER_USD

export const isPrice = (microsPer1m: bigint): boolean => microsPer1m >= 0n && microsPer1m <= PRICE_MICROS_PER_1M_MAX

export const isOutputLimit = (tokens: number): boolean =>
  Number.isInteger(tokens) && tokens >= 1 && tokens <= TOKENS_MAX

/** The fields that are out of bounds. */
export const wrongFieldsOf = ({ maxOutputTokens, price }: ModelTerms): ReadonlyArray<ModelField> => {
  const { cacheWriteMicrosPer1m, cachedInputMicrosPer1m, inputMicrosPer1m, outputMicrosPer1m } = price
  const checks: ReadonlyArray<readonly [ModelField, boolean]> = [
    ["input", isPrice(inputMicrosPer1m)],
    ["cached_input", isPrice(cachedInputMicrosPer1m)],
    ["cache_write", cacheWriteMicrosPer1m === null || isPrice(cacheWriteMicrosPer1m)],
    ["output", isPrice(outputMicrosPer1m)],
    ["max_output_tokens", isOutputLimit(maxOutputTokens)]
  ]
  return checks.flatMap(([field, isFine]) => isFine ? [] : [field])
}

/** As they stand in the record of changes. */
export const factsOf = ({ maxOutputTokens, price, reasoning }: ModelTerms): AuditFacts => ({
  input_micros_per_1m: price.inputMicrosPer1m,
  cached_input_micros_per_1m: price.cachedInputMicrosPer1m,
  cache_write_micros_per_1m: price.cacheWriteMicrosPer1m,
  output_micros_per_1m: price.outputMicrosPer1m,
  max_output_tokens: maxOutputTokens,
  reasoning
})

/** What a model has of its own where an offer is silent. */
export const defaultTerms: Omit<ModelTerms, "price"> = { maxOutputTokens: OUTPUT_TOKENS_DEFAULT, reasoning: false }
