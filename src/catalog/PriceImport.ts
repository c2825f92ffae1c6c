/**
 * Reads a JSON file of model prices in the two shapes that are common: models.dev's, by provider and in USD per 1M tokens, and
 * LiteLLM's, by model and in USD per token. A model that cannot be taken says why, and keeps no other from being read.
 */
import { isObject, type Json, parseWithTexts } from "./JsonText.ts"
import { fromLiteLlm, isLiteLlm } from "./LiteLlmEntry.ts"
import { fromModelsDev } from "./ModelsDevEntry.ts"
import { offerOf, type PriceOffer, type SaidModel } from "./Offer.ts"

export type { OfferProblem, OfferTerms, PriceOffer } from "./Offer.ts"

/** The largest file, in characters. */
export const PRICE_FILE_LENGTH_MAX = 8_388_608

/** Models of one file, at most. */
export const OFFERS_MAX = 20_000

export interface PriceFile {
  readonly offers: ReadonlyArray<PriceOffer>
  /** Entries that are models of neither text nor embeddings. */
  readonly skipped: number
}

export type PriceFileProblem = "json" | "shape" | "size"

/** `<provider>/<model>` as models.dev's flat form has it. */
const fromFlat = (name: string, entry: Json): SaidModel | undefined => {
  const slash = name.indexOf("/")
  return fromModelsDev(name.slice(0, Math.max(slash, 0)), name.slice(slash + 1), entry)
}

const isProvider = (entry: unknown): entry is Json & { readonly models: Json } =>
  isObject(entry) && isObject(entry.models)

const fromProvider = (key: string, { id, models }: Json & { readonly models: Json }) =>
  Object.entries(models).map(([name, model]) =>
    isObject(model) ? fromModelsDev(typeof id === "string" ? id : key, name, model) : undefined
  )

const fromEntry = ([key, entry]: readonly [string, unknown]): ReadonlyArray<SaidModel | undefined> => {
  if (isProvider(entry)) return fromProvider(key, entry)
  if (!isObject(entry)) return [undefined]
  if (isLiteLlm(entry)) return [fromLiteLlm(key, entry)]
  return "cost" in entry || "limit" in entry ? [fromFlat(key, entry)] : [undefined]
}

/** Reads a file's text, or says why it cannot be read as a whole. */
export const readPriceFile = (text: string): PriceFile | PriceFileProblem => {
  if (text.length > PRICE_FILE_LENGTH_MAX) return "size"
  const root = parseWithTexts(text.trim())
  if (root === undefined) return "json"
  if (!isObject(root)) return "shape"
  const entries = isProvider(root) ? fromProvider("", root) : Object.entries(root).flatMap(fromEntry)
  const said = entries.filter((entry) => entry !== undefined)
  if (said.length === 0) return "shape"
  return said.length > OFFERS_MAX ? "size" : { offers: said.map(offerOf), skipped: entries.length - said.length }
}
