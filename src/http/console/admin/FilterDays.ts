/**
 * What the address of a list says that it is narrowed to: its days in the visitor's own zone, and what is looked for in them.
 */
import { type DayRange, dayRange } from "../../../domain/Days.ts"
import type { ListFilter } from "../kit/List.tsx"
import type { PageContext } from "../PageContext.ts"
import { numberText, searchText } from "../Params.ts"

const DAY_LENGTH_MAX = 16

export const readDays = ({ formats, query }: Pick<PageContext, "formats" | "query">): DayRange => {
  const textOf = (name: string) => (query.get(name) ?? "").trim().slice(0, DAY_LENGTH_MAX).toWellFormed()
  return dayRange({ from: textOf("from"), to: textOf("to") }, formats.timeZone)
}

export const dayFilters = ({ say }: Pick<PageContext, "say">, { from, to }: DayRange): ReadonlyArray<ListFilter> => [
  { is: "day", name: "from", label: say("from"), value: from },
  { is: "day", name: "to", label: say("to"), value: to }
]

/** Said where the days are left out. */
export const daysWarning = ({ say }: Pick<PageContext, "say">, { isRefused }: DayRange): string | undefined =>
  isRefused ? say("days.problem") : undefined

/** What orders and payments are looked for by: words, whose they are, and their days. */
export const readSearch = (context: Pick<PageContext, "formats" | "query">) => {
  const days = readDays(context)
  const textOf = (name: string) => numberText(searchText(context.query, name))
  return { days, search: { text: textOf("q"), user: textOf("user"), fromMs: days.fromMs, toMs: days.toMs } }
}
