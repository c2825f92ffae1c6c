/**
 * What a file of prices says of one model, turned into terms. Every number is taken from the digits of the file, exactly; a
 * price finer than a micro is rounded up and marked. What cannot be read is named and not taken, and stays as the model has it.
 */
import { TOKENS_MAX } from "../domain/Bounds.ts"
import { areTiers, isPrice, isTierStart, isToolPrice } from "../domain/ModelRules.ts"
import { MICROS_SCALE } from "../domain/Money.ts"
import { capabilities, type Capability } from "../domain/ModelTerms.ts"
import type { PriceTier, UnitPrices } from "../domain/Price.ts"
import { scaleUp } from "./DecimalText.ts"
import { isModelId } from "./ModelTerms.ts"
import { vendorOf } from "./Vendor.ts"

const PROVIDER_LENGTH_MAX = 100

/** Longer ids are cut before they are shown as refused, in characters. */
const REFUSED_ID_LENGTH_MAX = 250

/** Names of what was not read, at most, and the length of one in characters. */
const UNREAD_MAX = 20
const UNREAD_LENGTH_MAX = 100

/** `id`: no id that a model can have here. `missing`: no price of input or output. `price`: negative, absurd, or no number. */
export type OfferProblem = "id" | "missing" | "price"

/** Terms that a file says. Null: it is silent, and the model's own stay. */
export interface OfferTerms {
  readonly price: UnitPrices
  readonly tiers: ReadonlyArray<PriceTier> | null
  /** In micros a call. */
  readonly webSearchMicros: bigint | null
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  readonly reasoning: boolean | null
  readonly vendor: string | null
  readonly capabilities: ReadonlyArray<Capability> | null
}

/** What a file says of one model. */
export interface PriceOffer {
  readonly provider: string
  readonly modelId: string
  /** Null with a problem. */
  readonly terms: OfferTerms | null
  /** Some price was finer than a micro and is rounded up. */
  readonly rounded: boolean
  /** Names in the file of prices and lengths that could not be read, or that no term here stands for. */
  readonly unread: ReadonlyArray<string>
  readonly problem: OfferProblem | null
}

/** Prices where an entry has them. A number is the text that it was written as. */
export interface SaidPrices {
  readonly input: unknown
  readonly output: unknown
  /** Without it, cached input is priced as the input beside it. */
  readonly cachedInput: unknown
  /** Without it, cache writes are priced as the input beside it. */
  readonly cacheWrite: unknown
}

export interface SaidTier extends SaidPrices {
  /** In input tokens. */
  readonly above: unknown
}

/** A value and its name in the file. */
export interface Said<A> {
  readonly name: string
  readonly value: A
}

/** Where an entry says what. */
export interface SaidModel extends SaidPrices {
  readonly provider: string
  readonly modelId: string
  /** 10^shift micros per 1M tokens are one of the file's units of price. */
  readonly shift: number
  /** Undefined: there are tiers in a form that is not known. */
  readonly tiers: Said<ReadonlyArray<SaidTier> | undefined>
  /** In USD a call: of several, the dearest counts. */
  readonly webSearch: Said<ReadonlyArray<unknown>>
  readonly contextTokens: Said<unknown>
  readonly maxOutputTokens: Said<unknown>
  readonly reasoning: Said<unknown>
  /** Those that an entry affirms or denies; what is neither true nor false says nothing. */
  readonly capabilities: Readonly<Partial<Record<Capability, unknown>>>
  /** Names of other prices, which no term here stands for. */
  readonly others: ReadonlyArray<string>
}

/** Both formats leave a value out, or write null, where there is none. */
export const isAbsent = (value: unknown): boolean => value === undefined || value === null

/** Text that pages and the database can show, of a bounded length. */
const clean = (text: string, lengthMax: number): string =>
  text.replace(/\p{C}/gu, "\uFFFD").slice(0, lengthMax).toWellFormed()

/** Reads the numbers of one entry, and remembers what was rounded and what was not read. */
class EntryReader {
  rounded = false
  readonly unread: Array<string> = []
  private readonly shift: number

  constructor(shift: number) {
    this.shift = shift
  }

  private scaled(value: unknown, shift: number, isGood: (micros: bigint) => boolean): bigint | undefined {
    const scaled = typeof value === "string" ? scaleUp(value.trim(), shift) : undefined
    if (scaled === undefined || !isGood(scaled.value)) return undefined
    this.rounded ||= scaled.rounded
    return scaled.value
  }

