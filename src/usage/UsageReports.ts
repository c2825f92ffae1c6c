/**
 * What one user's calls came to: totals, by local day, by model. Exact at the moment of asking - folded hours and the calls
 * not folded yet, in one statement, hence one snapshot - and bounded in the range, the rows read and the time taken.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Count, Row, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { ID_SLACK_MS, type UsageFilter } from "./UsageFilter.ts"
import { bounded, UsageRefused } from "./UsageRefused.ts"
import { addSums, callColumns, noUsage, sumColumns, summedColumns, sumsOf, UsageSums } from "./UsageSums.ts"

export interface UsageDay extends UsageSums {
  /** The local day, `YYYY-MM-DD`. */
  readonly day: string
}

export interface UsageModel extends UsageSums {
  readonly model: string
}

export interface UsageOverview {
  readonly totals: UsageSums
  /** Every local day of the range, also those without calls, oldest first. */
  readonly days: ReadonlyArray<UsageDay>
  /** The models charged most, most first. */
  readonly models: ReadonlyArray<UsageModel>
  /** All models that are not in `models`; undefined when there are none. */
  readonly otherModels: UsageSums | undefined
  /** True when more calls wait to be folded than a report reads: the newest of those are missing. */
  readonly partial: boolean
}

const CalledModel = Row({ model: Schema.String })

export class UsageReports extends Context.Service<UsageReports, {
  /**
   * Totals, days and models of a range of whole UTC hours: both ends are aligned down, so a range that is to include now ends
   * an hour or more later. At most 400 days. `timeZone` is an IANA name that the caller has checked. Where a zone is not whole
   * hours from UTC, the hour in which a local day begins belongs to that day.
   */
  overview(
    userId: UserId,
    filter: UsageFilter,
    timeZone: string
  ): Effect.Effect<UsageOverview, UsageRefused | DatabaseUnavailable>
  /** The models called in the last 90 days, as far as their calls are folded, by name; at most 200. */
  models(userId: UserId): Effect.Effect<ReadonlyArray<string>, DatabaseUnavailable>
}>()("realms/usage/UsageReports") {
  static readonly layer = Layer.effect(UsageReports)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const overview = Effect.fn("UsageReports.overview")(
      function*(userId: UserId, filter: UsageFilter, timeZone: string) {
        const fromMs = Math.floor(filter.fromMs / HOUR_MS) * HOUR_MS
        const toMs = Math.floor(filter.toMs / HOUR_MS) * HOUR_MS
        if (fromMs >= toMs) return yield* new UsageRefused({ reason: "empty_range" })
        if (toMs - fromMs > RANGE_DAYS_MAX * 24 * HOUR_MS) {
          return yield* new UsageRefused({ reason: "range_too_long" })
        }
        const statement = sql.unsafe(overviewSql, [
          userId,
          fromMs,
          toMs,
          timeZone,
          filter.model ?? null,
          filter.keyId ?? null,
          filter.funding ?? null,
          TAIL_CALLS_MAX
        ])
        return toOverview(yield* bounded(rowsOf(OverviewLine, statement)))
      }
    )

    const models = Effect.fn("UsageReports.models")(function*(userId: UserId) {
      const rows = yield* bounded(rowsOf(
        CalledModel,
        sql`
      SELECT model FROM usage_hours
        WHERE user_id = ${userId} AND hour >= now() - make_interval(days => ${MODELS_DAYS}::integer)
        GROUP BY model ORDER BY model LIMIT ${MODELS_MAX}`
      ))
      return rows.map((row) => row.model)
    })

    return UsageReports.of({ overview, models })
  }))
}

export const HOUR_MS = 3_600_000
export const RANGE_DAYS_MAX = 400

/** Models shown apart, at most. */
const MODELS_SHOWN_MAX = 20

/** Calls that are not folded yet and read by one report, at most. */
export const TAIL_CALLS_MAX = 50_000

/** How far back models are named, in days, and how many. */
const MODELS_DAYS = 90
const MODELS_MAX = 200

const matching = `($5::text IS NULL OR model = $5) AND ($6::bigint IS NULL OR key_id = $6)
    AND ($7::text IS NULL OR funding = $7)`

