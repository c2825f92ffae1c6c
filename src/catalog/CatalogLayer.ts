/**
 * The folder's layer: models, prices and groups of users. Those of the configuration are written before anything reads.
 */
import { Effect, Layer } from "effect"
import { Catalog } from "./Catalog.ts"
import { writeConfigGroups } from "./ConfigGroups.ts"
import { writeConfigModels } from "./ConfigModels.ts"
import { GroupAdmin } from "./GroupAdmin.ts"
import { ModelAdmin } from "./ModelAdmin.ts"
import { PriceImports } from "./PriceImports.ts"

export const CatalogLayer = Layer.mergeAll(Catalog.layer, GroupAdmin.layer, ModelAdmin.layer, PriceImports.layer).pipe(
  Layer.provideMerge(Layer.effectDiscard(Effect.andThen(writeConfigModels, writeConfigGroups)))
)
