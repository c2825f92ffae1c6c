/**
 * Ranges of local days, as people and programs ask for them: a month, or the days from one to another, both included.
 */
import { DateTime, Effect, Option } from "effect"
import { RANGE_DAYS_MAX, RangeRefused } from "./FinanceError.ts"

/** Local days, both of them included, such as `2026-11-01`. */
export interface DayRange {
  readonly from: string
  readonly to: string
}

const dayPattern = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/
const monthPattern = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])$/

const MS_A_DAY = 86_400_000

const dayMs = (day: string): number | undefined => {
  const at = dayPattern.test(day) ? DateTime.make(`${day}T00:00:00Z`) : Option.none()
  // 2026-02-30 would be read as a day of March.
  return Option.isSome(at) && DateTime.formatIsoDateUtc(at.value) === day
    ? DateTime.toEpochMillis(at.value)
    : undefined
}

/** Its last day is the highest that there is. */
const daysOf = (month: string): DayRange => {
  const last = ["31", "30", "29"].find((day) => dayMs(`${month}-${day}`) !== undefined) ?? "28"
  return { from: `${month}-01`, to: `${month}-${last}` }
}

/** The month that is `months` after that of a day, such as `2026-12` for -1 and a day of January 2027. */
export const monthAfter = (day: string, months: number): string => {
  const [year = 0, month = 1] = day.split("-").map(Number)
  const at = year * 12 + month - 1 + months
  return `${String(Math.floor(at / 12)).padStart(4, "0")}-${String(at % 12 + 1).padStart(2, "0")}`
}

/** The month of now, by a time zone. */
const monthNow = (timeZone: string): Effect.Effect<string> =>
  Effect.map(
    DateTime.now,
    (now) =>
      DateTime.formatIsoDate(DateTime.setZone(now, DateTime.zoneMakeNamedUnsafe(timeZone))).slice(0, "2026-11".length)
  )

/** What is asked for; nothing: the month of now, by the time zone of the books. `to` is `from` where it is left out. */
export const rangeAsked = (asked: {
  readonly month?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}, timeZone: string): Effect.Effect<DayRange, RangeRefused> =>
  Effect.gen(function*() {
    const { from = asked.to, month, to = from } = asked
    if (from === undefined || to === undefined) {
      const now = yield* monthNow(timeZone)
      return monthPattern.test(month ?? now)
        ? daysOf(month ?? now)
        : yield* new RangeRefused({ field: "month", reason: "month" })
    }
    if (month !== undefined) return yield* new RangeRefused({ field: "from", reason: "both" })
    const [first, last] = [dayMs(from), dayMs(to)]
    if (first === undefined) return yield* new RangeRefused({ field: "from", reason: "day" })
    if (last === undefined) return yield* new RangeRefused({ field: "to", reason: "day" })
    if (last < first) return yield* new RangeRefused({ field: "to", reason: "order" })
    if ((last - first) / MS_A_DAY >= RANGE_DAYS_MAX) return yield* new RangeRefused({ field: "to", reason: "length" })
    return { from, to }
  })
