/**
 * The days that a list is narrowed to, in the visitor's own zone, as its address says them.
 */
import { DateTime } from "effect"
import type { ListFilter } from "../kit/List.tsx"
import type { PageContext } from "../PageContext.ts"
import { startOfDay } from "../Params.ts"

export interface FilterDays {
  /** As typed, `YYYY-MM-DD`; empty for no bound. */
  readonly from: string
  readonly to: string
  /** From the start of the first day on, and before the end of the last, ms since the epoch. */
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  /** The days are none, or the wrong way round: they are left out. */
  readonly isRefused: boolean
}

const DAY_LENGTH_MAX = 16

export const readDays = ({ formats, query }: Pick<PageContext, "formats" | "query">): FilterDays => {
  const textOf = (name: string) => (query.get(name) ?? "").trim().slice(0, DAY_LENGTH_MAX).toWellFormed()
  const typed = { from: textOf("from"), to: textOf("to") }
  const from = startOfDay(typed.from, formats.timeZone)
  const to = startOfDay(typed.to, formats.timeZone)
  const isRefused = (typed.from !== "" && from === undefined) || (typed.to !== "" && to === undefined) ||
    (from !== undefined && to !== undefined && from.epochMilliseconds > to.epochMilliseconds)
  return isRefused
    ? { ...typed, fromMs: undefined, toMs: undefined, isRefused }
    : {
      ...typed,
      fromMs: from?.epochMilliseconds,
      toMs: to === undefined ? undefined : DateTime.add(to, { days: 1 }).epochMilliseconds,
      isRefused
    }
}

export const dayFilters = ({ say }: Pick<PageContext, "say">, { from, to }: FilterDays): ReadonlyArray<ListFilter> => [
  { is: "day", name: "from", label: say("from"), value: from },
  { is: "day", name: "to", label: say("to"), value: to }
]

/** Said where the days are left out. */
export const daysWarning = ({ say }: Pick<PageContext, "say">, { isRefused }: FilterDays): string | undefined =>
  isRefused ? say("days.problem") : undefined
