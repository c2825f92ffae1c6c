/**
 * An entry of models.dev's list, in USD per 1M tokens. Long contexts are priced in `cost.tiers`, or in the older
 * `cost.context_over_200k`, which says the same of 200,000 tokens where both are there.
 * @internal
 */
import { MICROS_SCALE } from "../domain/Money.ts"
import { isObject, type Json } from "./JsonText.ts"
import { isAbsent, type SaidModel, type SaidTier } from "./Offer.ts"

const OVER_200K_TOKENS = "200000"

/** Prices that are read, and those of audio, which no call here has. */
const readCosts: ReadonlySet<string> = new Set([
  "input",
  "output",
  "cache_read",
  "cache_write",
  "input_audio",
  "output_audio",
  "context_over_200k",
  "tiers",
  "tier"
])

/** Names of prices that are not read. Reasoning tokens are output here: their price is read where it is that of output. */
const othersOf = (cost: Json, name: string): ReadonlyArray<string> =>
  Object.keys(cost)
    .filter((key) => !readCosts.has(key) && !isAbsent(cost[key]) && !(key === "reasoning" && cost[key] === cost.output))
    .map((key) => `${name}.${key}`)

const pricesOf = (cost: Json) => ({
  input: cost.input,
  output: cost.output,
  cachedInput: cost.cache_read,
  cacheWrite: cost.cache_write
})

/** A tier of another type than the context's is one that is not known. */
const tierOf = (item: unknown): SaidTier => {
  const cost = isObject(item) ? item : {}
  const tier = isObject(cost.tier) ? cost.tier : {}
  return { ...pricesOf(cost), above: tier.type === "context" ? tier.size : undefined }
}

const tiersOf = (tiers: unknown): ReadonlyArray<SaidTier> | undefined => {
  if (!Array.isArray(tiers)) return undefined
  const items: ReadonlyArray<unknown> = tiers
  return items.map(tierOf)
}

const hasTiers = ({ tiers }: Json): boolean => Array.isArray(tiers) ? tiers.length > 0 : !isAbsent(tiers)

const saidTiers = (cost: Json): SaidModel["tiers"] => {
  if (hasTiers(cost)) return { name: "cost.tiers", value: tiersOf(cost.tiers) }
  const { context_over_200k: over } = cost
  return {
    name: "cost.context_over_200k",
    value: isAbsent(over) ? [] : isObject(over) ? [{ ...pricesOf(over), above: OVER_200K_TOKENS }] : undefined
  }
}

const tierOthers = (cost: Json): ReadonlyArray<string> => {
  if (!hasTiers(cost)) {
    return isObject(cost.context_over_200k) ? othersOf(cost.context_over_200k, "cost.context_over_200k") : []
  }
  const tiers: ReadonlyArray<unknown> = Array.isArray(cost.tiers) ? cost.tiers : []
  return tiers.flatMap((tier) => isObject(tier) ? othersOf(tier, "cost.tiers") : [])
}

const embeddingPattern = /embed/i

/** The list has no field for it: a model of embeddings is told by its output, its family or its name. */
const isEmbedding = (key: string, { family, id }: Json, outputs: unknown): boolean =>
  [outputs, family, id, key].flat().some((text) => typeof text === "string" && embeddingPattern.test(text))

/** Undefined for a model that answers with neither text nor embeddings. */
export const fromModelsDev = (provider: string, key: string, entry: Json): SaidModel | undefined => {
  const { input: inputs, output: outputs } = isObject(entry.modalities) ? entry.modalities : {}
  const embeds = isEmbedding(key, entry, outputs)
  if (Array.isArray(outputs) && !outputs.includes("text") && !embeds) return undefined
  const said = isObject(entry.cost) ? entry.cost : {}
  // An embedding is no output that is priced, and the length that is said of it is that of the vector.
  const cost = embeds ? { ...said, output: "0" } : said
  const limit = isObject(entry.limit) ? entry.limit : {}
  return {
    provider,
    modelId: typeof entry.id === "string" ? entry.id : key,
    ...pricesOf(cost),
    shift: MICROS_SCALE,
    tiers: saidTiers(cost),
    webSearch: { name: "", value: [] },
    contextTokens: { name: "limit.context", value: limit.context },
    maxOutputTokens: { name: "limit.output", value: embeds ? undefined : limit.output },
    reasoning: { name: "reasoning", value: entry.reasoning },
    capabilities: {
      tools: entry.tool_call,
      structured_output: entry.structured_output,
      ...Array.isArray(inputs) ? { vision: inputs.includes("image"), files: inputs.includes("pdf") } : {},
      ...embeds ? { embeddings: true } : {}
    },
    others: [...othersOf(cost, "cost"), ...tierOthers(cost)]
  }
}
