/**
 * The periods that a key's spend limit is for. They follow the calendar in UTC for all users: a day begins at 0:00, a week on Monday,
 * a month on its first day. A call counts in the period in which it began.
 */
import { DateTime, Schema } from "effect"

export const LimitPeriod = Schema.Literals(["day", "week", "month", "total"])
export type LimitPeriod = typeof LimitPeriod.Type

/** The beginning of a period that never ends. */
const EVER = DateTime.makeUnsafe(0)

const startOf = (period: LimitPeriod, atMs: number): DateTime.DateTime =>
  period === "total" ? EVER : DateTime.startOf(DateTime.makeUnsafe(atMs), period, { weekStartsOn: 1 })

/** When the period began that a moment lies in, ms since the epoch. */
export const periodStartMs = (period: LimitPeriod, atMs: number): number =>
  DateTime.toEpochMillis(startOf(period, atMs))

/** When a period is over that a moment lies in; null: it never is. */
export const periodEnd = (period: LimitPeriod, atMs: number): Date | null =>
  period === "total"
    ? null
    : DateTime.toDateUtc(DateTime.add(startOf(period, atMs), { [`${period}s` as const]: 1 }))
