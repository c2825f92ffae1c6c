/**
 * What a model is, to be read: its prices at each length, and all other terms.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { modelTerms } from "../../../../domain/ModelTerms.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { DataTable } from "../../ui/Parts.tsx"
import { termValueText } from "../terms/TermForm.ts"
import { modelLabels } from "./ModelLabels.ts"

interface FactsProps {
  readonly context: UserContext
  readonly model: AdminModel
}

const PriceFacts = ({ model, context }: FactsProps) => {
  const say = sayOf(context, "adminModels")
  const { count, usd } = context.formats
  const { price } = model.terms
  const [first] = price.tiers ?? []
  const rowOf = (name: string, prices: UnitPrices) => [
    name,
    usd(prices.inputMicrosPer1m),
    usd(prices.outputMicrosPer1m),
    usd(prices.cachedInputMicrosPer1m),
    prices.cacheWriteMicrosPer1m === null ? "–" : usd(prices.cacheWriteMicrosPer1m)
  ]
  return (
    <DataTable
      caption={say("prices")}
      columns={[
        { title: say("prices") },
        { title: say("input"), number: true },
        { title: say("output"), number: true },
        { title: say("cachedInput"), number: true },
        { title: say("cacheWrite"), number: true }
      ]}
      rows={[
        rowOf(first === undefined ? say("every") : say("upto", { count: count(first.aboveInputTokens) }), price),
        ...(price.tiers ?? []).map((tier) => rowOf(say("above", { count: count(tier.aboveInputTokens) }), tier))
      ]}
    />
  )
}

export const ModelFacts = ({ model, context }: FactsProps) => {
  const say = sayOf(context, "adminModels")
  const labels = modelLabels(context)
  const { tools } = model.terms.price
  const toolPrice = (micros: bigint | null | undefined) =>
    micros === null || micros === undefined ? "–" : say("tool.price", { price: context.formats.usd(micros) })
  return (
    <>
      <PriceFacts context={context} model={model} />
      <div class="card-body border-top">
        <dl class="facts">
          {modelTerms.names.map((name) => (
            <>
              <dt>{labels[name].label}</dt>
              <dd>
                {termValueText(context, {
                  field: modelTerms.fields[name],
                  value: model.terms[name],
                  label: labels[name]
                })}
              </dd>
            </>
          ))}
          <dt>{say("web_search")}</dt>
          <dd>{toolPrice(tools?.webSearchMicros)}</dd>
          <dt>{say("file_search")}</dt>
          <dd>{toolPrice(tools?.fileSearchMicros)}</dd>
        </dl>
      </div>
    </>
  )
}
