/**
 * Calls whose upstream reported more input than was thought possible: channels whose input overhead is set too low, and models
 * whose context is. Reads a bounded number of the newest calls.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelId } from "../domain/Ids.ts"
import { Count, Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { HEALTH_CALLS_MAX } from "./ChannelReports.ts"
import { ID_SLACK_MS } from "./UsageFilter.ts"
import { bounded } from "./UsageRefused.ts"
import { HOUR_MS } from "./UsageSeries.ts"

/** A channel of which more than 1 % of the calls of the last hour reported more input than their ceiling. */
export interface ClampedChannel {
  /** Null: it is no channel any more. */
  readonly id: ChannelId | null
  readonly name: string
  /** Committed calls of the hour. */
  readonly calls: number
  /** Of those, the calls whose input was cut to the ceiling. */
  readonly clamped: number
  /** Tokens to add to the channel's input overhead, so that 99 % of those calls would have been within their ceiling. */
  readonly missingTokens: number
}

/** A model of which some call of the last day reported more input than the model's context. */
export interface OverfullModel {
  readonly model: string
  /** Committed calls of the day. */
  readonly calls: number
  readonly aboveContext: number
  /** The most input tokens that such a call was charged for. */
  readonly inputTokensMax: number
}

export interface ClampedReport {
  /** Those with the most missing tokens first, at most {@link CLAMPED_SHOWN_MAX}. */
  readonly channels: ReadonlyArray<ClampedChannel>
  /** Those with the most such calls first, at most {@link CLAMPED_SHOWN_MAX}. */
  readonly models: ReadonlyArray<OverfullModel>
}

export class ClampedCalls extends Context.Service<ClampedCalls, {
  readonly report: Effect.Effect<ClampedReport, DatabaseUnavailable>
}>()("realms/usage/ClampedCalls") {
  static readonly layer = Layer.effect(ClampedCalls)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const report = Effect.gen(function*() {
      const nowMs = yield* Clock.currentTimeMillis
      const rows = yield* bounded(
        rowsOf(Clamped, sql.unsafe(clampedCallsSql, [nowMs, HEALTH_CALLS_MAX, CLAMPED_SHOWN_MAX]))
      )
      return {
        channels: rows.filter(({ kind }) => kind === "channel").map((row) => ({
          id: row.id,
          name: row.name,
          calls: row.calls,
          clamped: row.flagged,
          missingTokens: row.tokens
        })),
        models: rows.filter(({ kind }) => kind === "model").map((row) => ({
          model: row.name,
          calls: row.calls,
          aboveContext: row.flagged,
          inputTokensMax: row.tokens
        }))
      }
    }).pipe(Effect.withSpan("ClampedCalls.report"))

    return ClampedCalls.of({ report })
  }))
}

/** Channels and models reported, at most, of each. */
export const CLAMPED_SHOWN_MAX = 20

/** $1 now in ms, $2 calls looked at, $3 rows of each kind. The newest ids are taken before anything else is asked of them. */
export const clampedCallsSql = `
  WITH looked AS MATERIALIZED (
    SELECT e.channel, e.model, e.reserved_at >= to_timestamp($1::bigint / 1000.0 - 3600) AS in_hour,
        f.codes @> ARRAY['input_clamped'] AS clamped, f.codes @> ARRAY['above_context'] AS above,
        coalesce(e.excess_tokens, 0) AS excess,
        coalesce(e.input_tokens, 0) + coalesce(e.cached_input_tokens, 0) + coalesce(e.cache_write_tokens, 0) AS input
      FROM (SELECT id FROM usage_events ORDER BY id DESC LIMIT $2) i
        CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = i.id OFFSET 0) e
        CROSS JOIN LATERAL (SELECT string_to_array(coalesce(e.usage_flags, ''), ' ') AS codes) f
      WHERE i.id >= realms_uuid_at_v1($1::bigint - ${24 * HOUR_MS + ID_SLACK_MS}) AND e.state = 'committed'
        AND e.reserved_at >= to_timestamp($1::bigint / 1000.0 - 86400)
  ), channel AS (
    SELECT l.channel AS name, count(*) AS calls, count(*) FILTER (WHERE l.clamped) AS flagged,
        percentile_disc(0.99) WITHIN GROUP (ORDER BY CASE WHEN l.clamped THEN l.excess ELSE 0 END) AS tokens
      FROM looked l WHERE l.channel IS NOT NULL AND l.in_hour GROUP BY l.channel
      HAVING count(*) FILTER (WHERE l.clamped) * 100 > count(*)
      ORDER BY tokens DESC, l.channel LIMIT $3
  ), model AS (
    SELECT l.model AS name, count(*) AS calls, count(*) FILTER (WHERE l.above) AS flagged,
        max(l.input) FILTER (WHERE l.above) AS tokens
      FROM looked l GROUP BY l.model HAVING count(*) FILTER (WHERE l.above) > 0
      ORDER BY flagged DESC, l.model LIMIT $3
  )
  SELECT * FROM (
    SELECT 'channel' AS kind, c.id, channel.* FROM channel LEFT JOIN channels c ON c.name = channel.name
    UNION ALL SELECT 'model', NULL, model.* FROM model
  ) found ORDER BY CASE kind WHEN 'channel' THEN tokens ELSE flagged END DESC, name`

const Clamped = Row({
  kind: Schema.Literals(["channel", "model"]),
  id: Schema.NullOr(ChannelId),
  name: Schema.String,
  calls: Count,
  flagged: Count,
  tokens: Count
})