/**
 * $1 user, $2 and $3 range in ms, $4 zone, $5-$7 filter, $8 tail. Hours and models are summed in one pass, and hours told
 * their local day after it: the local date of their middle. Pending calls are few: those that were open when the fold passed them.
 */
const overviewSql = `
  WITH looked AS MATERIALIZED (
    SELECT c.* FROM usage_calls c
      WHERE c.user_id BETWEEN $1 AND $1 AND (c.user_id, c.id) < ($1, realms_uuid_at_v1($3::bigint + ${ID_SLACK_MS}))
        AND (c.user_id, c.id) > ($1, greatest(realms_uuid_at_v1($2::bigint - ${ID_SLACK_MS}),
          (SELECT through FROM usage_folds WHERE user_id = $1)))
      ORDER BY c.user_id, c.id LIMIT $8
  ), calls AS (
    SELECT * FROM looked WHERE counts
    UNION ALL
    SELECT c.* FROM usage_pending p CROSS JOIN LATERAL (SELECT v.* FROM usage_calls v WHERE v.id = p.id OFFSET 0) c
      WHERE p.user_id = $1 AND c.counts
  ), sums AS MATERIALIZED (
    SELECT hour, model, ${summedColumns} FROM (
      SELECT hour, model, key_id, funding, ${sumColumns} FROM usage_hours WHERE user_id = $1
        AND hour >= to_timestamp($2::bigint / 1000) AND hour < to_timestamp($3::bigint / 1000)
      UNION ALL
      SELECT hour, model, key_id, funding, ${callColumns} FROM calls
        WHERE hour >= to_timestamp($2::bigint / 1000) AND hour < to_timestamp($3::bigint / 1000)
    ) u WHERE ${matching} GROUP BY GROUPING SETS ((hour), (model))
  ), days AS (
    SELECT ((hour + interval '30 minutes') AT TIME ZONE $4)::date AS day, ${summedColumns}
      FROM sums WHERE hour IS NOT NULL GROUP BY 1
  )
  SELECT true AS is_day, to_char(s.day, 'YYYY-MM-DD') AS name, (SELECT count(*) FROM looked) AS looked, ${sumColumns}
    FROM generate_series(
      ((to_timestamp($2::bigint / 1000) + interval '30 minutes') AT TIME ZONE $4)::date::timestamp,
      ((to_timestamp($3::bigint / 1000) - interval '30 minutes') AT TIME ZONE $4)::date::timestamp,
      interval '1 day') AS s (day)
    LEFT JOIN days d ON d.day = s.day::date
  UNION ALL
  SELECT false, model, 0, ${sumColumns} FROM sums WHERE model IS NOT NULL`

/** Of a day or of a model. */
const OverviewLine = RowWith(UsageSums, { isDay: Schema.Boolean, name: Schema.String, looked: Count })
type OverviewLine = typeof OverviewLine.Type

const toDay = (line: OverviewLine): UsageDay => ({ day: line.name, ...sumsOf(line) })

const toModel = (line: OverviewLine): UsageModel => ({ model: line.name, ...sumsOf(line) })

const byCharge = (a: UsageModel, b: UsageModel): number =>
  a.chargedMicros === b.chargedMicros ? b.calls - a.calls : a.chargedMicros < b.chargedMicros ? 1 : -1

const toOverview = (rows: ReadonlyArray<OverviewLine>): UsageOverview => {
  const days = rows.filter((row) => row.isDay).map(toDay).toSorted((a, b) => a.day < b.day ? -1 : 1)
  const models = rows.filter((row) => !row.isDay).map(toModel).toSorted(byCharge)
  const others = models.slice(MODELS_SHOWN_MAX)
  return {
    totals: days.reduce<UsageSums>(addSums, noUsage),
    days,
    models: models.slice(0, MODELS_SHOWN_MAX),
    otherModels: others.length === 0 ? undefined : others.reduce<UsageSums>(addSums, noUsage),
    partial: rows.some((row) => row.looked >= TAIL_CALLS_MAX)
  }
}
