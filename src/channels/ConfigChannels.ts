/**
 * Writes the channels of the configuration, and the models they serve, to their tables at the start. The keys stay in memory. Rows
 * that are as the file has them are left alone. A channel that is gone from the file is disabled, and so is one whose key is empty.
 * @internal
 */
import { Effect, Redacted } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { AppConfig, type ChannelConfig } from "../config/Config.ts"
import { channelTerms } from "../domain/ChannelTerms.ts"
import { recordsetOf } from "../postgres/Rows.ts"
import { disableGone, writeConfigRows } from "../settings/ConfigRows.ts"
import { termColumns } from "./ChannelColumns.ts"

const recordOf = (channel: ChannelConfig) => ({
  name: channel.name,
  base_url: channel.baseUrl,
  priority: channel.priority,
  weight: channel.weight,
  ...channelTerms.toRow(channel)
})

/** A channel of the console that comes into the file loses its sealed key: its key is in the file alone. */
const writeChannels = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient, channels: ReadonlyArray<ChannelConfig>) {
    const inFile = recordsetOf(channels.map(recordOf))
    const keyless = recordsetOf(
      channels.filter(({ apiKey }) => Redacted.value(apiKey) === "").map(({ name }) => ({ name }))
    )
    const written = yield* sql`
      INSERT INTO channels AS c (name, base_url, priority, weight, ${termColumns(sql)}, declared, disabled_at)
        SELECT d.name, d.base_url, d.priority, d.weight, ${termColumns(sql, "d")}, true,
            CASE WHEN d.name IN (SELECT k.name FROM jsonb_to_recordset(${keyless}::jsonb) AS k (name text))
              THEN now() END
          FROM jsonb_populate_recordset(NULL::channels, ${inFile}::jsonb) AS d
        ON CONFLICT (name) DO UPDATE SET (base_url, priority, weight, ${termColumns(sql)}) =
              ROW (excluded.base_url, excluded.priority, excluded.weight, ${termColumns(sql, "excluded")}),
            declared = true, api_key_sealed = NULL, key_id = NULL, updated_at = now(),
            disabled_at = CASE WHEN excluded.disabled_at IS NOT NULL THEN coalesce(c.disabled_at, now()) END
          WHERE (c.base_url, c.priority, c.weight, ${termColumns(sql, "c")}, c.declared, c.api_key_sealed, c.key_id,
              c.disabled_at IS NULL)
            IS DISTINCT FROM (excluded.base_url, excluded.priority, excluded.weight, ${termColumns(sql, "excluded")},
              true, NULL::bytea, NULL::text, excluded.disabled_at IS NULL)
        RETURNING c.id`
    return written.length + (yield* disableGone(sql, { table: "channels", key: "name" }, inFile))
  }
)

/** A config-managed channel serves what the file says, no more. A channel that is gone from the file keeps its list. */
const writeServed = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, channels: ReadonlyArray<ChannelConfig>) {
  const names = recordsetOf(channels.map(({ name }) => ({ name })))
  const served = recordsetOf(
    channels.flatMap(({ models, name }) =>
      Object.entries(models).map(([model, upstream]) => ({ name, model, upstream }))
    )
  )
  const removed = yield* sql`
    DELETE FROM channel_models s USING channels c
      WHERE s.channel_id = c.id
        AND c.name IN (SELECT d.name FROM jsonb_to_recordset(${names}::jsonb) AS d (name text))
        AND (c.name, s.model_id) NOT IN (
          SELECT d.name, d.model FROM jsonb_to_recordset(${served}::jsonb) AS d (name text, model text))
      RETURNING s.model_id`
  const written = yield* sql`
    INSERT INTO channel_models AS s (channel_id, model_id, upstream_model)
      SELECT c.id, d.model, d.upstream
        FROM jsonb_to_recordset(${served}::jsonb) AS d (name text, model text, upstream text)
        JOIN channels c ON c.name = d.name
      ON CONFLICT (channel_id, model_id) DO UPDATE SET upstream_model = excluded.upstream_model,
          hidden_output_at = NULL
        WHERE s.upstream_model <> excluded.upstream_model
      RETURNING s.model_id`
  return removed.length + written.length
})

/** Makes the tables say what the file says, and tells the other processes if that changed anything. */
export const writeConfigChannels = Effect.gen(function*() {
  const { channels } = yield* AppConfig
  yield* writeConfigRows("channels", (sql): Effect.Effect<number, SqlError.SqlError> =>
    Effect.gen(function*() {
      const changed = yield* writeChannels(sql, channels)
      return changed + (yield* writeServed(sql, channels))
    }))
})
