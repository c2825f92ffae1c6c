/**
 * The rows of channels as the administration reads and writes them. Each write is one statement or part of a transaction of
 * `ChannelAdmin`; none is of a declared row.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { channelTerms } from "../domain/ChannelTerms.ts"
import { ChannelId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { countOf, oneRowOf, recordsetOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { termColumns, termFields } from "./ChannelColumns.ts"
import { ChannelConfigManaged, ChannelNotFound } from "./ChannelError.ts"
import type { ChannelInput } from "./ChannelInput.ts"
import { StoredReason } from "./FailureReason.ts"

/** What a test of one of its models came to. */
const StoredTest = Schema.Struct({
  model: Schema.String,
  testedAt: Schema.DateFromString,
  reason: Schema.NullOr(StoredReason),
  status: Schema.NullOr(Schema.Number),
  latencyMs: Schema.Number
})

export const StoredChannel = Row({
  ...termFields,
  id: ChannelId,
  name: Schema.String,
  declared: Schema.Boolean,
  revision: Schema.BigInt,
  baseUrl: Schema.String,
  priority: Schema.Number,
  weight: Schema.Number,
  disabledAt: Schema.NullOr(Schema.Date),
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  /** Our model ids to the upstream's. */
  models: Schema.Record(Schema.String, Schema.String),
  /** Ids of the models of which it was seen to hide output. */
  hiddenOutput: Schema.Array(Schema.String),
  successAt: Schema.NullOr(Schema.Date),
  failureAt: Schema.NullOr(Schema.Date),
  failureReason: Schema.NullOr(StoredReason),
  failureStatus: Schema.NullOr(Schema.Number),
  tests: Schema.Array(StoredTest)
})
export type StoredChannel = typeof StoredChannel.Type

const KnownModel = Row({ id: Schema.String })

const ModelReasoning = Row({ reasoning: Schema.Boolean })

const NextChannel = Row({ id: ChannelId })

/** Rows read at once, at most. There are never so many, see `CHANNELS_MAX`, unless a file declares them. */
const ROWS_MAX = 2_000

const columns = (sql: SqlClient.SqlClient) =>
  sql`c.id, c.revision, c.name, c.base_url, c.priority, c.weight, ${termColumns(sql, "c")},
    c.declared, c.disabled_at, c.created_at, c.updated_at,
    coalesce((SELECT jsonb_object_agg(s.model_id, s.upstream_model) FROM channel_models s WHERE s.channel_id = c.id),
      '{}'::jsonb) AS models,
    ARRAY(SELECT s.model_id FROM channel_models s
      WHERE s.channel_id = c.id AND s.hidden_output_at IS NOT NULL ORDER BY s.model_id) AS hidden_output,
    h.success_at, h.failure_at, h.failure_reason, h.failure_status,
    coalesce((SELECT jsonb_agg(jsonb_build_object('model', t.model_id, 'testedAt', t.tested_at, 'reason', t.reason,
        'status', t.status, 'latencyMs', t.latency_ms) ORDER BY t.model_id)
      FROM channel_tests t JOIN channel_models s USING (channel_id, model_id) WHERE t.channel_id = c.id), '[]'::jsonb) AS tests`

const tables = (sql: SqlClient.SqlClient) => sql`channels c LEFT JOIN channel_health h ON h.channel_id = c.id`

/** In the order in which they are tried, those that are disabled last. */
export const listChannels = (sql: SqlClient.SqlClient) =>
  rowsOf(
    StoredChannel,
    sql`SELECT ${columns(sql)} FROM ${tables(sql)}
    ORDER BY c.disabled_at IS NOT NULL, c.priority DESC, c.name LIMIT ${ROWS_MAX}`
  )

export const findChannel = (sql: SqlClient.SqlClient, id: ChannelId) =>
  rowOf(StoredChannel, sql`SELECT ${columns(sql)} FROM ${tables(sql)} WHERE c.id = ${id}`)

/** The same, kept from others until the transaction ends. */
export const lockChannel = (sql: SqlClient.SqlClient, id: ChannelId) =>
  rowOf(StoredChannel, sql`SELECT ${columns(sql)} FROM ${tables(sql)} WHERE c.id = ${id} FOR UPDATE OF c`)

export const foundChannel = (id: ChannelId, row: StoredChannel | undefined) =>
  row === undefined ? Effect.fail(new ChannelNotFound({ channelId: id })) : Effect.succeed(row)

/** The row, locked, of a channel that may be changed here. */
export const ownChannel = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, id: ChannelId) {
  const row = yield* foundChannel(id, yield* lockChannel(sql, id))
  return row.declared ? yield* new ChannelConfigManaged({ channelId: id }) : row
})

