/**
 * Reads a JSON file of model prices in the two shapes that are common: models.dev's, by provider and in USD per 1M tokens, and
 * LiteLLM's, by model and in USD per token. Every price is taken from the digits of the file, exactly; one finer than a micro
 * per 1M tokens is rounded up and said to be. A model that cannot be taken says why, and keeps no other from being read.
 */
import { MICROS_SCALE } from "../domain/Money.ts"
import type { PriceSnapshot } from "../domain/Price.ts"
import { scaleUp } from "./DecimalText.ts"
import { isModelId, isOutputLimit, isPrice } from "./ModelTerms.ts"

/** The largest file, in characters. */
export const PRICE_FILE_LENGTH_MAX = 8_388_608

/** Models of one file, at most. */
export const OFFERS_MAX = 20_000

const PROVIDER_LENGTH_MAX = 100

/** Longer ids are cut before they are shown as refused, in characters. */
const REFUSED_ID_LENGTH_MAX = 250

/** `id`: no id that a model can have here. `missing`: no price of input or output. `price`: negative, absurd, or no number. */
export type OfferProblem = "id" | "missing" | "price"

/** What a file says of one model. */
export interface PriceOffer {
  readonly provider: string
  readonly modelId: string
  /** Null with a problem. */
  readonly price: PriceSnapshot | null
  /** Null: not said. */
  readonly maxOutputTokens: number | null
  readonly reasoning: boolean | null
  readonly rounded: boolean
  /** Some calls cost otherwise, such as those with a long context; that is not taken. */
  readonly tiered: boolean
  readonly problem: OfferProblem | null
}

export interface PriceFile {
  readonly offers: ReadonlyArray<PriceOffer>
  /** Entries that are no models of text. */
  readonly skipped: number
}

export type PriceFileProblem = "json" | "shape" | "size"

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** A number becomes the text it is written as. Undefined: no JSON. */
const parse = (text: string): unknown => {
  const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? context?.source ?? String(value) : value
  try {
    return JSON.parse(text, asWritten)
  } catch {
    return undefined
  }
}

/** Where an entry says what. */
interface Said {
  readonly provider: string
  readonly modelId: string
  readonly input: unknown
  readonly output: unknown
  readonly cachedInput: unknown
  readonly cacheWrite: unknown
  /** 10^shift micros per 1M tokens are one of the file's units. */
  readonly shift: number
  readonly maxOutput: unknown
  readonly reasoning: unknown
  readonly tiered: boolean
}

/** Both formats leave a price out, or write null, where there is none. */
const isAbsent = (value: unknown): boolean => value === undefined || value === null

interface ReadPrices {
  readonly price: PriceSnapshot | null
  readonly rounded: boolean
  readonly problem: OfferProblem | null
}

const pricesOf = (said: Said): ReadPrices => {
  let rounded = false
  const read = (value: unknown): bigint | undefined => {
    const scaled = typeof value === "string" ? scaleUp(value.trim(), said.shift) : undefined
    if (scaled === undefined || !isPrice(scaled.value)) return undefined
    rounded ||= scaled.rounded
    return scaled.value
  }
  if (isAbsent(said.input) || isAbsent(said.output)) return { price: null, rounded: false, problem: "missing" }
  const input = read(said.input)
  const output = read(said.output)
  const cachedInput = isAbsent(said.cachedInput) ? input : read(said.cachedInput)
  const cacheWrite = isAbsent(said.cacheWrite) ? null : read(said.cacheWrite)
  if (input === undefined || output === undefined || cachedInput === undefined || cacheWrite === undefined) {
    return { price: null, rounded: false, problem: "price" }
  }
  return {
    price: {
      inputMicrosPer1m: input,
      cachedInputMicrosPer1m: cachedInput,
      cacheWriteMicrosPer1m: cacheWrite,
      outputMicrosPer1m: output
    },
    rounded,
    problem: null
  }
}

/** Text that pages and the database can show, of a bounded length. */
const clean = (text: string, lengthMax: number): string =>
  text.replace(/\p{C}/gu, "\uFFFD").slice(0, lengthMax).toWellFormed()

