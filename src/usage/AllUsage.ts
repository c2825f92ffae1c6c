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
import { bounded, type UsageRefused } from "./UsageRefused.ts"
import {
  momentSql,
  type MomentUnit,
  seriesOf,
  STACKED_MODELS_MAX,
  type UsageSeries,
  wholeHours
} from "./UsageSeries.ts"
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

export interface UsageReport extends UsageSeries {
  readonly totals: UsageSums
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
      const { fromMs, toMs, unit } = yield* wholeHours(filter)
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

/** The sums of cells, which are joined with rows that have sums, too. */
const cellColumns = summedColumns.replaceAll("sum(", "sum(c.")

/** $1 and $2 range in ms, $3 zone, $4 shares shown, $5 and $6 model and channel, $7 user where there is one. */
export const allUsageSql = (unit: MomentUnit, ofUser: boolean): string => {
  const { of, places } = momentSql(unit)
  return `
  WITH sums AS MATERIALIZED (
    SELECT CASE WHEN grouping(hour) = 0 AND grouping(model) = 0 THEN 'cell' WHEN grouping(hour) = 0 THEN 'moment'
        WHEN grouping(model) = 0 THEN 'model'
        WHEN grouping(channel) = 0 THEN 'channel' ELSE 'user' END AS kind,
        hour, coalesce(model, channel, user_id::text) AS name, user_id, ${summedColumns}
      FROM usage_hours
      WHERE hour >= to_timestamp($1::bigint / 1000) AND hour < to_timestamp($2::bigint / 1000)
        AND ($5::text IS NULL OR model = $5) AND ($6::text IS NULL OR channel = $6) ${ofUser ? "AND user_id = $7" : ""}
      GROUP BY GROUPING SETS ((hour), (model), (channel), (user_id), (hour, model))
  ), places AS MATERIALIZED (${places}), hours AS MATERIALIZED (
    SELECT h.hour, p.place FROM (SELECT hour, ${of} AS at FROM sums WHERE kind = 'moment') h JOIN places p ON p.at = h.at
  ), moments AS (
    SELECT h.place, ${summedColumns} FROM sums JOIN hours h USING (hour) WHERE kind = 'moment' GROUP BY h.place
  ), ranked AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY charged_micros DESC, calls DESC, name) AS place
      FROM sums WHERE kind NOT IN ('moment', 'cell')
  ), rows AS (
    SELECT 'moment' AS kind, p.place, p.name, NULL::bigint AS user_id, 1 AS many, ${sumColumns}
      FROM places p LEFT JOIN moments m ON m.place = p.place
    UNION ALL
    SELECT 'cell', h.place, c.name, NULL, 1, ${cellColumns} FROM sums c JOIN hours h ON h.hour = c.hour
      JOIN ranked r ON r.kind = 'model' AND r.name = c.name AND r.place <= ${STACKED_MODELS_MAX}
      WHERE c.kind = 'cell' GROUP BY h.place, c.name
    UNION ALL
    SELECT kind, place, name, user_id, 1, ${sumColumns} FROM ranked WHERE place <= $4
    UNION ALL
    SELECT kind, $4 + 1, NULL, NULL, count(*), ${summedColumns} FROM ranked WHERE place > $4 GROUP BY kind
  )
  SELECT r.kind, r.place, r.name, u.email, r.many, (SELECT folded_to FROM usage_fold_rounds) AS folded_to, ${sumColumns}
    FROM rows r LEFT JOIN users u ON u.id = r.user_id ORDER BY r.kind, r.place`
}

const ReportLine = RowWith(UsageSums, {
  kind: Schema.Literals(["moment", "model", "channel", "user", "cell"]),
  place: Count,
  /** Null: all others. */
  name: Schema.NullOr(Schema.String),
  email: Schema.NullOr(Schema.String),
  many: Count,
  foldedTo: Schema.NullOr(Schema.Date)
})
type ReportLine = typeof ReportLine.Type

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
  const series = seriesOf(rows, unit)
  return {
    ...series,
    totals: series.moments.reduce<UsageSums>(addSums, noUsage),
    users: sharesOf(rows, "user"),
    models: sharesOf(rows, "model"),
    channels: sharesOf(rows, "channel"),
    foldedTo: rows[0]?.foldedTo ?? null
  }
}
