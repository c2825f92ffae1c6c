/**
 * The rows of models as administrators see them, and the two ways in which they are written here, each with its entry in the
 * record of changes.
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { factsOf, type ModelTerms } from "./ModelTerms.ts"

/** A model with everything there is to know of it. */
export interface AdminModel {
  readonly id: string
  readonly terms: ModelTerms
  /** It stands in config.yaml and is changed there. One that is gone from the file is nobody's, and can be taken over. */
  readonly declared: boolean
  readonly disabledAt: Date | null
  /** Counts the changes of the row. */
  readonly revision: bigint
  readonly createdAt: Date
  readonly updatedAt: Date
  /** The names of enabled channels that serve it. */
  readonly channels: ReadonlyArray<string>
}

export interface ModelRow {
  readonly id: string
  readonly input_micros_per_1m: bigint
  readonly cached_input_micros_per_1m: bigint
  readonly cache_write_micros_per_1m: bigint | null
  readonly output_micros_per_1m: bigint
  readonly max_output_tokens: bigint
  readonly reasoning: boolean
  readonly read_only: boolean
  readonly disabled_at: Date | null
  readonly revision: bigint
  readonly created_at: Date
  readonly updated_at: Date
  readonly channels: ReadonlyArray<string>
}

/** A declared row is disabled only by its absence from the file. */
export const modelColumns = (sql: SqlClient.SqlClient) =>
  sql`m.id, m.input_micros_per_1m, m.cached_input_micros_per_1m, m.cache_write_micros_per_1m, m.output_micros_per_1m,
    m.max_output_tokens, m.reasoning, m.declared AND m.disabled_at IS NULL AS read_only, m.disabled_at, m.revision,
    m.created_at, m.updated_at,
    ARRAY(SELECT c.name FROM channel_models s JOIN channels c ON c.id = s.channel_id
      WHERE s.model_id = m.id AND c.disabled_at IS NULL ORDER BY c.priority DESC, c.name) AS channels`

export const toAdminModel = (row: ModelRow): AdminModel => ({
  id: row.id,
  terms: {
    price: {
      inputMicrosPer1m: row.input_micros_per_1m,
      cachedInputMicrosPer1m: row.cached_input_micros_per_1m,
      cacheWriteMicrosPer1m: row.cache_write_micros_per_1m,
      outputMicrosPer1m: row.output_micros_per_1m
    },
    maxOutputTokens: Number(row.max_output_tokens),
    reasoning: row.reasoning
  },
  declared: row.read_only,
  disabledAt: row.disabled_at,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  channels: row.channels
})

/** Rows locked until the transaction under way ends, always in the order of their ids. */
export const lockModels = (
  sql: SqlClient.SqlClient,
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, AdminModel>, SqlError.SqlError> =>
  Effect.map(
    sql<ModelRow>`SELECT ${modelColumns(sql)} FROM models m
      WHERE m.id IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)) ORDER BY m.id FOR UPDATE OF m`,
    (rows) => new Map(rows.map((row) => [row.id, toAdminModel(row)]))
  )

/** Answers false, with nothing written, when there is one of this id already. `more` is said in the record of changes. */
export const insertModel = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  id: string,
  terms: ModelTerms,
  more: AuditFacts = {}
) {
  const { maxOutputTokens, price, reasoning } = terms
  const written = yield* sql`INSERT INTO models (id, input_micros_per_1m, cached_input_micros_per_1m,
      cache_write_micros_per_1m, output_micros_per_1m, max_output_tokens, reasoning)
    VALUES (${id}, ${price.inputMicrosPer1m}, ${price.cachedInputMicrosPer1m}, ${price.cacheWriteMicrosPer1m}::bigint,
      ${price.outputMicrosPer1m}, ${BigInt(maxOutputTokens)}, ${reasoning})
    ON CONFLICT (id) DO NOTHING RETURNING id`
  if (written.length === 0) return false
  const after = { ...factsOf(terms), ...more }
  yield* recordChange(sql, actor, { action: "model.created", target: `model:${id}`, before: null, after })
  return true
})

/** Writes the terms of a locked row; one that has them already is left alone. */
export const updateModel = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  model: AdminModel,
  terms: ModelTerms,
  more: AuditFacts = {}
) {
  const { after, before } = changesBetween(factsOf(model.terms), factsOf(terms))
  if (Object.keys(after).length === 0) return false
  const { maxOutputTokens, price, reasoning } = terms
  yield* sql`UPDATE models SET input_micros_per_1m = ${price.inputMicrosPer1m},
      cached_input_micros_per_1m = ${price.cachedInputMicrosPer1m},
      cache_write_micros_per_1m = ${price.cacheWriteMicrosPer1m}::bigint,
      output_micros_per_1m = ${price.outputMicrosPer1m}, max_output_tokens = ${BigInt(maxOutputTokens)},
      reasoning = ${reasoning}, declared = false, updated_at = now()
    WHERE id = ${model.id}`
  yield* recordChange(sql, actor, {
    action: "model.changed",
    target: `model:${model.id}`,
    before,
    after: { ...after, ...more }
  })
  return true
})
