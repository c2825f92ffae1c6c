/**
 * Writes down how the channels did: every few seconds, and when the process stops. What cannot be written now is written later.
 */
import { DateTime, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { inRounds } from "../platform/Rounds.ts"
import { recordsetOf } from "../postgres/Rows.ts"
import { ChannelHealth } from "./ChannelHealth.ts"

const EVERY_MS = 5_000

const isoOf = (ms: number): string | null => ms === 0 ? null : DateTime.formatIso(DateTime.makeUnsafe(ms))

/** Writes what is new since the last time; the newest of several processes counts. */
export const writeHealth = (
  sql: SqlClient.SqlClient,
  health: ChannelHealth["Service"]
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.suspend(() => {
    const recent = health.takeRecent()
    if (recent.length === 0) return Effect.void
    const rows = recordsetOf(recent.map(({ channelId, failure, failureMs, successMs }) => ({
      channel_id: channelId,
      success_at: isoOf(successMs),
      failure_at: isoOf(failureMs),
      failure_reason: failure?.reason ?? null,
      failure_status: failure?.status ?? null
    })))
    // A channel that is gone, which only tests do, is left out.
    return Effect.asVoid(sql`
      INSERT INTO channel_health AS h (channel_id, success_at, failure_at, failure_reason, failure_status)
        SELECT d.channel_id, d.success_at, d.failure_at, d.failure_reason, d.failure_status
          FROM jsonb_populate_recordset(NULL::channel_health, ${rows}::jsonb) AS d JOIN channels c ON c.id = d.channel_id
          ORDER BY d.channel_id
        ON CONFLICT (channel_id) DO UPDATE SET success_at = greatest(h.success_at, excluded.success_at),
          failure_reason = CASE WHEN h.failure_at >= excluded.failure_at OR excluded.failure_at IS NULL
            THEN h.failure_reason ELSE excluded.failure_reason END,
          failure_status = CASE WHEN h.failure_at >= excluded.failure_at OR excluded.failure_at IS NULL
            THEN h.failure_status ELSE excluded.failure_status END,
          failure_at = greatest(h.failure_at, excluded.failure_at)`).pipe(
      Effect.onError(() => Effect.sync(() => health.giveBack(recent)))
    )
  })

export const HealthLogLayer = Layer.effectDiscard(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const health = yield* ChannelHealth
  const write = writeHealth(sql, health)
  yield* Effect.addFinalizer(() => Effect.ignore(write))
  yield* Effect.forkScoped(
    inRounds(write, { failure: "how the channels did was not written down", everyMs: EVERY_MS })
  )
}))
