/**
 * What an address of a page of usage asks for: a period in whole days of the visitor's own zone, and which calls of it. What is no
 * filter is left out.
 */
import { DateTime } from "effect"
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { CallItem, CallState } from "../../../../usage/CallItem.ts"
import type { CallFilter } from "../../../../usage/CallList.ts"
import { RANGE_DAYS_MAX } from "../../../../usage/UsageReports.ts"
import type { PageContext } from "../../PageContext.ts"
import { idOf, oneOf, startOfDay } from "../../Params.ts"

const daysBack = { "today": 0, "7d": 6, "30d": 29, "90d": 89 }

type Preset = keyof typeof daysBack
export type RangeName = Preset | "custom"

const isPreset = (name: string): name is Preset => Object.hasOwn(daysBack, name)

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

/** A day less than a report takes: a day may last 25 hours. */
export const RANGE_DAYS_SHOWN_MAX = RANGE_DAYS_MAX - 1

const DAY_MS = 86_400_000

const dayOf = (at: DateTime.Zoned): string => DateTime.formatIsoDate(at)

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
  const today = DateTime.startOf(DateTime.makeZonedUnsafe(now, { timeZone }), "day")
  const preset = (name: Preset, isRefused: boolean) =>
    rangeOf(name, DateTime.startOf(DateTime.subtract(today, { days: daysBack[name] }), "day"), today, isRefused)
  const asked = query.get("range") ?? ""
  if (isPreset(asked)) return preset(asked, false)
  if (asked !== "custom") return preset("30d", asked !== "")
  const from = startOfDay(query.get("from"), timeZone)
  const to = startOfDay(query.get("to"), timeZone)
  if (from === undefined || to === undefined) return preset("30d", true)
  const length = to.epochMilliseconds - from.epochMilliseconds
  const isPeriod = length >= 0 && length <= (RANGE_DAYS_SHOWN_MAX - 0.5) * DAY_MS
  return isPeriod ? rangeOf("custom", from, to, false) : preset("30d", true)
}

const NAME_LENGTH_MAX = 256

export interface UsageQuery {
  readonly range: UsageRange
  readonly filter: CallFilter
  /** Any besides the period. */
  readonly isFiltered: boolean
}

export const readFilter = ({ formats, now, query }: Pick<PageContext, "formats" | "now" | "query">): UsageQuery => {
  const range = readRange(query, now, formats.timeZone)
  const model = query.get("model") ?? ""
  const more = {
    model: model === "" || model.length > NAME_LENGTH_MAX || model.includes("\0") ? undefined : model,
    keyId: idOf(query.get("key"), ApiKeyId),
    state: oneOf(CallState.literals, query.get("state")),
    funding: oneOf(CallItem.fields.funding.literals, query.get("funding"))
  }
  return {
    range,
    filter: { fromMs: range.fromMs, toMs: range.toMs, ...more },
    isFiltered: Object.values(more).some((value) => value !== undefined)
  }
}

/** The address's query for the same period and filter, with other parts of it changed or, where empty, left out. */
export const queryText = ({ filter, range }: UsageQuery, changes: Readonly<Record<string, string>> = {}): string => {
  const parts: Record<string, string> = {
    range: range.name,
    ...(range.name === "custom" ? { from: range.from, to: range.to } : {}),
    model: filter.model ?? "",
    key: filter.keyId?.toString() ?? "",
    state: filter.state ?? "",
    funding: filter.funding ?? "",
    ...changes
  }
  return new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== "")).toString()
}

/** A page of usage, for its parts that lead to other periods and lists of it. */
export interface UsagePage {
  readonly context: PageContext
  readonly path: string
  /** Its query, with these parts changed or, where empty, left out. */
  readonly queryOf: (changes?: Readonly<Record<string, string>>) => string
}
