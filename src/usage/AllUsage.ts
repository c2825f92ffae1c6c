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
  /** False: without the users' shares, for which the days of each user are read. */
  readonly users?: boolean | undefined
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
      const { channel, model, userId, users = true } = filter
      const isNarrowed = model !== undefined || channel !== undefined
      const statement = sql.unsafe(allUsageSql(unit, { ofUser: userId !== undefined, users, isNarrowed }), [
        fromMs,
        toMs,
        timeZone,
        SHARES_MAX,
        model ?? null,
        channel ?? null,
        ...(userId === undefined ? [] : [userId])
      ])
      return toReport(yield* bounded(rowsOf(ReportLine, statement)), unit)
    })

    return AllUsage.of({ report })
  }))
}

/** Users, models and channels shown apart, at most of each. */
export const SHARES_MAX = 50

/** Who comes first among models, channels and users. */
const ranking = "charged_micros DESC, calls DESC, name"

/** The sums of each user in the range: whole UTC days, and the hours before and after them. */
const daysOfUsersSql = (() => {
  const fromDay = "date_trunc('day', to_timestamp($1::bigint / 1000) + interval '23 hours', 'UTC')"
  const toDay = "date_trunc('day', to_timestamp($2::bigint / 1000), 'UTC')"
  return `SELECT user_id, ${sumColumns} FROM usage_days WHERE day >= ${fromDay} AND day < ${toDay}
      UNION ALL SELECT user_id, ${sumColumns} FROM usage_hours
        WHERE hour >= to_timestamp($1::bigint / 1000) AND hour < least(${fromDay}, to_timestamp($2::bigint / 1000))
      UNION ALL SELECT user_id, ${sumColumns} FROM usage_hours
        WHERE hour >= greatest(${fromDay}, ${toDay}) AND hour < to_timestamp($2::bigint / 1000)`
})()

/**
 * $1 and $2 range in ms, $3 zone, $4 shares shown, $5 and $6 model and channel, $7 user where there is one. Two tables of sums are read,
 * which each fit into memory: by moment, model and channel - of everybody they are summed by the hour already -, and by user. All else
 * is made of these.
 */
export const allUsageSql = (
  unit: MomentUnit,
  { isNarrowed, ofUser, users }: {
    readonly ofUser: boolean
    readonly users: boolean
    /** To a model or a channel, which the days of users do not tell apart. */
    readonly isNarrowed: boolean
  }
): string => {
  const { of, places } = momentSql(unit)
  const matching = `WHERE hour >= to_timestamp($1::bigint / 1000) AND hour < to_timestamp($2::bigint / 1000)
        AND ($5::text IS NULL OR model = $5) AND ($6::text IS NULL OR channel = $6) ${ofUser ? "AND user_id = $7" : ""}`
  return `
  WITH places AS MATERIALIZED (${places}), hours AS MATERIALIZED (
    SELECT h.hour, p.place FROM (SELECT s.hour, ${of} AS at
        FROM generate_series(to_timestamp($1::bigint / 1000), to_timestamp($2::bigint / 1000) - interval '1 hour', interval '1 hour')
          AS s (hour)) h
      JOIN places p ON p.at = h.at
  ), sums AS MATERIALIZED (
    SELECT h.place, u.model, u.channel, ${summedColumns}
      FROM (SELECT hour, model, channel, ${sumColumns} FROM ${ofUser ? "usage_hours" : "usage_totals"} ${matching}) u
      JOIN hours h USING (hour) GROUP BY h.place, u.model, u.channel
  ), moments AS (
    SELECT place, ${summedColumns} FROM sums GROUP BY place
  ), models AS MATERIALIZED (
    SELECT model AS name, ${summedColumns} FROM sums GROUP BY model
  ), stacked AS (
    SELECT name AS model FROM models ORDER BY ${ranking} LIMIT ${STACKED_MODELS_MAX}
  ), ranked AS MATERIALIZED (
    SELECT 'model' AS kind, NULL::bigint AS user_id, *, row_number() OVER (ORDER BY ${ranking}) AS place FROM models
    UNION ALL
    SELECT 'channel', NULL, *, row_number() OVER (ORDER BY ${ranking})
      FROM (SELECT channel AS name, ${summedColumns} FROM sums GROUP BY channel) c
    ${
    users
      ? `UNION ALL
    SELECT 'user', *, row_number() OVER (ORDER BY ${ranking})
      FROM (SELECT user_id, user_id::text COLLATE "C" AS name, ${summedColumns}
        FROM (${
        ofUser || isNarrowed ? `SELECT user_id, ${sumColumns} FROM usage_hours ${matching}` : daysOfUsersSql
      }) u GROUP BY user_id) u`
      : ""
  }
  ), rows AS (
    SELECT 'moment' AS kind, p.place, p.name, NULL::bigint AS user_id, 1 AS many, ${sumColumns}
      FROM places p LEFT JOIN moments m ON m.place = p.place
    UNION ALL
    SELECT 'cell', place, model, NULL, 1, ${summedColumns} FROM sums JOIN stacked USING (model) GROUP BY place, model
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
