/**
 * The price list: what can be called and what it costs, with the multiplier that calls from the balance are charged with.
 */
import type { Model } from "../../../../catalog/Catalog.ts"
import { MULTIPLIER_ONE } from "../../../../domain/Price.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { modelsText } from "./ModelsText.ts"

export const ModelsView = (
  { models, multiplierMicros, visit }: {
    readonly visit: Visit
    readonly models: ReadonlyArray<Model>
    readonly multiplierMicros: bigint
  }
) => {
  const say = sayOf(visit, modelsText)
  const { formats } = visit
  // A price is micros per million tokens, so it reads as USD per million; what the multiplier adds is rounded up.
  const price = (micros: bigint) => {
    const multiplied = (micros * multiplierMicros + MULTIPLIER_ONE - 1n) / MULTIPLIER_ONE
    return multiplied === 0n ? say("free") : formats.usd(multiplied)
  }
  return (
    <>
      <PageHeading
        title={say("title")}
        lead={say(multiplierMicros === MULTIPLIER_ONE ? "lead" : "leadMultiplied")}
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
                { title: say("cached"), number: true, wide: true },
                { title: say("write"), number: true, wide: true },
                { title: say("output"), number: true },
                { title: say("limit"), number: true, wide: true }
              ]}
              rows={models.map(({ id, maxOutputTokens, price: prices, reasoning }) => [
                <>
                  <code class="break-anywhere">{id}</code>{" "}
                  {reasoning ? <Badge tone="purple">{say("reasoning")}</Badge> : null}
                </>,
                price(prices.inputMicrosPer1m),
                price(prices.cachedInputMicrosPer1m),
                prices.cacheWriteMicrosPer1m === null ? "–" : price(prices.cacheWriteMicrosPer1m),
                price(prices.outputMicrosPer1m),
                say("tokens", { count: formats.count(maxOutputTokens) })
              ])}
            />
          )}
      </Card>
    </>
  )
}
