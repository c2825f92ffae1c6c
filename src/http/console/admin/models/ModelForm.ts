/**
 * What the form of a model means: its fields parsed, or which of them are wrong.
 */
import { isPrice, type ModelField, type ModelTerms, wrongFieldsOf } from "../../../../catalog/ModelTerms.ts"
import { PRICE_USD_PER_1M_MAX, TOKENS_MAX } from "../../../../domain/Bounds.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import type { Problems } from "../../Answer.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { adminModelsText } from "./AdminModelsText.ts"

const isBlank = (text: string | null): boolean => text === null || text.trim() === ""

/** Stands for a text that is no price: no price is negative. */
const NO_PRICE = -1n

const priceOf = (text: string | null): bigint => parseDecimal((text ?? "").trim(), MICROS_SCALE) ?? NO_PRICE

const countOf = (text: string | null): number => /^\d{1,12}$/.test((text ?? "").trim()) ? Number(text) : 0

/** The terms that the form asks for, or the fields that are wrong. */
export const readModelForm = (fields: URLSearchParams): ModelTerms | ReadonlyArray<ModelField> => {
  const input = priceOf(fields.get("input"))
  const cached = fields.get("cached_input")
  const write = fields.get("cache_write")
  const terms = {
    price: {
      inputMicrosPer1m: input,
      // Where it is as input, only input is wrong.
      cachedInputMicrosPer1m: isBlank(cached) ? (isPrice(input) ? input : 0n) : priceOf(cached),
      cacheWriteMicrosPer1m: isBlank(write) ? null : priceOf(write),
      outputMicrosPer1m: priceOf(fields.get("output"))
    },
    maxOutputTokens: countOf(fields.get("max_output_tokens")),
    reasoning: fields.get("reasoning") === "on"
  }
  const wrong = wrongFieldsOf(terms)
  return wrong.length === 0 ? terms : wrong
}

/** Says what is wrong beside each field. */
export const modelProblems = (visit: Visit, fields: ReadonlyArray<ModelField>): Problems => {
  const say = sayOf(visit, adminModelsText)
  const textOf = (field: ModelField) => {
    switch (field) {
      case "id":
        return say("id.problem")
      case "max_output_tokens":
        return say("limit.problem", { max: visit.formats.count(TOKENS_MAX) })
      default:
        return say("price.problem", { max: visit.formats.count(PRICE_USD_PER_1M_MAX) })
    }
  }
  return Object.fromEntries(fields.map((field) => [field, textOf(field)]))
}

/** A model's terms as its form has them. */
export const formOf = ({ maxOutputTokens, price, reasoning }: ModelTerms): URLSearchParams => {
  const { cacheWriteMicrosPer1m, cachedInputMicrosPer1m, inputMicrosPer1m, outputMicrosPer1m } = price
  return new URLSearchParams({
    input: formatUsd(inputMicrosPer1m),
    cached_input: formatUsd(cachedInputMicrosPer1m),
    cache_write: cacheWriteMicrosPer1m === null ? "" : formatUsd(cacheWriteMicrosPer1m),
    output: formatUsd(outputMicrosPer1m),
    max_output_tokens: maxOutputTokens.toString(),
    ...(reasoning ? { reasoning: "on" } : {})
  })
}
