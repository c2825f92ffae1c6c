/**
 * The period that a report is of, in whole days of a reader's own zone: one of those that are offered, or days that somebody chose.
 */
import { DateTime } from "effect"
import { startOfDay } from "../domain/Days.ts"
import { RANGE_DAYS_MAX } from "./UsageSeries.ts"

const daysBack = { "today": 0, "7d": 6, "30d": 29, "90d": 89 }

export type PresetRange = keyof typeof daysBack

const isPreset = (name: string): name is PresetRange => Object.hasOwn(daysBack, name)

export interface UsageRange {
  readonly name: PresetRange | "custom"
  /** `YYYY-MM-DD`, both included. */
  readonly from: string
  readonly to: string
  /** From the start of the first day on, and before the end of the last, ms since the epoch. */
  readonly fromMs: number
  readonly toMs: number
  /** What was asked for is no period: the default one is shown. */
  readonly isRefused: boolean
}

/** A day less than a report takes: a day may last 25 hours. */
export const RANGE_DAYS_SHOWN_MAX = RANGE_DAYS_MAX - 1

const DAY_MS = 86_400_000

const dayOf = (at: DateTime.Zoned): string => DateTime.formatIsoDate(at)

const rangeOf = (
  name: UsageRange["name"],
  from: DateTime.Zoned,
  to: DateTime.Zoned,
  isRefused: boolean
): UsageRange => ({
  name,
  from: dayOf(from),
  to: dayOf(to),
  fromMs: from.epochMilliseconds,
  toMs: DateTime.add(to, { days: 1 }).epochMilliseconds,
  isRefused
})

/** The days up to now that a period is. */
export const presetRange = (name: PresetRange, now: Date, timeZone: string, isRefused = false): UsageRange => {
  const today = DateTime.startOf(DateTime.makeZonedUnsafe(now, { timeZone }), "day")
  return rangeOf(name, DateTime.startOf(DateTime.subtract(today, { days: daysBack[name] }), "day"), today, isRefused)
}

/** What somebody asks for: the name of a period, and the days of one that is `custom`. */
export interface AskedRange {
  readonly name: string
  readonly from: string
  readonly to: string
}

/** The period that was asked for; the last 30 days where none was. */
export const askedRange = ({ name, ...days }: AskedRange, now: Date, timeZone: string): UsageRange => {
  if (isPreset(name)) return presetRange(name, now, timeZone)
  if (name !== "custom") return presetRange("30d", now, timeZone, name !== "")
  const from = startOfDay(days.from, timeZone)
  const to = startOfDay(days.to, timeZone)
  if (from === undefined || to === undefined) return presetRange("30d", now, timeZone, true)
  const length = to.epochMilliseconds - from.epochMilliseconds
  const isPeriod = length >= 0 && length <= (RANGE_DAYS_SHOWN_MAX - 0.5) * DAY_MS
  return isPeriod ? rangeOf("custom", from, to, false) : presetRange("30d", now, timeZone, true)
}
