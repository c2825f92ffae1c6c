/**
 * The folder's layer: models and prices. The declared ones are written before anything reads.
 */
import { Layer } from "effect"
import { Catalog } from "./Catalog.ts"
import { declareModels } from "./Declared.ts"
import { ModelAdmin } from "./ModelAdmin.ts"
import { PriceImports } from "./PriceImports.ts"

export const CatalogLayer = Layer.mergeAll(Catalog.layer, ModelAdmin.layer, PriceImports.layer).pipe(
  Layer.provideMerge(Layer.effectDiscard(declareModels))
)
