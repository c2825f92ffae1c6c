/**
 * Which orders an address of root's list asks for. What is no filter is left out.
 */
import { type OrderFilter, orderStates } from "../../../../orders/OrderSearch.ts"
import type { PageContext } from "../../PageContext.ts"
import { type FilterDays, readDays } from "../FilterDays.ts"

export const sources = ["epay", "stripe", "manual"] as const

export interface OrdersQuery {
  readonly filter: OrderFilter
  readonly days: FilterDays
  readonly isFiltered: boolean
}

/** As long as an e-mail address may be. */
const TEXT_LENGTH_MAX = 254

export const oneOf = <A extends string>(known: ReadonlyArray<A>, text: string | null): A | undefined =>
  known.find((value) => value === text)

/** What is searched for, if anything: PostgreSQL has no text with a NUL in it. */
export const searchText = (query: URLSearchParams, name: string): string | undefined => {
  const text = (query.get(name) ?? "").replaceAll("\0", "").trim().replace(/^#/, "").slice(0, TEXT_LENGTH_MAX)
    .toWellFormed()
  return text === "" ? undefined : text
}

export const readOrdersQuery = (context: Pick<PageContext, "formats" | "query">): OrdersQuery => {
  const { query } = context
  const days = readDays(context)
  const filter: OrderFilter = {
    text: searchText(query, "q"),
    user: searchText(query, "user"),
    state: oneOf(orderStates, query.get("state")),
    kind: oneOf(["topup", "subscription"], query.get("kind")),
    provider: oneOf(sources, query.get("provider")),
    fromMs: days.fromMs,
    toMs: days.toMs
  }
  return { filter, days, isFiltered: Object.values(filter).some((value) => value !== undefined) }
}
