/**
 * `/models`: the price list, for anybody, signed in or not. It has what some channel serves, with the multipliers that calls from the
 * balance are charged with, those of the user's group included. A model with other prices for long contexts has a line for each.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../accounts/AccountOverview.ts"
import type { Model } from "../../../catalog/Catalog.ts"
import { divideUp } from "../../../domain/Money.ts"
import { MULTIPLIER_ONE, type UnitPrices } from "../../../domain/Price.ts"
import { Settings } from "../../../settings/Settings.ts"
import { servedModels } from "../../ServedModels.ts"
import { visitorPage } from "../ConsoleRoute.ts"
import { listPage } from "../kit/List.tsx"
import { Badge } from "../kit/Parts.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"

/** A model's own line, or that of its prices above so many input tokens. */
interface PriceLine {
  readonly model: Model
  readonly prices: UnitPrices
  readonly above: number | undefined
}

const linesOf = (model: Model): ReadonlyArray<PriceLine> => [
  { model, prices: model.price, above: undefined },
  ...(model.price.tiers ?? []).map((prices) => ({ model, prices, above: prices.aboveInputTokens }))
]

interface NameProps extends PriceLine {
  readonly context: PageContext
  readonly priceText: (micros: bigint | null) => string
}

/** A model with what calls of tools cost, where they are priced. */
const Name = ({ above, model, priceText, context }: NameProps) => {
  const say = sayOf(context, "models")
  if (above !== undefined) {
    return <span class="text-secondary ps-3 d-block">{say("above", { count: above })}</span>
  }
  const { fileSearchMicros = null, webSearchMicros = null } = model.hostedTools === "price"
    ? model.price.tools ?? {}
    : {}
  return (
    <>
      <code class="break-anywhere">{model.id}</code>{" "}
      {model.reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}
      <div class="text-secondary small">
        {webSearchMicros === null ? null : <div>{say("web_search", { price: priceText(webSearchMicros) })}</div>}
        {fileSearchMicros === null ? null : <div>{say("file_search", { price: priceText(fileSearchMicros) })}</div>}
      </div>
    </>
  )
}

const show = Effect.fnUntraced(function*(context: PageContext) {
  const models = yield* servedModels
  const billing = (yield* Settings).current().billing.multiplierMicros
  const group = context.user === undefined ? undefined : yield* (yield* AccountOverview).group(context.user.id)
  const multiplier = billing * (group?.multiplierMicros ?? MULTIPLIER_ONE)
  const say = sayOf(context, "models")
  /** A price is micros per million tokens, so it reads as USD per million; what multipliers add is rounded up. */
  const priceText = (micros: bigint | null): string => {
    if (micros === null) return "–"
    const multiplied = divideUp(micros * multiplier, MULTIPLIER_ONE * MULTIPLIER_ONE)
    return multiplied === 0n ? say("free") : context.formats.usd(multiplied)
  }
  const tokensText = (count: number | null): string => count === null ? "–" : say("tokens", { count })
  const price = (title: string, of: (prices: UnitPrices) => bigint | null, wide = false) => ({
    title,
    number: true,
    wide,
    cell: ({ prices }: PriceLine) => priceText(of(prices))
  })
  const limit = (title: string, of: (model: Model) => number | null) => ({
    title,
    number: true,
    wide: true,
    cell: ({ above, model }: PriceLine) => above === undefined ? tokensText(of(model)) : ""
  })
  return listPage({
    context,
    title: say("title"),
    lead: group === undefined
      ? say(billing === MULTIPLIER_ONE ? "lead" : "leadMultiplied")
      : say("leadGroup", { group: group.name }),
    path: "/models",
    columns: [
      { title: say("model"), cell: (line) => <Name {...line} context={context} priceText={priceText} /> },
      price(say("input"), (prices) => prices.inputMicrosPer1m),
      price(say("cachedInput"), (prices) => prices.cachedInputMicrosPer1m, true),
      price(say("cacheWrite"), (prices) => prices.cacheWriteMicrosPer1m, true),
      price(say("output"), (prices) => prices.outputMicrosPer1m),
      limit(say("context"), (model) => model.contextTokens),
      limit(say("outputLimit"), (model) => model.maxOutputTokens)
    ],
    items: models.flatMap(linesOf),
    empty: { icon: "model", title: say("empty"), text: say("empty.text") }
  })
})

export const ModelsRoutes = visitorPage("/models", show)
