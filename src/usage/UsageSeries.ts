/**
 * What calls came to moment by moment, local days or hours, and how much of it was of each of the models charged most. Of a user's own
 * report and of everybody's alike: the SQL of moments, and what charts stack.
 */
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
export const HOURS_UNIT_MAX = 49

const HOUR_MS = 3_600_000

/** Hours, where the range has few of them. */
export const unitOf = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): MomentUnit =>
  toMs - fromMs <= HOURS_UNIT_MAX * HOUR_MS ? "hour" : "day"

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
