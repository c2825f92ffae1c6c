/**
 * The prices of a model, or of one of its tiers, as columns of a table.
 */
import type { UnitPrices } from "../../../../domain/Price.ts"
import type { ItemColumn } from "../../kit/List.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"

/** On narrow screens only input and output where `isLong`: the table has other columns, too. */
export const priceColumns = <Item>(
  context: PageContext,
  of: (item: Item) => UnitPrices,
  isLong = false
): ReadonlyArray<ItemColumn<Item>> => {
  const say = sayOf(context, "adminModels")
  const column = (title: string, priceOf: (prices: UnitPrices) => bigint | null, wide: boolean) => ({
    title,
    number: true,
    wide,
    cell: (item: Item) => {
      const micros = priceOf(of(item))
      return micros === null ? "–" : context.formats.usd(micros)
    }
  })
  return [
    column(say("input"), ({ inputMicrosPer1m }) => inputMicrosPer1m, false),
    column(say("output"), ({ outputMicrosPer1m }) => outputMicrosPer1m, false),
    column(say("cachedInput"), ({ cachedInputMicrosPer1m }) => cachedInputMicrosPer1m, isLong),
    column(say("cacheWrite"), ({ cacheWriteMicrosPer1m }) => cacheWriteMicrosPer1m, isLong)
  ]
}
