/**
 * Writes the models of the configuration to their table at the start. A row that is as declared is left alone; one that
 * was declared earlier and is gone from the file is disabled, because calls refer to it.
 */
import { Effect } from "effect"
import { AppConfig, type ModelConfig } from "../config/Config.ts"
import { recordsetOf } from "../postgres/Rows.ts"
import { writeConfigRows } from "../settings/ConfigRows.ts"
import { columnsOf, termColumns } from "./ModelColumns.ts"

const rowOf = (model: ModelConfig) => ({ id: model.id, ...columnsOf(model) })

/** Makes the table say what the file says, and tells the other processes if that changed anything. */
export const declareModels = Effect.gen(function*() {
  const { models } = yield* AppConfig
  const declared = recordsetOf(models.map(rowOf))
  yield* writeConfigRows("catalog", (sql) =>
    Effect.gen(function*() {
      const written = yield* sql`
        INSERT INTO models AS m (id, ${termColumns(sql)}, declared)
          SELECT d.id, ${
        termColumns(sql, "d")
      }, true FROM jsonb_populate_recordset(NULL::models, ${declared}::jsonb) AS d
          ON CONFLICT (id) DO UPDATE SET (${termColumns(sql)}) = ROW (${termColumns(sql, "excluded")}), declared = true,
              disabled_at = NULL, updated_at = now()
            WHERE (${termColumns(sql, "m")}, m.declared, m.disabled_at)
              IS DISTINCT FROM (${termColumns(sql, "excluded")}, true, NULL::timestamptz)
          RETURNING m.id`
      const disabled = yield* sql`
        UPDATE models SET disabled_at = now(), updated_at = now()
          WHERE declared AND disabled_at IS NULL
            AND id NOT IN (SELECT d.id FROM jsonb_to_recordset(${declared}::jsonb) AS d (id text))
          RETURNING id`
      return written.length + disabled.length
    }))
})