const offerOf = (said: Said): PriceOffer => {
  const isId = isModelId(said.modelId)
  const { price, problem, rounded } = isId ? pricesOf(said) : { price: null, problem: "id" as const, rounded: false }
  const maxOutput = typeof said.maxOutput === "string" ? Number(said.maxOutput) : 0
  return {
    provider: clean(said.provider, PROVIDER_LENGTH_MAX),
    modelId: isId ? said.modelId : clean(said.modelId, REFUSED_ID_LENGTH_MAX),
    price,
    maxOutputTokens: isOutputLimit(maxOutput) ? maxOutput : null,
    reasoning: typeof said.reasoning === "boolean" ? said.reasoning : null,
    rounded,
    tiered: said.tiered,
    problem
  }
}

/** LiteLLM's modes of models that are called as ours are. */
const modes: ReadonlySet<unknown> = new Set(["chat", "responses", "completion"])

const isTier = (key: string): boolean => /_above_\d+k?_tokens|^context_over_|^tiers$/.test(key)

/** An entry of models.dev; undefined for a model that does not answer with text. */
const fromModelsDev = (provider: string, name: string, entry: Json): Said | undefined => {
  const cost = isObject(entry.cost) ? entry.cost : {}
  const outputs = isObject(entry.modalities) ? entry.modalities.output : undefined
  if (Array.isArray(outputs) && !outputs.includes("text")) return undefined
  return {
    provider,
    modelId: typeof entry.id === "string" ? entry.id : name,
    input: cost.input,
    output: cost.output,
    cachedInput: cost.cache_read,
    cacheWrite: cost.cache_write,
    shift: MICROS_SCALE,
    maxOutput: isObject(entry.limit) ? entry.limit.output : undefined,
    reasoning: entry.reasoning,
    tiered: Object.keys(cost).some(isTier)
  }
}

/** LiteLLM writes `<provider>/<model>` where the provider is not plain; the upstream knows what comes after. */
const fromLiteLlm = (name: string, entry: Json): Said | undefined => {
  if (name === "sample_spec" || !modes.has(entry.mode)) return undefined
  const provider = typeof entry.litellm_provider === "string" ? entry.litellm_provider : ""
  return {
    provider,
    modelId: provider !== "" && name.startsWith(`${provider}/`) ? name.slice(provider.length + 1) : name,
    input: entry.input_cost_per_token,
    output: entry.output_cost_per_token,
    cachedInput: entry.cache_read_input_token_cost,
    cacheWrite: entry.cache_creation_input_token_cost,
    // Per 1M tokens is 10^6 times, and in micros 10^6 times more.
    shift: 2 * MICROS_SCALE,
    maxOutput: entry.max_output_tokens ?? entry.max_tokens,
    reasoning: entry.supports_reasoning,
    tiered: Object.keys(entry).some(isTier)
  }
}

/** `<provider>/<model>` as models.dev's flat form has it. */
const fromFlat = (name: string, entry: Json): Said | undefined => {
  const slash = name.indexOf("/")
  return fromModelsDev(name.slice(0, Math.max(slash, 0)), name.slice(slash + 1), entry)
}

const isProvider = (entry: unknown): entry is Json & { readonly models: Json } =>
  isObject(entry) && isObject(entry.models)

const fromProvider = (key: string, { id, models }: Json & { readonly models: Json }) =>
  Object.entries(models).map(([name, model]) =>
    isObject(model) ? fromModelsDev(typeof id === "string" ? id : key, name, model) : undefined
  )

const isLiteLlm = (entry: Json): boolean =>
  "litellm_provider" in entry || "input_cost_per_token" in entry || "mode" in entry

const fromEntry = ([key, entry]: readonly [string, unknown]): ReadonlyArray<Said | undefined> => {
  if (isProvider(entry)) return fromProvider(key, entry)
  if (!isObject(entry)) return [undefined]
  if (isLiteLlm(entry)) return [fromLiteLlm(key, entry)]
  return "cost" in entry || "limit" in entry ? [fromFlat(key, entry)] : [undefined]
}

/** Reads a file's text, or says why it cannot be read as a whole. */
export const readPriceFile = (text: string): PriceFile | PriceFileProblem => {
  if (text.length > PRICE_FILE_LENGTH_MAX) return "size"
  const root = parse(text.trim())
  if (root === undefined) return "json"
  if (!isObject(root)) return "shape"
  const entries = isProvider(root) ? fromProvider("", root) : Object.entries(root).flatMap(fromEntry)
  const said = entries.filter((entry) => entry !== undefined)
  if (said.length === 0) return "shape"
  return said.length > OFFERS_MAX ? "size" : { offers: said.map(offerOf), skipped: entries.length - said.length }
}
