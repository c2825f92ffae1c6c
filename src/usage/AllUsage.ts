/**
 * What everybody's calls came to, for root: totals, by local day or hour, by user, model and channel, over folded hours alone.
 * A report is as fresh as the folds and says how fresh that is; it reads no call, and gives a bounded number of rows.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Count, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { bounded, UsageRefused } from "./UsageRefused.ts"
import { HOUR_MS, RANGE_DAYS_MAX } from "./UsageReports.ts"
import { addSums, noUsage, sumColumns, summedColumns, sumsOf, UsageSums } from "./UsageSums.ts"

/** What is left out does not matter. */
export interface AllUsageFilter {
  /** Both aligned down to UTC hours, as `UsageReports` does. */
  readonly fromMs: number
  readonly toMs: number
  readonly userId?: UserId | undefined
  readonly model?: string | undefined
  readonly channel?: string | undefined
}

export interface UsageMoment extends UsageSums {
  /** A local day, `YYYY-MM-DD`; in a report by hours a local hour, `YYYY-MM-DD HH:MM`. */
  readonly moment: string
}

export interface UsageShare extends UsageSums {
  /** A model, a channel (empty: none is known), or the id of a user. */
  readonly name: string
  /** Of a user. */
  readonly email: string | null
}

/** Those charged most, most first, and all others as one. */
export interface UsageShares {
  readonly top: ReadonlyArray<UsageShare>
  /** Undefined when there are none. */
  readonly others: UsageSums | undefined
  readonly othersCount: number
}

export interface UsageReport {
  readonly totals: UsageSums
  readonly unit: "day" | "hour"
  /** Each of the range, also those without calls, oldest first. */
  readonly moments: ReadonlyArray<UsageMoment>
  readonly users: UsageShares
  readonly models: UsageShares
  readonly channels: UsageShares
  /** Calls reserved before are counted, but for those still open then. Null: nothing has been folded yet. */
  readonly foldedTo: Date | null
}

export class AllUsage extends Context.Service<AllUsage, {
  /** At most 400 days; by hours when they are at most two. `timeZone` is an IANA name that the caller has checked. */
  report(filter: AllUsageFilter, timeZone: string): Effect.Effect<UsageReport, UsageRefused | DatabaseUnavailable>
}>()("realms/usage/AllUsage") {
  static readonly layer = Layer.effect(AllUsage)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const report = Effect.fn("AllUsage.report")(function*(filter: AllUsageFilter, timeZone: string) {
      const fromMs = Math.floor(filter.fromMs / HOUR_MS) * HOUR_MS
      const toMs = Math.floor(filter.toMs / HOUR_MS) * HOUR_MS
      if (fromMs >= toMs) return yield* new UsageRefused({ reason: "empty_range" })
      if (toMs - fromMs > RANGE_DAYS_MAX * 24 * HOUR_MS) return yield* new UsageRefused({ reason: "range_too_long" })
      const unit = toMs - fromMs <= HOURS_UNIT_MAX * HOUR_MS ? "hour" : "day"
      const { userId } = filter
      const statement = sql.unsafe(allUsageSql(unit, userId !== undefined), [
        fromMs,
        toMs,
        timeZone,
        SHARES_MAX,
        filter.model ?? null,
        filter.channel ?? null,
        ...(userId === undefined ? [] : [userId])
      ])
      return toReport(yield* bounded(rowsOf(ReportLine, statement)), unit)
    })

    return AllUsage.of({ report })
  }))
}

/** Users, models and channels shown apart, at most of each. */
export const SHARES_MAX = 50

/** Longer ranges are reported by days. */
const HOURS_UNIT_MAX = 49

const dayOf = (moment: string) => `((${moment}) AT TIME ZONE $3)::date`

/** How hours are told apart: the local date of their middle, or their local time. */
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

/** $1 and $2 range in ms, $3 zone, $4 shares shown, $5 and $6 model and channel, $7 user where there is one. */
export const allUsageSql = (unit: keyof typeof units, ofUser: boolean): string => {
  const { named, of, series } = units[unit]
  return `
  WITH sums AS MATERIALIZED (
    SELECT CASE WHEN grouping(hour) = 0 THEN 'moment' WHEN grouping(model) = 0 THEN 'model'
        WHEN grouping(channel) = 0 THEN 'channel' ELSE 'user' END AS kind,
        hour, coalesce(model, channel, user_id::text) AS name, user_id, ${summedColumns}
      FROM usage_hours
      WHERE hour >= to_timestamp($1::bigint / 1000) AND hour < to_timestamp($2::bigint / 1000)
        AND ($5::text IS NULL OR model = $5) AND ($6::text IS NULL OR channel = $6) ${ofUser ? "AND user_id = $7" : ""}
      GROUP BY GROUPING SETS ((hour), (model), (channel), (user_id))
  ), moments AS (
    SELECT ${of} AS at, ${summedColumns} FROM sums WHERE kind = 'moment' GROUP BY 1
  ), ranked AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY charged_micros DESC, calls DESC, name) AS place
      FROM sums WHERE kind <> 'moment'
  ), rows AS (
    SELECT 'moment' AS kind, row_number() OVER (ORDER BY s.at) AS place, ${named} AS name, NULL::bigint AS user_id, 1 AS many,
        ${sumColumns}
      FROM ${series} AS s (at) LEFT JOIN moments m ON m.at = s.at
    UNION ALL
    SELECT kind, place, name, user_id, 1, ${sumColumns} FROM ranked WHERE place <= $4
    UNION ALL
    SELECT kind, $4 + 1, NULL, NULL, count(*), ${summedColumns} FROM ranked WHERE place > $4 GROUP BY kind
  )
  SELECT r.kind, r.name, u.email, r.many, (SELECT folded_to FROM usage_fold_rounds) AS folded_to, ${sumColumns}
    FROM rows r LEFT JOIN users u ON u.id = r.user_id ORDER BY r.kind, r.place`
}

const ReportLine = RowWith(UsageSums, {
  kind: Schema.Literals(["moment", "model", "channel", "user"]),
  /** Null: all others. */
  name: Schema.NullOr(Schema.String),
  email: Schema.NullOr(Schema.String),
  many: Count,
  foldedTo: Schema.NullOr(Schema.Date)
})
type ReportLine = typeof ReportLine.Type

const toMoment = (line: ReportLine): UsageMoment => ({ moment: line.name ?? "", ...sumsOf(line) })

const sharesOf = (rows: ReadonlyArray<ReportLine>, kind: ReportLine["kind"]): UsageShares => {
  const own = rows.filter((row) => row.kind === kind)
  const others = own.find((row) => row.name === null)
  return {
    top: own.flatMap((row) => row.name === null ? [] : [{ name: row.name, email: row.email, ...sumsOf(row) }]),
    others: others === undefined ? undefined : sumsOf(others),
    othersCount: others?.many ?? 0
  }
}

const toReport = (rows: ReadonlyArray<ReportLine>, unit: UsageReport["unit"]): UsageReport => {
  const moments = rows.filter((row) => row.kind === "moment").map(toMoment)
  return {
    totals: moments.reduce<UsageSums>(addSums, noUsage),
    unit,
    moments,
    users: sharesOf(rows, "user"),
    models: sharesOf(rows, "model"),
    channels: sharesOf(rows, "channel"),
    foldedTo: rows[0]?.foldedTo ?? null
  }
}
