/**
 * Filters that several lists share, read from the address: days in the visitor's own time zone, and a search.
 */
import { Record } from "effect"
import { type DayRange, dayRange } from "../../../domain/Days.ts"
import type { ListFilter } from "../kit/List.tsx"
import type { PageContext } from "../PageContext.ts"
import { numberText, oneOf, searchText } from "../Params.ts"

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

/** The search of orders and of payments: words, a user and days, and one of the words of each choice. */
export const readSearch = <const Choices extends Readonly<Record<string, ReadonlyArray<string>>>>(
  context: Pick<PageContext, "formats" | "query">,
  choices: Choices
) => {
  const days = readDays(context)
  const textOf = (name: string) => numberText(searchText(context.query, name))
  const chosen = Record.map(choices, (words, name) => oneOf(words, context.query.get(name))) as {
    readonly [Name in keyof Choices]: Choices[Name][number] | undefined
  }
  const { fromMs, toMs } = days
  return { days, filter: { text: textOf("q"), user: textOf("user"), fromMs, toMs, ...chosen } }
}
