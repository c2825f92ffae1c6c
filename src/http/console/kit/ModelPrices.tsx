/**
 * What models cost, as callers who pay from their balance are charged, and what they can do: for the catalogue, a model's page and the
 * page that visitors see first.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../accounts/AccountOverview.ts"
import type { Model } from "../../../catalog/Catalog.ts"
import { abilitiesOf, type Ability } from "../../../catalog/ModelSearch.ts"
import { divideUp } from "../../../domain/Money.ts"
import { MULTIPLIER_ONE, type UnitPrices } from "../../../domain/Price.ts"
import { Settings } from "../../../settings/Settings.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { capabilityNames } from "../text/SharedTexts.ts"
import type { ItemColumn } from "./List.tsx"
import { Badge, Small } from "./Parts.tsx"

/** A model's own line, or that of its prices above so many input tokens. */
export interface PriceLine {
  readonly model: Model
  readonly prices: UnitPrices
  readonly above: number | undefined
}

export const linesOf = (model: Model): ReadonlyArray<PriceLine> => [
  { model, prices: model.price, above: undefined },
  ...(model.price.tiers ?? []).map((prices) => ({ model, prices, above: prices.aboveInputTokens }))
]

/** The texts of prices for this reader. */
export interface PriceTexts {
  /** What prices are said in, and whose they are. */
  readonly lead: string
  /** Null: there is no such price. */
  text(micros: bigint | null): string
}

/**
 * A price is micros per million tokens, so it reads as USD per million; what multipliers add, that of the user's group included, is
 * rounded up.
 */
export const priceTexts = Effect.fnUntraced(function*(context: PageContext) {
  const billing = (yield* Settings).current().billing.multiplierMicros
  const group = context.user === undefined ? undefined : yield* (yield* AccountOverview).group(context.user.id)
  const multiplier = billing * (group?.multiplierMicros ?? MULTIPLIER_ONE)
  const say = sayOf(context, "models")
  const texts: PriceTexts = {
    lead: group === undefined
      ? say(billing === MULTIPLIER_ONE ? "lead" : "leadMultiplied")
      : say("leadGroup", { group: group.name }),
    text: (micros) => {
      if (micros === null) return "–"
      const multiplied = divideUp(micros * multiplier, MULTIPLIER_ONE * MULTIPLIER_ONE)
      return multiplied === 0n ? say("free") : context.formats.usd(multiplied)
    }
  }
  return texts
})

const names = {
  inputMicrosPer1m: "input",
  cachedInputMicrosPer1m: "cachedInput",
  cacheWriteMicrosPer1m: "cacheWrite",
  outputMicrosPer1m: "output"
} as const

/** The prices of each bucket of tokens. Of those that are `wide`, narrow screens show input and output alone. */
export const priceColumns = (
  context: PageContext,
  texts: PriceTexts,
  wide: boolean
): ReadonlyArray<ItemColumn<PriceLine>> => {
  const say = sayOf(context, "models")
  const column = (name: keyof typeof names, isWide: boolean): ItemColumn<PriceLine> => ({
    title: say(names[name]),
    number: true,
    wide: isWide,
    cell: ({ prices }) => texts.text(prices[name])
  })
  return [
    column("inputMicrosPer1m", false),
    column("cachedInputMicrosPer1m", wide),
    column("cacheWriteMicrosPer1m", wide),
    column("outputMicrosPer1m", false)
  ]
}

/** What one call of each tool costs that is priced and sent on. */
export const toolLines = (context: PageContext, texts: PriceTexts, model: Model): ReadonlyArray<string> => {
  const say = sayOf(context, "models")
  const { fileSearchMicros = null, webSearchMicros = null } = model.hostedTools === "price"
    ? model.price.tools ?? {}
    : {}
  return [
    ...webSearchMicros === null ? [] : [say("web_search", { price: texts.text(webSearchMicros) })],
    ...fileSearchMicros === null ? [] : [say("file_search", { price: texts.text(fileSearchMicros) })]
  ]
}

export const abilityNames = (context: PageContext): Readonly<Record<Ability, string>> => ({
  ...capabilityNames(context),
  reasoning: sayOf(context, "models")("reasoning")
})

export const AbilityBadges = ({ model, context }: { readonly context: PageContext; readonly model: Model }) => {
  const names = abilityNames(context)
  return (
    <>
      {abilitiesOf(model).map((name) => (
        <span key={name}>
          <Badge tone={name === "reasoning" ? "purple" : "secondary"}>{names[name]}</Badge>
          {" "}
        </span>
      ))}
    </>
  )
}

/** The page of a model; an id may have slashes and the like. */
export const modelPath = (id: string): string => `/models/${encodeURIComponent(id)}`

/** A link to the page of a model, with its vendor below. */
export const ModelName = ({ model: { id, vendor } }: { readonly model: Pick<Model, "id" | "vendor"> }) => (
  <>
    <a href={modelPath(id)}>
      <code class="break-anywhere">{id}</code>
    </a>
    <Small>{vendor}</Small>
  </>
)
