/**
 * An entry of LiteLLM's list, in USD per token. Long contexts are priced by keys that end in `_above_<N>k_tokens`, which fall
 * back to the plain ones, or by ranges in `tiered_pricing`. Other service tiers, batches, audio and video are left out: no
 * call here has them.
 * @internal
 */
import { MICROS_SCALE } from "../domain/Money.ts"
import { isObject, type Json } from "./JsonText.ts"
import { isAbsent, type SaidModel, type SaidPrices, type SaidTier } from "./Offer.ts"

const EMBEDDING = "embedding"

/** Modes of models that are called as ours are. */
const modes: ReadonlySet<unknown> = new Set(["chat", "responses", "completion", EMBEDDING])

const priceKeys = {
  input: "input_cost_per_token",
  output: "output_cost_per_token",
  cachedInput: "cache_read_input_token_cost",
  cacheWrite: "cache_creation_input_token_cost"
} as const

const plainKeys: ReadonlySet<string> = new Set(Object.values(priceKeys))

/** Reasoning tokens are output here: their price is read where it is that of output. */
const REASONING_KEY = "output_cost_per_reasoning_token"

const tierPattern = /^(.+)_above_(\d+)(k?)_tokens$/

const tierOf = (key: string): { readonly suffix: string; readonly above: string } | undefined => {
  const [, plain = "", count = "", k = ""] = tierPattern.exec(key) ?? []
  return plainKeys.has(plain) ? { suffix: key.slice(plain.length), above: k === "" ? count : `${count}000` } : undefined
}

/** Where tiers begin, by what ends the names of their prices. */
const suffixesOf = (entry: Json): ReadonlyMap<string, string> =>
  new Map(
    Object.keys(entry).filter((key) => !isAbsent(entry[key])).flatMap((key) => {
      const tier = tierOf(key)
      return tier === undefined ? [] : [[tier.suffix, tier.above] as const]
    })
  )

const pricesOf = (entry: Json, suffix = ""): SaidPrices => ({
  input: entry[priceKeys.input + suffix] ?? entry[priceKeys.input],
  output: entry[priceKeys.output + suffix] ?? entry[priceKeys.output],
  cachedInput: entry[priceKeys.cachedInput + suffix] ?? entry[priceKeys.cachedInput],
  cacheWrite: entry[priceKeys.cacheWrite + suffix] ?? entry[priceKeys.cacheWrite]
})

const rangeOf = (item: unknown): SaidTier => {
  const entry = isObject(item) ? item : {}
  const above: unknown = Array.isArray(entry.range) ? entry.range[0] : undefined
  return { ...pricesOf(entry), above }
}

/** `[from, to)` in tokens, of which the first begins at 0 and is no tier. */
const rangesOf = (ranges: unknown): ReadonlyArray<SaidTier> | undefined => {
  if (!Array.isArray(ranges)) return undefined
  const items: ReadonlyArray<unknown> = ranges
  return items.map(rangeOf)
}

const isBase = ({ above }: SaidTier): boolean => typeof above === "string" && Number(above) === 0

interface SaidCosts extends SaidPrices {
  readonly tiers: SaidModel["tiers"]
}

const costsOf = (entry: Json, suffixes: ReadonlyMap<string, string>): SaidCosts => {
  if (suffixes.size > 0 || isAbsent(entry.tiered_pricing)) {
    const value = Array.from(suffixes, ([suffix, above]) => ({ ...pricesOf(entry, suffix), above }))
    return { ...pricesOf(entry), tiers: { name: `*${[...suffixes.keys()].join(", *")}`, value } }
  }
  const ranges = rangesOf(entry.tiered_pricing)
  const base = isAbsent(entry[priceKeys.input]) ? ranges?.find(isBase) : undefined
  return {
    ...base ?? pricesOf(entry),
    tiers: { name: "tiered_pricing", value: ranges?.filter((range) => !isBase(range)) }
  }
}

/** Of other service tiers and of what is not text; cache writes for an hour are refused before they can cost anything. */
const irrelevant = /_(batches|batch_requests|flex|priority)$|audio|video|character|_above_1hr|^output_cost_per_image/

