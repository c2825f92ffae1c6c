/**
 * The rows of channels' keys. What is held against a key is written by one statement each, so that a key that is removed meanwhile
 * changes nothing.
 * @internal
 */
import { Effect, type Redacted, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import { Count, Row } from "../domain/Row.ts"
import type { Sealed } from "../platform/SecretBox.ts"
import { oneRowOf, rowsOf } from "../postgres/Rows.ts"
import { digestOf, hintOf, StoredKey } from "./ChannelKeys.ts"
import { OutReason } from "./FailureReason.ts"

/** Keys read at once, at most: those of as many channels as there can be. */
const ROWS_MAX = 25_000

const columns = (sql: SqlClient.SqlClient) =>
  sql`k.id, k.channel_id, k.digest, k.hint, k.key_sealed, k.key_id, k.cooling_until, k.out_reason, k.out_status, k.out_at,
    k.probe_at, k.balance, k.balance_currency, k.balance_problem, k.balance_at, k.created_at`

const byChannel = (keys: ReadonlyArray<StoredKey>): ReadonlyMap<ChannelId, ReadonlyArray<StoredKey>> =>
  Map.groupBy(keys, ({ channelId }) => channelId)

/** Of all channels, by channel, the oldest first. */
export const allKeys = (sql: SqlClient.SqlClient) =>
  Effect.map(
    rowsOf(StoredKey, sql`SELECT ${columns(sql)} FROM channel_keys k ORDER BY k.id LIMIT ${ROWS_MAX}`),
    byChannel
  )

/** Of one channel, the oldest first. */
export const keysOf = (sql: SqlClient.SqlClient, id: ChannelId) =>
  rowsOf(StoredKey, sql`SELECT ${columns(sql)} FROM channel_keys k WHERE k.channel_id = ${id} ORDER BY k.id`)

const NextKey = Row({ id: ChannelKeyId })

/** The id of a key that is to be added: it is sealed for it. */
export const nextKeyId = (sql: SqlClient.SqlClient) =>
  Effect.map(
    oneRowOf(NextKey, sql`SELECT nextval(pg_get_serial_sequence('channel_keys', 'id')) AS id`),
    ({ id }) => id
  )

/** Adding a key that the channel has changes nothing. Answers whether it is new. */
export const insertKey = (
  sql: SqlClient.SqlClient,
  key: {
    readonly id: ChannelKeyId
    readonly channelId: ChannelId
    readonly secret: Redacted.Redacted<string>
    readonly sealed: Sealed
  }
) =>
  Effect.map(
    sql`INSERT INTO channel_keys (id, channel_id, digest, hint, key_sealed, key_id) OVERRIDING SYSTEM VALUE
      VALUES (${key.id}, ${key.channelId}, ${digestOf(key.secret)}, ${hintOf(key.secret)}, ${key.sealed.bytes},
        ${key.sealed.keyId})
      ON CONFLICT (channel_id, digest) DO NOTHING RETURNING id`,
    ({ length }) => length > 0
  )

export const deleteKey = (sql: SqlClient.SqlClient, id: ChannelKeyId) => sql`DELETE FROM channel_keys WHERE id = ${id}`

/** The upstream asked to wait until then. A key never waits for less than was asked for before. */
export const coolKey = (sql: SqlClient.SqlClient, id: ChannelKeyId, until: Date) =>
  sql`UPDATE channel_keys SET cooling_until = ${until}
    WHERE id = ${id} AND (cooling_until IS NULL OR cooling_until < ${until}) RETURNING id`

/** How long after the first failed probe the next one follows, and at most; each doubles it. */
export const PROBE_SECONDS_MIN = 60
export const PROBE_SECONDS_MAX = 3_600

const WrittenKey = Row({ channelId: ChannelId, hint: Schema.String, isNew: Schema.Boolean }, { isNew: "is_new" })

/** Takes a key out of use, or says that it stays out after another probe: then the next one waits longer. */
export const takeOut = (
  sql: SqlClient.SqlClient,
  id: ChannelKeyId,
  why: { readonly reason: OutReason; readonly status: number | null }
) =>
  Effect.map(
    rowsOf(
      WrittenKey,
      sql`UPDATE channel_keys k SET out_reason = ${why.reason}, out_status = ${why.status},
          out_at = coalesce(k.out_at, now()), probes = CASE WHEN k.out_at IS NULL THEN 0 ELSE k.probes + 1 END,
          probe_at = now() + make_interval(secs => least(${PROBE_SECONDS_MIN}::double precision * power(2,
            CASE WHEN k.out_at IS NULL THEN 0 ELSE least(k.probes + 1, 30) END), ${PROBE_SECONDS_MAX}))
        FROM channel_keys b WHERE k.id = ${id} AND b.id = k.id
        RETURNING k.channel_id, k.hint, b.out_at IS NULL AS is_new`
    ),
    ([row]) => row
  )

/** The key works: nothing is held against it. Answers the key where something was. */
export const putBack = (sql: SqlClient.SqlClient, id: ChannelKeyId) =>
  Effect.map(
    rowsOf(
      WrittenKey,
      sql`UPDATE channel_keys SET out_reason = NULL, out_status = NULL, out_at = NULL, probe_at = NULL, probes = 0,
          cooling_until = NULL
        WHERE id = ${id} AND (out_at IS NOT NULL OR cooling_until IS NOT NULL)
        RETURNING channel_id, hint, true AS is_new`
    ),
    ([row]) => row
  )

export const OutKeyRow = Row({
  id: ChannelKeyId,
  channelId: ChannelId,
  channel: Schema.String,
  hint: Schema.String,
  reason: OutReason,
  status: Schema.NullOr(Schema.Number),
  at: Schema.Date,
  probeAt: Schema.Date,
  usable: Count
}, { reason: "out_reason", status: "out_status", at: "out_at" })

/** Keys that are out of use, of enabled channels or of one, the newest first. */
export const outKeys = (sql: SqlClient.SqlClient, limit: number, of: ChannelId | null) =>
  rowsOf(
    OutKeyRow,
    sql`SELECT k.id, k.channel_id, c.name AS channel, k.hint, k.out_reason, k.out_status, k.out_at, k.probe_at,
        (SELECT count(*) FROM channel_keys o WHERE o.channel_id = k.channel_id AND o.out_at IS NULL) AS usable
      FROM channel_keys k JOIN channels c ON c.id = k.channel_id
      WHERE k.out_at IS NOT NULL
        AND CASE WHEN ${of}::bigint IS NULL THEN c.disabled_at IS NULL ELSE c.id = ${of}::bigint END
      ORDER BY k.out_at DESC, k.id LIMIT ${limit}`
  )

const DueKey = Row({ id: ChannelKeyId, channelId: ChannelId })
export type DueKey = typeof DueKey.Type

/** Keys that are to be probed now, which nobody else probes for a while: `limit` of them at most, of enabled channels. */
export const claimProbes = (sql: SqlClient.SqlClient, limit: number) =>
  rowsOf(
    DueKey,
    sql`UPDATE channel_keys k SET probe_at = now() + make_interval(secs => ${PROBE_SECONDS_MIN})
      WHERE k.id IN (SELECT d.id FROM channel_keys d JOIN channels c ON c.id = d.channel_id
        WHERE d.probe_at <= now() AND c.disabled_at IS NULL ORDER BY d.probe_at LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED)
      RETURNING k.id, k.channel_id`
  )