/** Of an advisory lock under which channels are made one after the other, and so counted. */
const MAKE_LOCK = 7_304_160_529n

/** How many there are, until the transaction ends. */
export const countChannels = (sql: SqlClient.SqlClient) =>
  Effect.andThen(
    sql`SELECT pg_advisory_xact_lock(${MAKE_LOCK})`,
    countOf(sql`SELECT count(*) FROM channels`)
  )

export const knownModels = (sql: SqlClient.SqlClient) =>
  Effect.map(
    rowsOf(KnownModel, sql`SELECT id FROM models ORDER BY id`),
    (models) => models.map(({ id }) => id)
  )

/** False too for a model that is not known. */
export const isReasoning = (sql: SqlClient.SqlClient, model: string) =>
  Effect.map(
    rowOf(ModelReasoning, sql`SELECT reasoning FROM models WHERE id = ${model}`),
    (found) => found?.reasoning ?? false
  )

/** The id of a channel that is to be made: its keys are written for it. */
export const nextId = (sql: SqlClient.SqlClient) =>
  Effect.map(
    oneRowOf(NextChannel, sql`SELECT nextval(pg_get_serial_sequence('channels', 'id')) AS id`),
    ({ id }) => id
  )

/** A model that stays keeps what was seen of it, unless the upstream calls it otherwise now: then it is another. */
const writeServed = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  id: ChannelId,
  models: Readonly<Record<string, string>>
) {
  const served = recordsetOf(Object.entries(models).map(([model, upstream]) => ({ model, upstream })))
  yield* sql`DELETE FROM channel_models WHERE channel_id = ${id}
    AND model_id NOT IN (SELECT d.model FROM jsonb_to_recordset(${served}::jsonb) AS d (model text))`
  yield* sql`INSERT INTO channel_models AS s (channel_id, model_id, upstream_model)
    SELECT ${id}, d.model, d.upstream FROM jsonb_to_recordset(${served}::jsonb) AS d (model text, upstream text)
    ON CONFLICT (channel_id, model_id) DO UPDATE SET upstream_model = excluded.upstream_model, hidden_output_at = NULL
      WHERE s.upstream_model <> excluded.upstream_model`
})

/** Writes a channel by this statement, and what it serves. */
const writing = (
  statement: (
    sql: SqlClient.SqlClient,
    id: ChannelId,
    input: ChannelInput
  ) => Effect.Effect<unknown, SqlError.SqlError>
) =>
(sql: SqlClient.SqlClient, id: ChannelId, input: ChannelInput): Effect.Effect<void, SqlError.SqlError> =>
  Effect.andThen(statement(sql, id, input), writeServed(sql, id, input.models))

export const insertChannel = writing((sql, id, input) =>
  sql`INSERT INTO channels (id, name, base_url, priority, weight, ${termColumns(sql)})
      OVERRIDING SYSTEM VALUE
      SELECT ${id}::bigint, ${input.name}::text, ${input.baseUrl}::text, ${input.priority}::integer, ${input.weight}::integer, ${
    termColumns(sql, "d")
  }
        FROM jsonb_populate_record(NULL::channels, ${recordsetOf(channelTerms.toRow(input))}::jsonb) AS d`
)

export const updateChannel = writing((sql, id, input) =>
  sql`UPDATE channels SET name = ${input.name}, base_url = ${input.baseUrl}, priority = ${input.priority},
        weight = ${input.weight}, updated_at = now(), (${termColumns(sql)}) = (
          SELECT ${termColumns(sql, "d")}
            FROM jsonb_populate_record(NULL::channels, ${recordsetOf(channelTerms.toRow(input))}::jsonb) AS d)
      WHERE id = ${id}`
)

/** Answers whether that changed anything. */
export const writeHiddenOutput = (sql: SqlClient.SqlClient, id: ChannelId, model: string, hidden: boolean) =>
  Effect.map(
    sql`UPDATE channel_models SET hidden_output_at = CASE WHEN ${hidden}::boolean THEN now() END
      WHERE channel_id = ${id} AND model_id = ${model} AND (hidden_output_at IS NOT NULL) <> ${hidden}::boolean
      RETURNING model_id`,
    (rows) => rows.length > 0
  )

export const switchChannel = (sql: SqlClient.SqlClient, id: ChannelId, disabled: boolean) =>
  sql`UPDATE channels SET disabled_at = CASE WHEN ${disabled}::boolean THEN now() END, updated_at = now() WHERE id = ${id}`
