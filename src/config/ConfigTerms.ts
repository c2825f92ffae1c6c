/**
 * Models of a decoded document, with every default filled in, and what is wrong with the terms of a model that are each in bounds
 * but do not go together.
 * @internal
 */
import { Struct } from "effect"
import { PRICE_TIERS_MAX } from "../domain/Bounds.ts"
import { defaultTermsWithin, wrongFieldsOf } from "../domain/ModelRules.ts"
import { modelTerms } from "../domain/ModelTerms.ts"
import { type PriceTier, type UnitPrices, withExtras } from "../domain/Price.ts"
import { fileKeyOf } from "../domain/Scalars.ts"
import type { ConfigProblem } from "./ConfigProblem.ts"
import type { ConfigDocument } from "./ConfigSchema.ts"
import type { ModelConfig } from "./RealmsConfig.ts"

type DeclaredModel = ConfigDocument["models"][number]

type DeclaredPrices = Partial<UnitPrices> & Pick<UnitPrices, "inputMicrosPer1m" | "outputMicrosPer1m">

const pricesOf = (prices: DeclaredPrices): UnitPrices => ({
  inputMicrosPer1m: prices.inputMicrosPer1m,
  cachedInputMicrosPer1m: prices.cachedInputMicrosPer1m ?? prices.inputMicrosPer1m,
  cacheWriteMicrosPer1m: prices.cacheWriteMicrosPer1m ?? null,
  outputMicrosPer1m: prices.outputMicrosPer1m
})

const tierOf = (tier: DeclaredPrices & Pick<PriceTier, "aboveInputTokens">): PriceTier => ({
  aboveInputTokens: tier.aboveInputTokens,
  ...pricesOf(tier)
})

export const modelOf = (model: DeclaredModel): ModelConfig => ({
  ...defaultTermsWithin(model.contextTokens),
  ...Struct.pick(model, modelTerms.names),
  id: model.id,
  price: {
    ...pricesOf(model),
    ...withExtras((model.priceTiers ?? []).map(tierOf), {
      webSearchMicros: model.tools?.webSearchMicros ?? null,
      fileSearchMicros: model.tools?.fileSearchMicros ?? null
    })
  }
})

const ruleTexts: Readonly<Record<string, string>> = {
  price_tiers: `expected at most ${PRICE_TIERS_MAX} tiers, with above_input_tokens ascending`,
  maxOutputTokens: "expected at most context_tokens",
  defaultOutputTokens: "expected at most max_output_tokens",
  hostedTools: "price needs context_tokens and the price of a tool under tools"
}

/** The rules that a model breaks. */
export const modelProblems = (model: DeclaredModel, index: number): ReadonlyArray<ConfigProblem> =>
  wrongFieldsOf(modelOf(model)).map((field) => ({
    path: ["models", index, fileKeyOf(field)],
    message: ruleTexts[field] ?? "is out of bounds"
  }))
