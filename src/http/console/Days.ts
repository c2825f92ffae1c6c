/**
 * Days as forms and addresses name them, `YYYY-MM-DD`, in a time zone.
 */
import { DateTime, Option } from "effect"

/** A year before 1000 is a slip. */
const dayPattern = /^[1-9]\d{3}-\d{2}-\d{2}$/

/** Undefined for a text that is no day of the calendar. */
const momentOf = (day: string, clock: string, timeZone: string): DateTime.Zoned | undefined => {
  if (!dayPattern.test(day)) return undefined
  const at = Option.getOrUndefined(DateTime.makeZoned(`${day}T${clock}Z`, { timeZone, adjustForTimeZone: true }))
  // February 30 would be read as a day of March.
  return at !== undefined && DateTime.formatIsoDate(at) === day ? at : undefined
}

/** The first moment of a day. */
export const startOfDay = (day: string | null, timeZone: string): DateTime.Zoned | undefined =>
  momentOf(day ?? "", "00:00:00", timeZone)

/** The last second of a day. */
export const endOfDay = (day: string, timeZone: string): Date | undefined => {
  const end = momentOf(day, "23:59:59", timeZone)
  return end === undefined ? undefined : DateTime.toDateUtc(end)
}
