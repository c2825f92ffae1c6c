/**
 * What the form of a model means: its fields parsed, or which of them are wrong.
 */
import { Result } from "effect"
import {
  defaultTerms,
  isPrice,
  type ModelField,
  modelFields,
  type ModelTerms,
  wrongFieldsOf
} from "../../../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOKENS_MAX, TOOL_USD_PER_CALL_MAX } from "../../../../domain/Bounds.ts"
import { type ModelTermName, modelTerms, type UnpricedTerms } from "../../../../domain/ModelTerms.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { withExtras } from "../../../../domain/Price.ts"
import type { Problems } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { readTermFields, termEntries, termProblem } from "../terms/TermForm.ts"
import { readTiers, tierEntries } from "./TierForm.ts"

const isBlank = (text: string | null): boolean => text === null || text.trim() === ""

/** Stands for a text that is no price: no price is negative. */
const NO_PRICE = -1n

const priceOf = (text: string | null): bigint => parseDecimal((text ?? "").trim(), MICROS_SCALE) ?? NO_PRICE

/** Of a tool: empty is not priced, and what was not sent stays. */
const toolPriceOf = (text: string | null, kept: bigint | null | undefined): bigint | null =>
  text === null ? kept ?? null : isBlank(text) ? null : priceOf(text)

/** The terms that the form asks for, or the names of the fields that are wrong. What was not sent is `kept`'s. */
export const readModelForm = (
  fields: URLSearchParams,
  kept: UnpricedTerms & Partial<ModelTerms> = defaultTerms
): Result.Result<ModelTerms, ReadonlyArray<string>> => {
  const input = priceOf(fields.get("input"))
  const cached = fields.get("cached_input")
  const write = fields.get("cache_write")
  const tiers = readTiers(fields)
  const { tiers: keptTiers = [], tools } = kept.price ?? {}
  return Result.flatMap(readTermFields(modelTerms, fields, kept), (terms) => {
    const model: ModelTerms = {
      ...terms,
      price: {
        inputMicrosPer1m: input,
        // Where it is as input, only input is wrong.
        cachedInputMicrosPer1m: isBlank(cached) ? (isPrice(input) ? input : 0n) : priceOf(cached),
        cacheWriteMicrosPer1m: isBlank(write) ? null : priceOf(write),
        outputMicrosPer1m: priceOf(fields.get("output")),
        ...withExtras(tiers?.tiers ?? keptTiers, {
          webSearchMicros: toolPriceOf(fields.get("web_search"), tools?.webSearchMicros),
          fileSearchMicros: toolPriceOf(fields.get("file_search"), tools?.fileSearchMicros)
        })
      }
    }
    const wrong = [...wrongFieldsOf(model), ...tiers?.wrong ?? []]
    return wrong.length === 0 ? Result.succeed(model) : Result.fail(wrong)
  })
}

const isModelField = (field: string): field is ModelField => modelFields.some((known) => known === field)

const isTermName = (field: string): field is ModelTermName => Object.hasOwn(modelTerms.fields, field)

const fieldText = (context: PageContext, field: ModelField): string => {
  const say = sayOf(context, "adminModels")
  const { count } = context.formats
  switch (field) {
    case "id":
      return say("id.problem")
    case "price_tiers":
      return say("tiers.problem", { count: PRICE_TIERS_MAX })
    case "web_search":
    case "file_search":
      return say("price.problem", { max: count(TOOL_USD_PER_CALL_MAX) })
    case "maxOutputTokens":
      return say("limit.problem", { max: count(TOKENS_MAX) })
    case "defaultOutputTokens":
      return say("default.problem", { max: count(TOKENS_MAX) })
    case "hostedTools":
      return say("hosted.problem")
    case "input":
    case "cached_input":
    case "cache_write":
    case "output":
      return say("price.problem", { max: count(PRICE_USD_PER_1M_MAX) })
    default:
      return termProblem(context, modelTerms.fields[field].kind)
  }
}

/** Of a cell of a tier. */
const cellText = (context: PageContext, field: string): string => {
  const say = sayOf(context, "adminModels")
  const { count } = context.formats
  return field.endsWith("_above")
    ? say("tiers.above.problem", { max: count(TOKENS_MAX) })
    : say("price.problem", { max: count(PRICE_USD_PER_1M_MAX) })
}

/** Says what is wrong beside each field. */
export const modelProblems = (context: PageContext, fields: ReadonlyArray<string>): Problems =>
  Object.fromEntries(
    fields.map((field) => [
      isTermName(field) ? modelTerms.keys[field] : field,
      isModelField(field) ? fieldText(context, field) : cellText(context, field)
    ])
  )

/** A model's terms as its form has them. */
export const formOf = (terms: ModelTerms): URLSearchParams => {
  const { cacheWriteMicrosPer1m, cachedInputMicrosPer1m, inputMicrosPer1m, outputMicrosPer1m, tiers, tools } =
    terms.price
  const optional = (micros: bigint | null | undefined) =>
    micros === null || micros === undefined ? "" : formatUsd(micros)
  return new URLSearchParams([
    ["input", formatUsd(inputMicrosPer1m)],
    ["cached_input", formatUsd(cachedInputMicrosPer1m)],
    ["cache_write", optional(cacheWriteMicrosPer1m)],
    ["output", formatUsd(outputMicrosPer1m)],
    ["web_search", optional(tools?.webSearchMicros)],
    ["file_search", optional(tools?.fileSearchMicros)],
    ...tierEntries(tiers ?? []).map(([name, text]) => [name, text]),
    ...termEntries(modelTerms, terms).map(([name, text]) => [name, text])
  ])
}
