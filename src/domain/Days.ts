/**
 * Days of the calendar as people type them, `YYYY-MM-DD`, and when they begin and end in a time zone that the caller has checked.
 */
import { DateTime, Option } from "effect"

/** A year before 1000 is a slip. */
const dayPattern = /^[1-9]\d{3}-\d{2}-\d{2}$/

/** Undefined for any text but a day of the calendar. */
const momentOf = (day: string, clock: string, timeZone: string): DateTime.Zoned | undefined => {
  if (!dayPattern.test(day)) return undefined
  const at = Option.getOrUndefined(DateTime.makeZoned(`${day}T${clock}Z`, { timeZone, adjustForTimeZone: true }))
  // February 30 would be read as a day of March.
  return at !== undefined && DateTime.formatIsoDate(at) === day ? at : undefined
}

/** The day that a moment is in. */
export const dayOf = (at: Date, timeZone: string): string =>
  DateTime.formatIsoDate(DateTime.setZone(DateTime.fromDateUnsafe(at), DateTime.zoneMakeNamedUnsafe(timeZone)))

/** The first moment of a day. */
export const startOfDay = (day: string, timeZone: string): DateTime.Zoned | undefined =>
  momentOf(day, "00:00:00", timeZone)

/** The last second of a day. */
export const endOfDay = (day: string, timeZone: string): Date | undefined => {
  const end = momentOf(day, "23:59:59", timeZone)
  return end === undefined ? undefined : DateTime.toDateUtc(end)
}

/** Days from one to another, both included. An empty text is no bound. */
export interface DayRange {
  /** As typed. */
  readonly from: string
  readonly to: string
  /** From the start of the first day on, and before the end of the last, ms since the epoch. */
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  /** The days are invalid, or the wrong way round: they are left out. */
  readonly isRefused: boolean
}

export const dayRange = (typed: Pick<DayRange, "from" | "to">, timeZone: string): DayRange => {
  const from = startOfDay(typed.from, timeZone)
  const to = startOfDay(typed.to, timeZone)
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
