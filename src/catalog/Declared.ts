/**
 * Models declared in the configuration file, written to their table at start. A row that is gone from the file is disabled.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig } from "../platform/Config.ts"
import { Notifications } from "../platform/Notifications.ts"

/** Writes the declared models; only rows that differ are touched. */
export const declareModels = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const config = yield* AppConfig
  const notifications = yield* Notifications
  yield* Effect.gen(function*() {
    for (const model of config.models) {
      yield* sql`INSERT INTO models AS m (id, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m,
          output_micros_per_1m, max_output_tokens, reasoning, declared)
        VALUES (${model.id}, ${model.inputMicrosPer1m}, ${model.cachedInputMicrosPer1m}, ${model.cacheWriteMicrosPer1m},
          ${model.outputMicrosPer1m}, ${BigInt(model.maxOutputTokens)}, ${model.reasoning}, true)
        ON CONFLICT (id) DO UPDATE SET input_micros_per_1m = excluded.input_micros_per_1m,
          cached_input_micros_per_1m = excluded.cached_input_micros_per_1m,
          cache_write_micros_per_1m = excluded.cache_write_micros_per_1m,
          output_micros_per_1m = excluded.output_micros_per_1m, max_output_tokens = excluded.max_output_tokens,
          reasoning = excluded.reasoning, declared = true, disabled_at = NULL, updated_at = now()
        WHERE (m.input_micros_per_1m, m.cached_input_micros_per_1m, m.cache_write_micros_per_1m, m.output_micros_per_1m,
            m.max_output_tokens, m.reasoning, m.declared, m.disabled_at)
          IS DISTINCT FROM (excluded.input_micros_per_1m, excluded.cached_input_micros_per_1m,
            excluded.cache_write_micros_per_1m, excluded.output_micros_per_1m, excluded.max_output_tokens,
            excluded.reasoning, true, NULL::timestamptz)`
    }
    yield* sql`UPDATE models SET disabled_at = now(), updated_at = now()
      WHERE declared AND disabled_at IS NULL
        AND NOT id = ANY (${JSON.stringify(config.models.map((model) => model.id)).replace(/^\[/, "{").replace(/\]$/, "}")}::text[])`
  }).pipe(sql.withTransaction)
  yield* notifications.publish("catalog", "models")
})
