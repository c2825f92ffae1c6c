/**
 * Root is told when a channel has been down for some minutes: its circuit breaker, or that of one of its models, does not close again, or
 * all its keys are out of use.
 */
import { Clock, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { seeCondition } from "../notices/NoticeConditions.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { ChannelHealth } from "./ChannelHealth.ts"

/** Between two looks, in milliseconds. */
const LOOK_MS = 30_000

/** A channel is told to be down once it has been so long, in seconds. */
const DOWN_SECONDS = 120

/** Channels that are looked at, at most. */
const CHANNELS_MAX = 1_000

const Watched = Row({ id: ChannelId, name: Schema.String, isOut: Schema.Boolean })

/** One look at every enabled channel. Replaced in tests: how long one has to be down. */
export const lookAtChannels = (afterSeconds: number) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const health = yield* ChannelHealth
    const nowMs = yield* Clock.currentTimeMillis
    const channels = yield* rowsOf(
      Watched,
      sql`SELECT c.id, c.name, EXISTS (SELECT FROM channel_keys k WHERE k.channel_id = c.id)
          AND NOT EXISTS (SELECT FROM channel_keys k WHERE k.channel_id = c.id AND k.out_at IS NULL) AS is_out
        FROM channels c WHERE c.disabled_at IS NULL ORDER BY c.id LIMIT ${CHANNELS_MAX}`
    )
    const down = channels.filter(({ id, isOut }) => isOut || health.stateOf(id, null, nowMs) !== "closed")
    yield* Effect.forEach(down, ({ id, name }) =>
      seeCondition(sql, {
        kind: "channel_down",
        subject: id.toString(),
        afterSeconds,
        everyMs: LOOK_MS,
        data: { channel_id: id.toString(), channel: name }
      }), { discard: true })
  })

export const ChannelNoticesLayer = Layer.effectDiscard(
  Effect.flatMap(Singletons, (run) =>
    run(
      "channel-notices",
      inRounds(lookAtChannels(DOWN_SECONDS), { failure: "channels could not be looked at", everyMs: LOOK_MS })
    ))
)