  prices(said: SaidPrices): UnitPrices | undefined {
    const price = (value: unknown) => this.scaled(value, this.shift, isPrice)
    const input = price(said.input)
    const output = price(said.output)
    const cachedInput = isAbsent(said.cachedInput) ? input : price(said.cachedInput)
    const cacheWrite = isAbsent(said.cacheWrite) ? null : price(said.cacheWrite)
    if (input === undefined || output === undefined || cachedInput === undefined || cacheWrite === undefined) {
      return undefined
    }
    return {
      inputMicrosPer1m: input,
      cachedInputMicrosPer1m: cachedInput,
      cacheWriteMicrosPer1m: cacheWrite,
      outputMicrosPer1m: output
    }
  }

  tiers({ name, value }: Said<ReadonlyArray<SaidTier> | undefined>): ReadonlyArray<PriceTier> | null {
    if (value?.length === 0) return null
    const tiers = (value ?? []).flatMap((said): ReadonlyArray<PriceTier> => {
      const aboveInputTokens = Number(said.above)
      const prices = this.prices(said)
      return isTierStart(aboveInputTokens) && prices !== undefined ? [{ aboveInputTokens, ...prices }] : []
    }).toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens)
    if (value !== undefined && tiers.length === value.length && areTiers(tiers)) return tiers
    this.unread.push(name)
    return null
  }

  toolPrice({ name, value }: Said<ReadonlyArray<unknown>>): bigint | null {
    const prices = value.map((price) => this.scaled(price, MICROS_SCALE, isToolPrice))
    let dearest: bigint | null = null
    for (const price of prices) {
      if (price === undefined) {
        this.unread.push(name)
        return null
      }
      if (dearest === null || price > dearest) dearest = price
    }
    return dearest
  }

  /** Both formats write 0 where a length is not known. */
  length({ name, value }: Said<unknown>): number | null {
    if (isAbsent(value)) return null
    const tokens = typeof value === "string" ? Number(value) : Number.NaN
    if (tokens === 0) return null
    if (Number.isInteger(tokens) && tokens > 0 && tokens <= TOKENS_MAX) return tokens
    this.unread.push(name)
    return null
  }

  flag({ name, value }: Said<unknown>): boolean | null {
    if (typeof value === "boolean") return value
    if (!isAbsent(value)) this.unread.push(name)
    return null
  }
}

/** Lengths that contradict each other are not taken, because either of them may be wrong. */
const lengthsOf = (reader: EntryReader, said: SaidModel): Pick<OfferTerms, "contextTokens" | "maxOutputTokens"> => {
  const contextTokens = reader.length(said.contextTokens)
  const maxOutputTokens = reader.length(said.maxOutputTokens)
  if (contextTokens === null || maxOutputTokens === null || maxOutputTokens <= contextTokens) {
    return { contextTokens, maxOutputTokens }
  }
  reader.unread.push(said.contextTokens.name, said.maxOutputTokens.name)
  return { contextTokens: null, maxOutputTokens: null }
}

/** Null: the entry affirms and denies nothing. */
const capabilitiesOf = (said: SaidModel["capabilities"]): ReadonlyArray<Capability> | null =>
  capabilities.some((name) => typeof said[name] === "boolean")
    ? capabilities.filter((name) => said[name] === true)
    : null

const refused = (said: SaidModel, problem: OfferProblem): PriceOffer => ({
  provider: clean(said.provider, PROVIDER_LENGTH_MAX),
  modelId: problem === "id" ? clean(said.modelId, REFUSED_ID_LENGTH_MAX) : said.modelId,
  terms: null,
  rounded: false,
  unread: [],
  problem
})

export const offerOf = (said: SaidModel): PriceOffer => {
  if (!isModelId(said.modelId)) return refused(said, "id")
  if (isAbsent(said.input) || isAbsent(said.output)) return refused(said, "missing")
  const reader = new EntryReader(said.shift)
  const price = reader.prices(said)
  if (price === undefined) return refused(said, "price")
  const terms = {
    price,
    tiers: reader.tiers(said.tiers),
    webSearchMicros: reader.toolPrice(said.webSearch),
    ...lengthsOf(reader, said),
    reasoning: reader.flag(said.reasoning),
    vendor: vendorOf(said.modelId, said.provider),
    capabilities: capabilitiesOf(said.capabilities)
  }
  const unread = [...new Set([...reader.unread, ...said.others])]
  return {
    provider: clean(said.provider, PROVIDER_LENGTH_MAX),
    modelId: said.modelId,
    terms,
    rounded: reader.rounded,
    unread: unread.slice(0, UNREAD_MAX).map((name) => clean(name, UNREAD_LENGTH_MAX)),
    problem: null
  }
}
