/**
 * The price list: what can be called and what it costs, with the multiplier that calls from the balance are charged with. A
 * model with other prices for long contexts has a line for each.
 */
import type { ComponentChildren } from "preact"
import type { Model } from "../../../../catalog/Catalog.ts"
import { divideUp } from "../../../../domain/Money.ts"
import { MULTIPLIER_ONE, type PriceTier, type UnitPrices } from "../../../../domain/Price.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"

interface PricesProps {
  readonly context: PageContext
  readonly multiplierMicros: bigint
}

/** A price is micros per million tokens, so it reads as USD per million; what the multiplier adds is rounded up. */
const priceText = ({ multiplierMicros, context }: PricesProps, micros: bigint): string => {
  const multiplied = divideUp(micros * multiplierMicros, MULTIPLIER_ONE)
  return multiplied === 0n ? sayOf(context, "models")("free") : context.formats.usd(multiplied)
}

/** What calls of tools cost, where they are priced. */
const ToolPrices = ({ model, ...props }: PricesProps & { readonly model: Model }) => {
  const say = sayOf(props.context, "models")
  const { tools } = model.price
  if (model.hostedTools !== "price" || tools === undefined) return null
  const { fileSearchMicros, webSearchMicros } = tools
  return (
    <div class="text-secondary small">
      {webSearchMicros === null
        ? null
        : <div>{say("web_search", { price: priceText(props, webSearchMicros) })}</div>}
      {fileSearchMicros === null
        ? null
        : <div>{say("file_search", { price: priceText(props, fileSearchMicros) })}</div>}
    </div>
  )
}

type Row = ReadonlyArray<ComponentChildren>

const pricesOf = (props: PricesProps, prices: UnitPrices): Row => [
  priceText(props, prices.inputMicrosPer1m),
  priceText(props, prices.cachedInputMicrosPer1m),
  prices.cacheWriteMicrosPer1m === null ? "–" : priceText(props, prices.cacheWriteMicrosPer1m),
  priceText(props, prices.outputMicrosPer1m)
]

const tierRow = (props: PricesProps, tier: PriceTier): Row => {
  const count = props.context.formats.count(tier.aboveInputTokens)
  return [
    <span class="text-secondary ps-3 d-block">{sayOf(props.context, "models")("above", { count })}</span>,
    ...pricesOf(props, tier),
    "",
    ""
  ]
}

const rowsOf = (props: PricesProps, model: Model): ReadonlyArray<Row> => {
  const { context } = props
  const say = sayOf(context, "models")
  return [
    [
      <>
        <code class="break-anywhere">{model.id}</code>{" "}
        {model.reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}
        <ToolPrices {...props} model={model} />
      </>,
      ...pricesOf(props, model.price),
      model.contextTokens === null ? "–" : say("tokens", { count: model.contextTokens }),
      say("tokens", { count: model.maxOutputTokens })
    ],
    ...(model.price.tiers ?? []).map((tier) => tierRow(props, tier))
  ]
}

export const ModelsView = (
  { models, ...props }: PricesProps & { readonly models: ReadonlyArray<Model> }
) => {
  const say = sayOf(props.context, "models")
  return (
    <>
      <PageHeading
        title={say("title")}
        lead={say(props.multiplierMicros === MULTIPLIER_ONE ? "lead" : "leadMultiplied")}
      />
      <Card>
        {models.length === 0
          ? <Nothing icon="model" title={say("empty")} text={say("empty.text")} />
          : (
            <DataTable
              caption={say("title")}
              columns={[
                { title: say("model") },
                { title: say("input"), number: true },
                { title: say("cachedInput"), number: true, wide: true },
                { title: say("cacheWrite"), number: true, wide: true },
                { title: say("output"), number: true },
                { title: say("context"), number: true, wide: true },
                { title: say("outputLimit"), number: true, wide: true }
              ]}
              rows={models.flatMap((model) => rowsOf(props, model))}
            />
          )}
      </Card>
    </>
  )
}
