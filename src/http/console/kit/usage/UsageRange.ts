/**
 * The period that a page of usage is about, in whole days of the visitor's own zone, as its address says it.
 */
import { DateTime, Option } from "effect"
import { RANGE_DAYS_MAX } from "../../../../usage/UsageReports.ts"

export const rangeNames = ["today", "7d", "30d", "90d", "custom"] as const
export type RangeName = typeof rangeNames[number]

export interface UsageRange {
  readonly name: RangeName
  /** `YYYY-MM-DD`, both included. */
  readonly from: string
  readonly to: string
  /** From the start of the first day on, and before the end of the last, ms since the epoch. */
  readonly fromMs: number
  readonly toMs: number
  /** What the address asked for is no period: the default one is shown. */
  readonly isRefused: boolean
}

const daysBack: Readonly<Record<Exclude<RangeName, "custom">, number>> = { "today": 0, "7d": 6, "30d": 29, "90d": 89 }

/** A day less than a report takes: a day may last 25 hours. */
export const RANGE_DAYS_SHOWN_MAX = RANGE_DAYS_MAX - 1

const DAY_MS = 86_400_000

const dayOf = (at: DateTime.Zoned): string => DateTime.formatIsoDate(at)

const dayPattern = /^(\d{4})-(\d{2})-(\d{2})$/

/** The first moment of a day named `YYYY-MM-DD` in a zone. */
export const startOf = (day: string | null, timeZone: string): DateTime.Zoned | undefined => {
  const match = dayPattern.exec(day ?? "")
  if (match === null) return undefined
  const parts = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) }
  const made = Option.getOrUndefined(DateTime.makeZoned(parts, { timeZone, adjustForTimeZone: true }))
  // The 31st of November is the first of December for the calendar, and a mistake for people.
  return made !== undefined && dayOf(made) === day ? made : undefined
}

const rangeOf = (name: RangeName, from: DateTime.Zoned, to: DateTime.Zoned, isRefused: boolean): UsageRange => ({
  name,
  from: dayOf(from),
  to: dayOf(to),
  fromMs: from.epochMilliseconds,
  toMs: DateTime.add(to, { days: 1 }).epochMilliseconds,
  isRefused
})

/** The period that a query names; the last 30 days where it names none. */
export const readRange = (query: URLSearchParams, now: Date, timeZone: string): UsageRange => {
  const zoned = DateTime.makeZonedUnsafe(now, { timeZone })
  const today = DateTime.startOf(zoned, "day")
  const asked = query.get("range")
  const preset = (name: Exclude<RangeName, "custom">, isRefused: boolean) =>
    rangeOf(name, DateTime.startOf(DateTime.subtract(today, { days: daysBack[name] }), "day"), today, isRefused)
  if (asked === "today" || asked === "7d" || asked === "30d" || asked === "90d") return preset(asked, false)
  if (asked !== "custom") return preset("30d", asked !== null && asked !== "")
  const from = startOf(query.get("from"), timeZone)
  const to = startOf(query.get("to"), timeZone)
  if (from === undefined || to === undefined || from.epochMilliseconds > to.epochMilliseconds) {
    return preset("30d", true)
  }
  const isTooLong = to.epochMilliseconds - from.epochMilliseconds > (RANGE_DAYS_SHOWN_MAX - 0.5) * DAY_MS
  return isTooLong ? preset("30d", true) : rangeOf("custom", from, to, false)
}
