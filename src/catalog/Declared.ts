/**
 * Writes the models of the configuration to their table at the start. A row that is as declared is left alone; one that
 * was declared earlier and is gone from the file is disabled, because calls refer to it.
 */
import { Effect } from "effect"
import { AppConfig, type ModelConfig } from "../platform/Config.ts"
import { recordsetOf, writeDeclared } from "../settings/DeclaredRows.ts"

const recordOf = (model: ModelConfig) => ({
  id: model.id,
  input: model.inputMicrosPer1m,
  cached: model.cachedInputMicrosPer1m,
  write: model.cacheWriteMicrosPer1m,
  output: model.outputMicrosPer1m,
  max_output: model.maxOutputTokens,
  reasoning: model.reasoning
})

/** Makes the table say what the file says, and tells the other processes if that changed anything. */
export const declareModels = Effect.gen(function*() {
  const { models } = yield* AppConfig
  const declared = recordsetOf(models.map(recordOf))
  yield* writeDeclared("catalog", (sql) =>
    Effect.gen(function*() {
      const written = yield* sql`
        INSERT INTO models AS m (id, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m,
            output_micros_per_1m, max_output_tokens, reasoning, declared)
          SELECT d.id, d.input, d.cached, d.write, d.output, d.max_output, d.reasoning, true
            FROM jsonb_to_recordset(${declared}::jsonb) AS d (id text, input bigint, cached bigint, write bigint,
              output bigint, max_output bigint, reasoning boolean)
          ON CONFLICT (id) DO UPDATE SET input_micros_per_1m = excluded.input_micros_per_1m,
              cached_input_micros_per_1m = excluded.cached_input_micros_per_1m,
              cache_write_micros_per_1m = excluded.cache_write_micros_per_1m,
              output_micros_per_1m = excluded.output_micros_per_1m, max_output_tokens = excluded.max_output_tokens,
              reasoning = excluded.reasoning, declared = true, disabled_at = NULL, updated_at = now()
            WHERE (m.input_micros_per_1m, m.cached_input_micros_per_1m, m.cache_write_micros_per_1m,
                m.output_micros_per_1m, m.max_output_tokens, m.reasoning, m.declared, m.disabled_at)
              IS DISTINCT FROM (excluded.input_micros_per_1m, excluded.cached_input_micros_per_1m,
                excluded.cache_write_micros_per_1m, excluded.output_micros_per_1m, excluded.max_output_tokens,
                excluded.reasoning, true, NULL::timestamptz)
          RETURNING m.id`
      const disabled = yield* sql`
        UPDATE models SET disabled_at = now(), updated_at = now()
          WHERE declared AND disabled_at IS NULL
            AND id NOT IN (SELECT d.id FROM jsonb_to_recordset(${declared}::jsonb) AS d (id text))
          RETURNING id`
      return written.length + disabled.length
    }))
})
