/**
 * What calls came to moment by moment, local days or hours, and how much of it was of each of the models charged most. Of a user's own
 * report and of everybody's alike: the SQL of moments, and what charts stack.
 */
import { Effect } from "effect"
import { UsageRefused } from "./UsageRefused.ts"
import { addSums, noUsage, subtractSums, sumsOf, type UsageSums } from "./UsageSums.ts"

export type MomentUnit = "day" | "hour"

export interface UsageMoment extends UsageSums {
  /** A local day, `YYYY-MM-DD`; in a report by hours a local hour, `YYYY-MM-DD HH:MM`. */
  readonly moment: string
}

/** What one model came to in one moment. */
export interface UsageCell extends UsageSums {
  /** Of the moment, from 1 on: an hour that a clock shows twice has its name twice. */
  readonly place: number
  readonly model: string
}

export interface UsageSeries {
  readonly unit: MomentUnit
  /** Each of the range, also those without calls, oldest first. */
  readonly moments: ReadonlyArray<UsageMoment>
  /** Those with calls of the {@link STACKED_MODELS_MAX} models charged most. */
  readonly cells: ReadonlyArray<UsageCell>
}

/** Models told apart in each moment, at most. */
export const STACKED_MODELS_MAX = 6

/** Longer ranges are reported by days. */
const HOURS_UNIT_MAX = 49

export const HOUR_MS = 3_600_000

/** Days of a report's range, at most. */
export const RANGE_DAYS_MAX = 400

interface MsRange {
  readonly fromMs: number
  readonly toMs: number
}

/** Hours, where the range has few of them. */
export const unitOf = ({ fromMs, toMs }: MsRange): MomentUnit =>
  toMs - fromMs <= HOURS_UNIT_MAX * HOUR_MS ? "hour" : "day"

/** A range with both ends aligned down to whole UTC hours, and its unit; refused when it is empty or too long. */
export const wholeHours = (range: MsRange): Effect.Effect<MsRange & { readonly unit: MomentUnit }, UsageRefused> => {
  const fromMs = Math.floor(range.fromMs / HOUR_MS) * HOUR_MS
  const toMs = Math.floor(range.toMs / HOUR_MS) * HOUR_MS
  if (fromMs >= toMs) return Effect.fail(new UsageRefused({ reason: "empty_range" }))
  if (toMs - fromMs > RANGE_DAYS_MAX * 24 * HOUR_MS) return Effect.fail(new UsageRefused({ reason: "range_too_long" }))
  return Effect.succeed({ fromMs, toMs, unit: unitOf({ fromMs, toMs }) })
}

const dayOf = (moment: string) => `((${moment}) AT TIME ZONE $3)::date`

/**
 * How hours are told apart: the local date of their middle, or their local time. $1 and $2 range in ms, $3 zone. `places` has each
 * moment `at` of the range with its place and name; `of` is the `at` of an `hour`.
 */
const units = {
  day: {
    series: `generate_series(${dayOf("to_timestamp($1::bigint / 1000) + interval '30 minutes'")}::timestamp,
      ${dayOf("to_timestamp($2::bigint / 1000) - interval '30 minutes'")}::timestamp, interval '1 day')`,
    named: "to_char(s.at, 'YYYY-MM-DD')",
    of: `${dayOf("hour + interval '30 minutes'")}::timestamp`
  },
  hour: {
    series: `generate_series(to_timestamp($1::bigint / 1000), to_timestamp($2::bigint / 1000) - interval '1 hour',
      interval '1 hour')`,
    named: "to_char(s.at AT TIME ZONE $3, 'YYYY-MM-DD HH24:MI')",
    of: "hour"
  }
} as const

export const momentSql = (unit: MomentUnit): { readonly places: string; readonly of: string } => {
  const { named, of, series } = units[unit]
  return {
    places: `SELECT s.at, row_number() OVER (ORDER BY s.at) AS place, ${named} AS name FROM ${series} AS s (at)`,
    of
  }
}

/** A row of a report: a moment, a model in a moment (a cell), or another kind that a series leaves out. */
interface SeriesLine extends UsageSums {
  readonly kind: string
  /** Of the moment, from the first on. */
  readonly place: number
  /** Of the moment, or of the model. */
  readonly name: string | null
}

const toMoment = (line: SeriesLine): UsageMoment => ({ moment: line.name ?? "", ...sumsOf(line) })

const toCell = (line: SeriesLine): UsageCell => ({ place: line.place, model: line.name ?? "", ...sumsOf(line) })

/** The series of a report, whose rows come in any order. */
export const seriesOf = (lines: ReadonlyArray<SeriesLine>, unit: MomentUnit): UsageSeries => {
  const moments = lines.filter(({ kind }) => kind === "moment").toSorted((a, b) => a.place - b.place)
  const cells = lines.filter(({ kind }) => kind === "cell").map(toCell)
  return {
    unit,
    moments: moments.map(toMoment),
    cells: cells.toSorted((a, b) => a.place - b.place || (a.model < b.model ? -1 : 1))
  }
}

/** What a model, or all others together, came to in each moment. */
export interface UsageStack {
  /** Undefined: all others. */
  readonly model: string | undefined
  /** Of each moment, in their order. */
  readonly sums: ReadonlyArray<UsageSums>
}

const isNothing = ({ calls }: UsageSums): boolean => calls === 0

/** The parts of every moment, in the order of `models`; together they are the moments, exactly. */
export const stacksOf = ({ cells, moments }: UsageSeries, models: ReadonlyArray<string>): ReadonlyArray<UsageStack> => {
  const stacked = models.filter((model) => cells.some((cell) => cell.model === model))
  const byModel = stacked.map((model): UsageStack => {
    const own = new Map(cells.filter((cell) => cell.model === model).map((cell) => [cell.place, sumsOf(cell)]))
    return { model, sums: moments.map((_, index) => own.get(index + 1) ?? noUsage) }
  })
  const others = moments.map((moment, index) =>
    subtractSums(sumsOf(moment), byModel.reduce((sum, { sums }) => addSums(sum, sums[index] ?? noUsage), noUsage))
  )
  return others.every(isNothing) ? byModel : [...byModel, { model: undefined, sums: others }]
}
