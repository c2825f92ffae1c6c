/**
 * The models that can be called, as `/v1/models` lists them: those of the catalog that an enabled channel serves.
 */
import { Context, Effect, Layer } from "effect"
import type { Catalog, Model } from "../../catalog/Catalog.ts"
import type { Channels } from "../../channels/Channels.ts"
import { isFree } from "../../domain/Price.ts"
import { type CallRefused, unavailable } from "../../gateway/CallError.ts"
import { servedModels } from "../ServedModels.ts"

/** In OpenAI's shape, with what clients like to know of lengths. */
export interface ListedModel {
  readonly id: string
  readonly object: "model"
  /** Seconds since the epoch. */
  readonly created: number
  readonly owned_by: string
  readonly context_length: number | null
  readonly max_output_tokens: number
}

export class ModelList extends Context.Service<ModelList, {
  readonly list: Effect.Effect<ReadonlyArray<ListedModel>, CallRefused>
  /** Whether any of them costs nothing, so that users without funds have something to call. */
  readonly hasFree: Effect.Effect<boolean, CallRefused>
}>()("realms/http/v1/ModelList") {
  static readonly layer = Layer.effect(ModelList)(Effect.gen(function*() {
    const context = yield* Effect.context<Catalog | Channels>()
    const served = servedModels.pipe(
      Effect.provideContext(context),
      Effect.mapError(() => unavailable("The catalog is unavailable at this moment. Please try again shortly."))
    )
    return ModelList.of({
      list: Effect.map(served, (models) => models.map(listed)),
      hasFree: Effect.map(served, (models) => models.some(({ price }) => isFree(price)))
    })
  }))
}

const listed = (model: Model): ListedModel => ({
  id: model.id,
  object: "model",
  created: Math.floor(model.createdAtMs / 1_000),
  owned_by: "realms",
  context_length: model.contextTokens,
  max_output_tokens: model.maxOutputTokens
})
