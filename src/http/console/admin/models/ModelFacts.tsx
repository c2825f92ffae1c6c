/**
 * What a model is, to be read: its prices at each length, and all other terms.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { modelTermList } from "../../../../domain/ModelTermList.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { Facts } from "../../kit/Facts.tsx"
import { ItemTable } from "../../kit/ItemTable.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { termFacts } from "../terms/TermParts.tsx"
import { modelLabels } from "./ModelLabels.ts"

interface FactsProps {
  readonly context: UserContext
  readonly model: AdminModel
}

const PriceFacts = ({ model: { terms: { price } }, context }: FactsProps) => {
  const say = sayOf(context, "adminModels")
  const { count, usd } = context.formats
  const tiers = price.tiers ?? []
  const [first] = tiers
  const named: ReadonlyArray<readonly [name: string, prices: UnitPrices]> = [
    [first === undefined ? say("every") : say("upto", { count: count(first.aboveInputTokens) }), price],
    ...tiers.map((tier) => [say("above", { count: count(tier.aboveInputTokens) }), tier] as const)
  ]
  return (
    <ItemTable
      caption={say("prices")}
      items={named}
      columns={[
        { title: say("prices"), cell: ([name]) => name },
        { title: say("input"), number: true, cell: ([, of]) => usd(of.inputMicrosPer1m) },
        { title: say("output"), number: true, cell: ([, of]) => usd(of.outputMicrosPer1m) },
        { title: say("cachedInput"), number: true, cell: ([, of]) => usd(of.cachedInputMicrosPer1m) },
        {
          title: say("cacheWrite"),
          number: true,
          cell: ([, of]) => of.cacheWriteMicrosPer1m === null ? "–" : usd(of.cacheWriteMicrosPer1m)
        }
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
            ...termFacts(context, modelTermList, modelLabels(context), model.terms),
            [say("web_search"), toolPrice(tools?.webSearchMicros)],
            [say("file_search"), toolPrice(tools?.fileSearchMicros)]
          ]}
        />
      </div>
    </>
  )
}
