/** Writes the models of the configuration to their table at the start. */
import { Effect } from "effect"
import { AppConfig, type ModelConfig } from "../config/Config.ts"
import { writeCatalogTable } from "../settings/ConfigRows.ts"
import { columnsOf, TermColumns } from "./ModelColumns.ts"

const rowOf = (model: ModelConfig) => ({ id: model.id, ...columnsOf(model) })

export const writeConfigModels = Effect.flatMap(
  AppConfig,
  ({ models }) =>
    writeCatalogTable({
      table: "models",
      key: "id",
      columns: Object.values(TermColumns.columns),
      rows: models.map(rowOf)
    })
)
