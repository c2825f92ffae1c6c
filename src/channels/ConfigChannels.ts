/**
 * Writes the channels of the configuration, and the models they serve, to their tables at the start. The keys stay in memory. Rows
 * that are as the file has them are left alone. A channel that is gone from the file is disabled, and so is one whose key is empty.
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { AppConfig, type ChannelConfig, channelKeysOf } from "../config/Config.ts"
import { channelTerms } from "../domain/ChannelTerms.ts"
import { recordsetOf } from "../postgres/Rows.ts"
import { disableGone, writeConfigRows } from "../settings/ConfigRows.ts"
import { termColumns } from "./ChannelColumns.ts"
import { digestOf, hintOf } from "./ChannelKeys.ts"

const recordOf = (channel: ChannelConfig) => ({
  name: channel.name,
  base_url: channel.baseUrl,
  priority: channel.priority,
  weight: channel.weight,
  ...channelTerms.toRow(channel)
})

const writeChannels = Effect.fnUntraced(
  function*(sql: SqlClient.SqlClient, channels: ReadonlyArray<ChannelConfig>) {
    const inFile = recordsetOf(channels.map(recordOf))
    const keyless = recordsetOf(
      channels.filter((channel) => channelKeysOf(channel).length === 0).map(({ name }) => ({ name }))
    )
    const written = yield* sql`
      INSERT INTO channels AS c (name, base_url, priority, weight, ${termColumns(sql)}, declared, disabled_at)
        SELECT d.name, d.base_url, d.priority, d.weight, ${termColumns(sql, "d")}, true,
            CASE WHEN d.name IN (SELECT k.name FROM jsonb_to_recordset(${keyless}::jsonb) AS k (name text))
              THEN now() END
          FROM jsonb_populate_recordset(NULL::channels, ${inFile}::jsonb) AS d
        ON CONFLICT (name) DO UPDATE SET (base_url, priority, weight, ${termColumns(sql)}) =
              ROW (excluded.base_url, excluded.priority, excluded.weight, ${termColumns(sql, "excluded")}),
            declared = true, updated_at = now(),
            disabled_at = CASE WHEN excluded.disabled_at IS NOT NULL THEN coalesce(c.disabled_at, now()) END
          WHERE (c.base_url, c.priority, c.weight, ${termColumns(sql, "c")}, c.declared, c.disabled_at IS NULL)
            IS DISTINCT FROM (excluded.base_url, excluded.priority, excluded.weight, ${termColumns(sql, "excluded")},
              true, excluded.disabled_at IS NULL)
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

/**
 * A config-managed channel has the keys of the file, no others, and none of them sealed. A key that stays in the file keeps what is held
 * against it.
 */
const writeKeys = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, channels: ReadonlyArray<ChannelConfig>) {
  const names = recordsetOf(channels.map(({ name }) => ({ name })))
  const keys = recordsetOf(
    channels.flatMap((channel) =>
      channelKeysOf(channel).map((key) => ({
        name: channel.name,
        digest: digestOf(key).toString("hex"),
        hint: hintOf(key)
      }))
    )
  )
  const removed = yield* sql`
    DELETE FROM channel_keys k USING channels c
      WHERE k.channel_id = c.id
        AND c.name IN (SELECT d.name FROM jsonb_to_recordset(${names}::jsonb) AS d (name text))
        AND (c.name, encode(k.digest, 'hex')) NOT IN (
          SELECT d.name, d.digest FROM jsonb_to_recordset(${keys}::jsonb) AS d (name text, digest text))
      RETURNING k.id`
  const written = yield* sql`
    INSERT INTO channel_keys AS k (channel_id, digest, hint)
      SELECT c.id, decode(d.digest, 'hex'), d.hint
        FROM ROWS FROM (jsonb_to_recordset(${keys}::jsonb) AS (name text, digest text, hint text))
          WITH ORDINALITY AS d (name, digest, hint, at)
        JOIN channels c ON c.name = d.name ORDER BY d.at
      ON CONFLICT (channel_id, digest) DO UPDATE SET key_sealed = NULL, key_id = NULL WHERE k.key_sealed IS NOT NULL
      RETURNING k.id`
  return removed.length + written.length
})

/** Makes the tables say what the file says, and tells the other processes if that changed anything. */
export const writeConfigChannels = Effect.gen(function*() {
  const { channels } = yield* AppConfig
  yield* writeConfigRows("channels", (sql): Effect.Effect<number, SqlError.SqlError> =>
    Effect.gen(function*() {
      const changed = yield* writeChannels(sql, channels)
      return changed + (yield* writeServed(sql, channels)) + (yield* writeKeys(sql, channels))
    }))
})
