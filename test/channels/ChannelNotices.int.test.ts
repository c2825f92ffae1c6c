/**
 * Root is told of a channel that stays down, once while it does.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { lookAtChannels } from "../../src/channels/ChannelNotices.ts"
import { ChannelId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { oneRowOf, rowsOf } from "../../src/postgres/Rows.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const Made = Row({ id: ChannelId })
const Told = Row({ data: Schema.Record(Schema.String, Schema.Unknown) })

const told = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* rowsOf(Told, sql`SELECT data FROM notices WHERE kind = 'channel_down' ORDER BY id`)
  return rows.map(({ data }) => data["channel"])
})

describe("channels that are down", () => {
  layer(ChannelHealth.layer.pipe(Layer.provideMerge(TestDatabase.layer)), { excludeTestServices: true })((it) => {
    it.effect("are told once, by their breakers or by their keys, and not when they are disabled", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const health = yield* ChannelHealth
        const nowMs = yield* Clock.currentTimeMillis
        const channel = (name: string) =>
          Effect.map(
            oneRowOf(
              Made,
              sql`INSERT INTO channels (name, base_url) VALUES (${name}, 'https://a.example') RETURNING id`
            ),
            ({ id }) => id
          )
        const [broken, keyless, , off] = [
          yield* channel("broken"),
          yield* channel("keyless"),
          yield* channel("fine"),
          yield* channel("off")
        ]
        for (const channelId of [broken, off]) {
          health.hear({ channelId, modelId: "m", openMs: 60_000, to: "open" }, nowMs)
        }
        yield* sql`UPDATE channels SET disabled_at = now() WHERE id = ${off}`
        yield* sql`INSERT INTO channel_keys (channel_id, digest, hint, key_sealed, key_id, out_reason, out_at,
            probe_at)
          VALUES (${keyless}, 'd', 'h', 's', 'k', 'unauthorized', now(), now())`
        yield* lookAtChannels(120)
        assert.deepStrictEqual(yield* told, [])
        yield* lookAtChannels(0)
        yield* lookAtChannels(0)
        assert.deepStrictEqual(yield* told, ["broken", "keyless"])
      }))
  })
})
