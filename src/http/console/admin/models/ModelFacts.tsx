/**
 * What a model is, to be read: its prices at each length, and all other terms.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { modelTerms } from "../../../../domain/ModelTerms.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { ItemTable } from "../../kit/List.tsx"
import { Facts } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { termFacts } from "../terms/TermParts.tsx"
import { modelLabels } from "./ModelLabels.ts"
import { priceColumns } from "./PriceColumns.ts"

interface FactsProps {
  readonly context: UserContext
  readonly model: AdminModel
}

type Line = readonly [name: string, prices: UnitPrices]

const PriceFacts = ({ model: { terms: { price } }, context }: FactsProps) => {
  const say = sayOf(context, "adminModels")
  const { count } = context.formats
  const tiers = price.tiers ?? []
  const [first] = tiers
  const lines: ReadonlyArray<Line> = [
    [first === undefined ? say("every") : say("upto", { count: count(first.aboveInputTokens) }), price],
    ...tiers.map((tier): Line => [say("above", { count: count(tier.aboveInputTokens) }), tier])
  ]
  return (
    <ItemTable
      caption={say("prices")}
      items={lines}
      columns={[
        { title: say("prices"), cell: ([name]) => name },
        ...priceColumns<Line>(context, ([, prices]) => prices)
      ]}
    />
  )
}

export const ModelFacts = ({ model, context }: FactsProps) => {
  const say = sayOf(context, "adminModels")
  const { tools } = model.terms.price
  const toolPrice = (micros: bigint | null = null) =>
    micros === null ? "–" : say("tool.price", { price: context.formats.usd(micros) })
  return (
    <>
      <PriceFacts context={context} model={model} />
      <div class="card-body border-top">
        <Facts
          facts={[
            ...termFacts(context, modelTerms, modelLabels(context), model.terms),
            [say("web_search"), toolPrice(tools?.webSearchMicros)],
            [say("file_search"), toolPrice(tools?.fileSearchMicros)]
          ]}
        />
      </div>
    </>
  )
}
