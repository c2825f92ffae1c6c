/**
 * Channels and models of a decoded document, with every default filled in, and what is wrong with the terms of a model that
 * are each in bounds but do not go together.
 * @internal
 */
import { Result } from "effect"
import { PRICE_TIERS_MAX } from "../domain/Bounds.ts"
import { channelTermList } from "../domain/ChannelTermList.ts"
import { defaultChannelTerms } from "../domain/ChannelTerms.ts"
import { defaultTermsWithin, wrongFieldsOf } from "../domain/ModelRules.ts"
import { modelTermList } from "../domain/ModelTermList.ts"
import type { PriceTier, UnitPrices } from "../domain/Price.ts"
import { withExtras } from "../domain/PriceJson.ts"
import { readTerms, type TermList } from "../domain/Term.ts"
import type { ConfigProblem } from "./ConfigProblem.ts"
import type { ConfigDocument } from "./ConfigSchema.ts"
import type { ChannelConfig, ModelConfig } from "./RealmsConfig.ts"

/** The schema has checked each term by its own bounds already. */
const termsOf = <K extends string, T>(list: TermList<K, T>, document: Readonly<Record<string, unknown>>, base: T): T =>
  Result.getOrThrowWith(
    readTerms(list, document, base),
    (keys) => new Error(`terms were not checked: ${keys.join(", ")}`)
  )

export const channelOf = (channel: ConfigDocument["channels"][number]): ChannelConfig => ({
  ...termsOf(channelTermList, channel, defaultChannelTerms),
  name: channel.name,
  baseUrl: channel.base_url,
  apiKey: channel.api_key,
  priority: channel.priority,
  weight: channel.weight,
  models: channel.models ?? {}
})

interface DocumentPrices {
  readonly input_usd_per_1m: bigint
  readonly cached_input_usd_per_1m?: bigint
  readonly cache_write_usd_per_1m?: bigint
  readonly output_usd_per_1m: bigint
}

const pricesOf = (prices: DocumentPrices): UnitPrices => ({
  inputMicrosPer1m: prices.input_usd_per_1m,
  cachedInputMicrosPer1m: prices.cached_input_usd_per_1m ?? prices.input_usd_per_1m,
  cacheWriteMicrosPer1m: prices.cache_write_usd_per_1m ?? null,
  outputMicrosPer1m: prices.output_usd_per_1m
})

const tierOf = (tier: DocumentPrices & { readonly above_input_tokens: number }): PriceTier => ({
  aboveInputTokens: tier.above_input_tokens,
  ...pricesOf(tier)
})

export const modelOf = (model: ConfigDocument["models"][number]): ModelConfig => ({
  ...termsOf(modelTermList, model, defaultTermsWithin(model.context_tokens)),
  id: model.id,
  price: {
    ...pricesOf(model),
    ...withExtras(
      (model.price_tiers ?? []).map(tierOf),
      {
        webSearchMicros: model.tools?.web_search_usd_per_call ?? null,
        fileSearchMicros: model.tools?.file_search_usd_per_call ?? null
      }
    )
  }
})

const ruleTexts: Readonly<Record<string, string>> = {
  price_tiers: `expected at most ${PRICE_TIERS_MAX} tiers, with above_input_tokens ascending`,
  max_output_tokens: "expected at most context_tokens",
  default_output_tokens: "expected at most max_output_tokens",
  hosted_tools: "price needs context_tokens and the price of a tool under tools"
}

/** The rules that a model breaks. */
export const modelProblems = (model: ConfigDocument["models"][number], index: number): ReadonlyArray<ConfigProblem> =>
  wrongFieldsOf(modelOf(model)).map((field) => ({
    path: ["models", index, field],
    message: ruleTexts[field] ?? "is out of bounds"
  }))