/** Names of prices that are not read. */
const othersOf = (entry: Json, hasSuffixTiers: boolean): ReadonlyArray<string> =>
  Object.keys(entry).filter((key) => {
    const value = entry[key]
    if (isAbsent(value) || !/cost|pric/.test(key) || irrelevant.test(key)) return false
    if (plainKeys.has(key) || tierOf(key) !== undefined || key === "search_context_cost_per_query") return false
    if (key === "tiered_pricing") return hasSuffixTiers
    if (key === REASONING_KEY && value === entry[priceKeys.output]) return false
    return typeof value !== "string" || Number(value) !== 0
  })

/** Reasoning that is priced apart in some range. */
const rangeOthers = (ranges: unknown): ReadonlyArray<string> => {
  const items: ReadonlyArray<unknown> = Array.isArray(ranges) ? ranges : []
  return items.some((item) =>
      isObject(item) && !isAbsent(item[REASONING_KEY]) && item[REASONING_KEY] !== item[priceKeys.output]
    )
    ? [`tiered_pricing.${REASONING_KEY}`]
    : []
}

/** By how much context a search brings in, or one price for all. */
const searchCosts = (costs: unknown): ReadonlyArray<unknown> =>
  isAbsent(costs) ? [] : isObject(costs) ? Object.values(costs) : [costs]

/** Without an output limit of its own, `max_tokens` is that limit; else it may be the context. */
const lengthsOf = (entry: Json): Pick<SaidModel, "contextTokens" | "maxOutputTokens"> => {
  const { max_input_tokens: input, max_output_tokens: output, max_tokens: tokens } = entry
  const isContext = isAbsent(input) && !isAbsent(output) && Number(tokens) > Number(output)
  return {
    contextTokens: isContext ? { name: "max_tokens", value: tokens } : { name: "max_input_tokens", value: input },
    maxOutputTokens: isAbsent(output)
      ? { name: "max_tokens", value: tokens }
      : { name: "max_output_tokens", value: output }
  }
}

/** An embedding is no output that is priced, and of an output limit nothing is said: `max_tokens` is the longest input. */
const withoutOutput = ({ max_output_tokens: _, max_tokens: tokens, ...entry }: Json): Json => ({
  ...entry,
  max_input_tokens: entry.max_input_tokens ?? tokens,
  [priceKeys.output]: "0"
})

/**
 * LiteLLM writes `<provider>/<model>` where the provider is not plain; the upstream knows what comes after. Undefined for a
 * model that answers with neither text nor embeddings.
 */
export const fromLiteLlm = (key: string, said: Json): SaidModel | undefined => {
  if (key === "sample_spec" || !modes.has(said.mode)) return undefined
  const entry = said.mode === EMBEDDING ? withoutOutput(said) : said
  const provider = typeof entry.litellm_provider === "string" ? entry.litellm_provider : ""
  const suffixes = suffixesOf(entry)
  return {
    provider,
    modelId: provider !== "" && key.startsWith(`${provider}/`) ? key.slice(provider.length + 1) : key,
    ...costsOf(entry, suffixes),
    // Per 1M tokens is 10^6 times, and in micros 10^6 times more.
    shift: 2 * MICROS_SCALE,
    webSearch: { name: "search_context_cost_per_query", value: searchCosts(entry.search_context_cost_per_query) },
    ...lengthsOf(entry),
    reasoning: { name: "supports_reasoning", value: entry.supports_reasoning },
    capabilities: {
      tools: entry.supports_function_calling,
      structured_output: entry.supports_response_schema,
      vision: entry.supports_vision,
      files: entry.supports_pdf_input,
      ...said.mode === EMBEDDING ? { embeddings: true } : {}
    },
    others: [...othersOf(entry, suffixes.size > 0), ...suffixes.size > 0 ? [] : rangeOthers(entry.tiered_pricing)]
  }
}

export const isLiteLlm = (entry: Json): boolean =>
  "litellm_provider" in entry || "input_cost_per_token" in entry || "mode" in entry
