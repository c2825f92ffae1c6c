/**
 * Which orders an address of root's list asks for. What is no filter is left out.
 */
import { type OrderFilter, orderStates } from "../../../../orders/OrderSearch.ts"
import type { PageContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { type FilterDays, readDays } from "../FilterDays.ts"
import { sources } from "../payments/EventParts.tsx"

export interface OrdersQuery {
  readonly filter: OrderFilter
  readonly days: FilterDays
}

/** Orders and users are written as `#7`. */
const numberText = (text: string | undefined): string | undefined => text?.replace(/^#(?=.)/, "")

export const readOrdersQuery = (context: Pick<PageContext, "formats" | "query">): OrdersQuery => {
  const { query } = context
  const days = readDays(context)
  return {
    filter: {
      text: numberText(searchText(query, "q")),
      user: numberText(searchText(query, "user")),
      state: oneOf(orderStates, query.get("state")),
      kind: oneOf(["topup", "subscription"], query.get("kind")),
      provider: oneOf(sources, query.get("provider")),
      fromMs: days.fromMs,
      toMs: days.toMs
    },
    days
  }
}
