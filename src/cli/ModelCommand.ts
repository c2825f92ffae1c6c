/** `realms model list`: what is sold, at which prices, and by which channels it is served. */
import { Effect, type Layer } from "effect"
import { type AdminModel, ModelAdmin } from "../catalog/ModelAdmin.ts"
import { listCommand } from "./ListCommand.ts"
import { counted, dollars, type Printable, table } from "./Output.ts"

/** Models that are listed, at most. */
const MODELS_LISTED_MAX = 10_000

const modelFields = ({ channels, declared, disabledAt, id, terms }: AdminModel): Printable => ({
  id,
  channels,
  declared,
  disabled_at: disabledAt,
  input_micros_per_1m: terms.price.inputMicrosPer1m,
  cached_input_micros_per_1m: terms.price.cachedInputMicrosPer1m,
  cache_write_micros_per_1m: terms.price.cacheWriteMicrosPer1m,
  output_micros_per_1m: terms.price.outputMicrosPer1m,
  context_tokens: terms.contextTokens,
  max_output_tokens: terms.maxOutputTokens
})

const stateOf = ({ channels, disabledAt }: AdminModel): string => {
  if (disabledAt !== null) return "disabled"
  return channels.length === 0 ? "no channel" : channels.join(", ")
}

/** Prices are USD for 1M tokens. */
const describeModels = (models: ReadonlyArray<AdminModel>): string =>
  models.length === 0
    ? "there are no models yet: add them in the console, at /admin/models, or in config.yaml"
    : [
      table(
        ["MODEL", "INPUT/1M", "CACHED/1M", "OUTPUT/1M", "SERVED BY"],
        models.map((model) => [
          model.id,
          dollars(model.terms.price.inputMicrosPer1m),
          dollars(model.terms.price.cachedInputMicrosPer1m),
          dollars(model.terms.price.outputMicrosPer1m),
          stateOf(model)
        ])
      ),
      counted(models.length, "model")
    ].join("\n")

export const modelCommand = <E, R>(services: Layer.Layer<ModelAdmin, E, R>) =>
  listCommand({
    name: "model",
    description: "List models with their prices and the channels that serve them",
    listed: Effect.flatMap(ModelAdmin, ({ list }) => list({ limit: MODELS_LISTED_MAX })),
    fields: modelFields,
    describe: describeModels,
    services
  })
