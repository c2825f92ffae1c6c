/**
 * How the channels do: calls, failures and times of the last hour and the last day, from the newest calls of everybody. It
 * looks at a bounded number of them and says how far back they reach. A call counts for the channel that it ended at; one
 * that another channel took over is not known as the first one's failure, which is what the breaker is for.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelHealth } from "../channels/ChannelHealth.ts"
import { ChannelId } from "../domain/Ids.ts"
import { Count, Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { ID_SLACK_MS } from "./UsageFilter.ts"
import { bounded } from "./UsageRefused.ts"
import { HOUR_MS } from "./UsageSeries.ts"

export interface ChannelWindow {
  /** That have ended. */
  readonly calls: number
  /** Of those: the channel did not answer, or not to the end. */
  readonly failures: number
  /** Of calls that did not fail, in milliseconds; null where there is none. */
  readonly latencyP50Ms: number | null
  readonly latencyP95Ms: number | null
  /** From the request to the answer's first byte. */
  readonly firstByteP50Ms: number | null
  readonly firstByteP95Ms: number | null
}

export interface ChannelReport {
  /** Null: it is no channel any more. */
  readonly id: ChannelId | null
  readonly name: string
  readonly isDisabled: boolean
  /** The worst of its breakers, as this process sees them; another may see them otherwise. */
  readonly breaker: "closed" | "open" | "half_open"
  readonly hour: ChannelWindow
  readonly day: ChannelWindow
}

export interface ChannelsReport {
  /** Every channel there is, by name, and then those that only calls still know. At most 500. */
  readonly channels: ReadonlyArray<ChannelReport>
  /** Where more calls were made in a day than are looked at: the oldest that was. Null: all of the day are in. */
  readonly lookedFrom: Date | null
}

export class ChannelReports extends Context.Service<ChannelReports, {
  readonly report: Effect.Effect<ChannelsReport, DatabaseUnavailable>
}>()("realms/usage/ChannelReports") {
  static readonly layer = Layer.effect(ChannelReports)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const health = yield* ChannelHealth

    const breakerOf = (id: ChannelId | null, nowMs: number): ChannelReport["breaker"] =>
      id === null ? "closed" : health.stateOf(id, null, nowMs)

    const toReport = (row: typeof MeasuredChannel.Type, nowMs: number): ChannelReport => ({
      id: row.id,
      name: row.name,
      isDisabled: row.isDisabled,
      breaker: breakerOf(row.id, nowMs),
      hour: windowOf({
        calls: row.hourCalls,
        failures: row.hourFailures,
        latency: row.hourLatency,
        firstByte: row.hourFirstByte
      }),
      day: windowOf({
        calls: row.dayCalls,
        failures: row.dayFailures,
        latency: row.dayLatency,
        firstByte: row.dayFirstByte
      })
    })

    const report = Effect.gen(function*() {
      const nowMs = yield* Clock.currentTimeMillis
      const rows = yield* bounded(
        rowsOf(MeasuredChannel, sql.unsafe(channelHealthSql, [nowMs, HEALTH_CALLS_MAX, CHANNELS_MAX]))
      )
      return { channels: rows.map((row) => toReport(row, nowMs)), lookedFrom: rows[0]?.lookedFrom ?? null }
    }).pipe(Effect.withSpan("ChannelReports.report"))

    return ChannelReports.of({ report })
  }))
}

/** Calls looked at, at most. */
export const HEALTH_CALLS_MAX = 20_000

const CHANNELS_MAX = 500

/** Why a call ended that its channel has to answer for. */
const FAILURES = "'upstream_error', 'upstream_timeout', 'upstream_rate_limited', 'truncated', 'failed'"

const windowColumns = (name: string, condition: string) => `
    count(*) FILTER (WHERE ${condition}) AS ${name}_calls,
    count(*) FILTER (WHERE ${condition} AND failed) AS ${name}_failures,
    percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE ${condition} AND NOT failed)
      AS ${name}_latency,
    percentile_disc(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY ttft_ms) FILTER (WHERE ${condition} AND NOT failed)
      AS ${name}_first_byte`

/**
 * $1 now in ms, $2 calls looked at, $3 channels given. The newest ids are taken before anything else is asked of them: with a
 * condition beside the order, the planner reads and sorts all calls of the day.
 */
export const channelHealthSql = `
  WITH looked AS MATERIALIZED (
    SELECT e.channel, e.reserved_at, e.latency_ms, e.ttft_ms, coalesce(e.reason IN (${FAILURES}), false) AS failed
      FROM (SELECT id FROM usage_events ORDER BY id DESC LIMIT $2) i
        CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = i.id OFFSET 0) e
      WHERE i.id >= realms_uuid_at_v1($1::bigint - ${24 * HOUR_MS + ID_SLACK_MS})
  ), told AS (
    SELECT channel, ${windowColumns("hour", `reserved_at >= to_timestamp($1::bigint / 1000.0 - 3600)`)},
        ${windowColumns("day", `reserved_at >= to_timestamp($1::bigint / 1000.0 - 86400)`)}
      FROM looked WHERE channel IS NOT NULL GROUP BY channel
  )
  SELECT c.id, coalesce(c.name, t.channel) AS name, c.disabled_at IS NOT NULL AS disabled,
      coalesce(t.hour_calls, 0) AS hour_calls, coalesce(t.hour_failures, 0) AS hour_failures, t.hour_latency,
      t.hour_first_byte, coalesce(t.day_calls, 0) AS day_calls, coalesce(t.day_failures, 0) AS day_failures, t.day_latency,
      t.day_first_byte,
      CASE WHEN (SELECT count(*) FROM looked) >= $2 THEN (SELECT min(reserved_at) FROM looked) END AS looked_from
    FROM channels c FULL JOIN told t ON t.channel = c.name
    ORDER BY c.id IS NULL, name LIMIT $3`

/** The 50th and the 95th percentile; null where there is no call. */
const Percentiles = Schema.NullOr(Schema.Tuple([Schema.NullOr(Schema.Number), Schema.NullOr(Schema.Number)]))
type Percentiles = typeof Percentiles.Type

const MeasuredChannel = Row({
  id: Schema.NullOr(ChannelId),
  name: Schema.String,
  isDisabled: Schema.Boolean,
  hourCalls: Count,
  hourFailures: Count,
  hourLatency: Percentiles,
  hourFirstByte: Percentiles,
  dayCalls: Count,
  dayFailures: Count,
  dayLatency: Percentiles,
  dayFirstByte: Percentiles,
  lookedFrom: Schema.NullOr(Schema.Date)
}, { isDisabled: "disabled" })

const windowOf = ({ calls, failures, firstByte, latency }: {
  readonly calls: number
  readonly failures: number
  readonly latency: Percentiles
  readonly firstByte: Percentiles
}): ChannelWindow => ({
  calls,
  failures,
  latencyP50Ms: latency?.[0] ?? null,
  latencyP95Ms: latency?.[1] ?? null,
  firstByteP50Ms: firstByte?.[0] ?? null,
  firstByteP95Ms: firstByte?.[1] ?? null
})
