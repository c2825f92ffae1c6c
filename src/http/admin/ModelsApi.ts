/**
 * `/api/admin/models`: models and their prices. A change names the revision that it was made on.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { modelTermList } from "../../domain/ModelTermList.ts"
import { ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment, PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { optionalTermFields, termFields } from "./TermsApi.ts"

const TEXT_LENGTH_MAX = 200

/** Where prices can be left out, the cached input costs what input costs, and cache writes are not priced apart. */
const newPrices = {
  input_micros_per_1m: ApiAmount,
  cached_input_micros_per_1m: Schema.optionalKey(Schema.NullOr(ApiAmount)),
  cache_write_micros_per_1m: Schema.optionalKey(Schema.NullOr(ApiAmount)),
  output_micros_per_1m: ApiAmount
}

const NewPriceTier = Schema.Struct({ above_input_tokens: Schema.Number, ...newPrices }).annotate({
  identifier: "NewPriceTier",
  description:
    "Prices of calls with more than `above_input_tokens` input tokens in all, cached and written ones included."
})

const prices = {
  input_micros_per_1m: ApiAmount,
  cached_input_micros_per_1m: ApiAmount,
  cache_write_micros_per_1m: Schema.NullOr(ApiAmount),
  output_micros_per_1m: ApiAmount
}

const PriceTier = Schema.Struct({ above_input_tokens: Schema.Number, ...prices }).annotate({ identifier: "PriceTier" })

const newTerms = {
  ...newPrices,
  price_tiers: Schema.optionalKey(Schema.Array(NewPriceTier)),
  web_search_micros: Schema.optionalKey(Schema.NullOr(ApiAmount)),
  file_search_micros: Schema.optionalKey(Schema.NullOr(ApiAmount)),
  ...optionalTermFields(modelTermList)
}

export const ApiModelTerms = Schema.Struct({
  ...prices,
  /** Ascending; empty: one price for every length. */
  price_tiers: Schema.Array(PriceTier),
  /** Of one call of a tool that the upstream runs; null: it is not priced. */
  web_search_micros: Schema.NullOr(ApiAmount),
  file_search_micros: Schema.NullOr(ApiAmount),
  ...termFields(modelTermList)
}).annotate({ identifier: "ModelTerms" })

const Model = Schema.Struct({
  id: Schema.String,
  ...ApiModelTerms.fields,
  declared: Schema.Boolean,
  disabled_at: Schema.NullOr(ApiMoment),
  revision: ApiId,
  channels: Schema.Array(Schema.String),
  created_at: ApiMoment,
  updated_at: ApiMoment
}).annotate({ identifier: "Model" })

const NewModel = Schema.Struct({ id: Schema.String, ...newTerms }).annotate({
  identifier: "NewModel",
  description:
    "Without it, `cached_input_micros_per_1m` is the input price. Other terms that are left out have their defaults."
})

const ModelEdit = Schema.Struct({ revision: ApiId, ...newTerms }).annotate({
  identifier: "ModelEdit",
  description:
    "The four prices as they are to be: without it, `cached_input_micros_per_1m` is the input price, and without it, " +
    "`cache_write_micros_per_1m` is null. Other terms that are left out stay as they are."
})

export const ApiRevision = Schema.Struct({ revision: ApiId }).annotate({ identifier: "Revision" })

const params = { id: Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX)) }

/** What lists of models and plans are narrowed by. */
export const stateQuery = { state: Schema.optionalKey(Schema.Literals(["enabled", "disabled"])) }

export const textQuery = { q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX))) }

export const limitQuery = {
  limit: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: PAGE_ITEMS_MAX }))
  )
}

export class ModelsApi extends HttpApiGroup.make("models").add(
  HttpApiEndpoint.get("listModels", "/models", {
    query: {
      ...textQuery,
      ...stateQuery,
      ...limitQuery,
      after: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX)))
    },
    success: Schema.Struct({ items: Schema.Array(Model) }),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.get("getModel", "/models/:id", { params, success: Model, error: [ApiNotFound, ApiUnavailable] }),
  HttpApiEndpoint.post("createModel", "/models", {
    payload: NewModel,
    success: Model.pipe(HttpApiSchema.status(201)),
    error: [ApiRefused, ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.put("editModel", "/models/:id", {
    params,
    payload: ModelEdit,
    success: Model,
    error: [ApiRefused, ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("disableModel", "/models/:id/disable", {
    params,
    payload: ApiRevision,
    success: Model,
    error: [ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("enableModel", "/models/:id/enable", {
    params,
    payload: ApiRevision,
    success: Model,
    error: [ApiConflict, ApiNotFound, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({
  title: "Models",
  description:
    "Models and their prices. Those that are declared in config.yaml are read-only. A change names the revision that it was made on; of another revision it is refused as a conflict."
})) {}
