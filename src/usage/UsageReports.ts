/**
 * What one user's calls came to: totals, by local day or hour, by model. Exact at the moment of asking - folded hours and the calls
 * not folded yet, in one statement, hence one snapshot - and bounded in the range, the rows read and the time taken.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Count, Row, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { ID_SLACK_MS, type UsageFilter } from "./UsageFilter.ts"
import { bounded, type UsageRefused } from "./UsageRefused.ts"
import {
  momentSql,
  type MomentUnit,
  seriesOf,
  STACKED_MODELS_MAX,
  type UsageSeries,
  wholeHours
} from "./UsageSeries.ts"
import { addSums, callColumns, noUsage, sumColumns, summedColumns, sumsOf, UsageSums } from "./UsageSums.ts"

export interface UsageModel extends UsageSums {
  readonly model: string
}

export interface UsageOverview extends UsageSeries {
  readonly totals: UsageSums
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
   * Totals, days or hours, and models of a range of whole UTC hours: both ends are aligned down, so a range that is to include now
   * ends an hour or more later. At most 400 days. `timeZone` is an IANA name that the caller has checked. Where a zone is not whole
   * hours from UTC, the hour in which a local day begins belongs to that day.
   */
  overview(
    userId: UserId,
    filter: UsageFilter,
    timeZone: string,
    unit?: MomentUnit
  ): Effect.Effect<UsageOverview, UsageRefused | DatabaseUnavailable>
  /** The models called in the last 90 days, as far as their calls are folded, by name; at most 200. */
  models(userId: UserId): Effect.Effect<ReadonlyArray<string>, DatabaseUnavailable>
}>()("realms/usage/UsageReports") {
  static readonly layer = Layer.effect(UsageReports)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const overview = Effect.fn("UsageReports.overview")(
      function*(userId: UserId, filter: UsageFilter, timeZone: string, unit: MomentUnit = "day") {
        const { fromMs, toMs, unit: finest } = yield* wholeHours(filter)
        const shown = unit === "hour" ? finest : unit
        const statement = sql.unsafe(overviewSqls[shown], [
          fromMs,
          toMs,
          timeZone,
          userId,
          filter.model ?? null,
          filter.keyId ?? null,
          filter.funding ?? null,
          TAIL_CALLS_MAX
        ])
        return toOverview(yield* bounded(rowsOf(OverviewLine, statement)), shown)
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
 * $1 and $2 range in ms, $3 zone, $4 user, $5-$7 filter, $8 tail. Hours and models are summed in one pass, and hours told their local
 * moment after it. Pending calls are few: those that were open when the fold passed them.
 */
const overviewSql = (unit: MomentUnit): string => {
  const { of, places } = momentSql(unit)
  return `
  WITH looked AS MATERIALIZED (
    SELECT c.* FROM usage_calls c
      WHERE c.user_id BETWEEN $4 AND $4 AND (c.user_id, c.id) < ($4, realms_uuid_at_v1($2::bigint + ${ID_SLACK_MS}))
        AND (c.user_id, c.id) > ($4, greatest(realms_uuid_at_v1($1::bigint - ${ID_SLACK_MS}),
          (SELECT through FROM usage_folds WHERE user_id = $4)))
      ORDER BY c.user_id, c.id LIMIT $8
  ), calls AS (
    SELECT * FROM looked WHERE counts
    UNION ALL
    SELECT c.* FROM usage_pending p CROSS JOIN LATERAL (SELECT v.* FROM usage_calls v WHERE v.id = p.id OFFSET 0) c
      WHERE p.user_id = $4 AND c.counts
  ), sums AS MATERIALIZED (
    SELECT hour, model, ${summedColumns} FROM (
      SELECT hour, model, key_id, funding, ${sumColumns} FROM usage_hours WHERE user_id = $4
        AND hour >= to_timestamp($1::bigint / 1000) AND hour < to_timestamp($2::bigint / 1000)
      UNION ALL
      SELECT hour, model, key_id, funding, ${callColumns} FROM calls
        WHERE hour >= to_timestamp($1::bigint / 1000) AND hour < to_timestamp($2::bigint / 1000)
    ) u WHERE ${matching} GROUP BY hour, model
  ), models AS MATERIALIZED (
    SELECT model, ${summedColumns} FROM sums GROUP BY model
  ), stacked AS (
    SELECT model FROM models ORDER BY charged_micros DESC, calls DESC, model LIMIT ${STACKED_MODELS_MAX}
  ), places AS MATERIALIZED (${places}), hours AS MATERIALIZED (
    SELECT h.hour, p.place FROM (SELECT hour, ${of} AS at FROM (SELECT DISTINCT hour FROM sums) d) h JOIN places p ON p.at = h.at
  ), moments AS (
    SELECT h.place, ${summedColumns} FROM sums JOIN hours h USING (hour) GROUP BY h.place
  )
  SELECT 'moment' AS kind, p.place, p.name, (SELECT count(*) FROM looked) AS looked, ${sumColumns}
    FROM places p LEFT JOIN moments m ON m.place = p.place
  UNION ALL
  SELECT 'model', 0, model, 0, ${sumColumns} FROM models
  UNION ALL
  SELECT 'cell', h.place, model, 0, ${summedColumns}
    FROM sums JOIN hours h USING (hour) JOIN stacked USING (model) GROUP BY h.place, model`
}

const overviewSqls = { day: overviewSql("day"), hour: overviewSql("hour") }

/** Of a moment, of a model, or of a model in a moment. */
const OverviewLine = RowWith(UsageSums, {
  kind: Schema.Literals(["moment", "model", "cell"]),
  place: Count,
  name: Schema.String,
  looked: Count
})
type OverviewLine = typeof OverviewLine.Type

const toModel = (line: OverviewLine): UsageModel => ({ model: line.name, ...sumsOf(line) })

const byCharge = (a: UsageModel, b: UsageModel): number =>
  a.chargedMicros !== b.chargedMicros
    ? a.chargedMicros < b.chargedMicros ? 1 : -1
    : b.calls - a.calls || (a.model < b.model ? -1 : 1)

const toOverview = (rows: ReadonlyArray<OverviewLine>, unit: MomentUnit): UsageOverview => {
  const series = seriesOf(rows, unit)
  const models = rows.filter(({ kind }) => kind === "model").map(toModel).toSorted(byCharge)
  const others = models.slice(MODELS_SHOWN_MAX)
  return {
    ...series,
    totals: series.moments.reduce<UsageSums>(addSums, noUsage),
    models: models.slice(0, MODELS_SHOWN_MAX),
    otherModels: others.length === 0 ? undefined : others.reduce<UsageSums>(addSums, noUsage),
    partial: rows.some((row) => row.looked >= TAIL_CALLS_MAX)
  }
}
