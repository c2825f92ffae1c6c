/**
 * Which payment events an address asks for: those that wait for somebody, or all of them, filtered.
 */
import { type EventFilter, eventOutcomes } from "../../../../events/PaymentEvents.ts"
import type { PageContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { type FilterDays, readDays } from "../FilterDays.ts"
import { sources } from "./EventParts.tsx"

export interface PaymentsQuery {
  readonly filter: EventFilter
  readonly days: FilterDays
  /** Everything, not only what waits. */
  readonly isAll: boolean
}

export const readPaymentsQuery = (context: Pick<PageContext, "formats" | "query">): PaymentsQuery => {
  const { query } = context
  const days = readDays(context)
  const isAll = query.get("view") === "all"
  const filter = {
    text: searchText(query, "q"),
    provider: oneOf(sources, query.get("provider")),
    outcome: oneOf(eventOutcomes, query.get("outcome")),
    fromMs: days.fromMs,
    toMs: days.toMs
  }
  return { filter: isAll ? filter : { open: true }, days, isAll }
}
