/**
 * The part of a price snapshot that few calls have - tiers and priced tools - as the columns `price_extras`
 * keeps it: `{"tiers":[{"above":200000,"input":"6","cached":"3","write":null,"output":"20"}],"tools":{"web":"10000","file":null}}`.
 * Prices are micros as decimal text, because JSON numbers lose digits; `above` is a number of tokens.
 */
import { Schema } from "effect"
import type { PriceSnapshot, UnitPrices } from "../domain/Price.ts"

const Price = Schema.BigIntFromString

/** The column as it is read. */
export const PriceExtras = Schema.Struct({
  tiers: Schema.optionalKey(Schema.Array(Schema.Struct({
    above: Schema.Number,
    input: Price,
    cached: Price,
    write: Schema.NullOr(Price),
    output: Price
  }))),
  tools: Schema.optionalKey(Schema.Struct({ web: Schema.NullOr(Price), file: Schema.NullOr(Price) }))
})

const written = ({ tiers, tools }: PriceSnapshot): string | null => {
  const hasTiers = tiers !== undefined && tiers.length > 0
  if (!hasTiers && tools === undefined) return null
  const text = (price: bigint | null) => price === null ? null : price.toString()
  return JSON.stringify({
    ...(hasTiers
      ? {
        tiers: tiers.map((tier) => ({
          above: tier.aboveInputTokens,
          input: text(tier.inputMicrosPer1m),
          cached: text(tier.cachedInputMicrosPer1m),
          write: text(tier.cacheWriteMicrosPer1m),
          output: text(tier.outputMicrosPer1m)
        }))
      }
      : {}),
    ...(tools === undefined ? {} : { tools: { web: text(tools.webSearchMicros), file: text(tools.fileSearchMicros) } })
  })
}

/** One snapshot prices many calls: its text is made once. */
const texts = new WeakMap<PriceSnapshot, string | null>()

/** The column's JSON for a snapshot; null when it has neither tiers nor priced tools. */
export const priceExtrasText = (price: PriceSnapshot): string | null => {
  if (price.tiers === undefined && price.tools === undefined) return null
  const known = texts.get(price)
  if (known !== undefined) return known
  const text = written(price)
  texts.set(price, text)
  return text
}

/** The snapshot of a row: its four unit prices, and what the column adds. */
export const priceSnapshotOf = (prices: UnitPrices, extras: typeof PriceExtras.Type | null): PriceSnapshot => ({
  ...prices,
  ...(extras?.tiers === undefined
    ? {}
    : {
      tiers: extras.tiers.map((tier) => ({
        aboveInputTokens: tier.above,
        inputMicrosPer1m: tier.input,
        cachedInputMicrosPer1m: tier.cached,
        cacheWriteMicrosPer1m: tier.write,
        outputMicrosPer1m: tier.output
      }))
    }),
  ...(extras?.tools === undefined
    ? {}
    : { tools: { webSearchMicros: extras.tools.web, fileSearchMicros: extras.tools.file } })
})
