/**
 * The folder's layer: models and prices. Those of the configuration are written before anything reads.
 */
import { Layer } from "effect"
import { Catalog } from "./Catalog.ts"
import { writeConfigModels } from "./ConfigModels.ts"
import { ModelAdmin } from "./ModelAdmin.ts"
import { PriceImports } from "./PriceImports.ts"

export const CatalogLayer = Layer.mergeAll(Catalog.layer, ModelAdmin.layer, PriceImports.layer).pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigModels))
)
