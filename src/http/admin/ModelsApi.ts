/**
 * `/api/admin/models`: models and their prices. A change names the revision that it was made on.
 */
import { Schema, Struct } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { modelTerms } from "../../domain/ModelTerms.ts"
import { Json } from "../../domain/Row.ts"
import { ApiNotFound, changeErrors, editErrors } from "./ApiError.ts"
import { created, documented, itemsOf, limitQuery } from "./ApiSchema.ts"
import { describedTerms } from "./TermsApi.ts"

const TEXT_LENGTH_MAX = 200

const prices = {
  inputMicrosPer1m: AmountJson,
  cachedInputMicrosPer1m: AmountJson,
  cacheWriteMicrosPer1m: Schema.NullOr(AmountJson),
  outputMicrosPer1m: AmountJson
}

/** Where prices can be left out, the cached input costs what input costs, and cache writes are not priced apart. */
const newPrices = {
  ...prices,
  cachedInputMicrosPer1m: Schema.optionalKey(Schema.NullOr(AmountJson)),
  cacheWriteMicrosPer1m: Schema.optionalKey(Schema.NullOr(AmountJson))
}

const NewPriceTier = Json({ aboveInputTokens: Schema.Number, ...newPrices }).pipe(
  documented("NewPriceTier", {
    description:
      "Prices of calls with more than `above_input_tokens` input tokens in all, cached and written ones included."
  })
)

const PriceTier = Json({ aboveInputTokens: Schema.Number, ...prices }).pipe(documented("PriceTier"))

const toolPrices = { webSearchMicros: Schema.NullOr(AmountJson), fileSearchMicros: Schema.NullOr(AmountJson) }

const terms = describedTerms(modelTerms)

const newTerms = {
  ...newPrices,
  priceTiers: Schema.optionalKey(Schema.Array(NewPriceTier)),
  ...Struct.map({ ...toolPrices, ...terms }, Schema.optionalKey)
}

const shownTerms = {
  ...prices,
  /** Ascending; empty: one price for every length. */
  priceTiers: Schema.Array(PriceTier),
  /** Of one call of a tool that the upstream runs; null: it is not priced. */
  ...toolPrices,
  ...terms
}

const keys = modelTerms.columns

export const ApiModelTerms = Json(shownTerms, keys).pipe(documented("ModelTerms"))

const Model = Json({
  id: Schema.String,
  ...shownTerms,
  declared: Schema.Boolean,
  disabledAt: Schema.NullOr(MomentJson),
  revision: IdJson,
  channels: Schema.Array(Schema.String),
  createdAt: MomentJson,
  updatedAt: MomentJson
}, keys).pipe(documented("Model"))

const NewModel = Json({ id: Schema.String, ...newTerms }, keys).pipe(
  documented("NewModel", {
    description:
      "Without it, `cached_input_micros_per_1m` is the input price. Other terms that are left out have their defaults."
  })
)

const ModelEdit = Json({ revision: IdJson, ...newTerms }, keys).pipe(
  documented("ModelEdit", {
    description:
      "The four prices as they are to be: without it, `cached_input_micros_per_1m` is the input price, and without it, " +
      "`cache_write_micros_per_1m` is null. Other terms that are left out stay as they are."
  })
)

export const ApiRevision = Schema.Struct({ revision: IdJson }).pipe(documented("Revision"))

const params = { id: Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX)) }

/** What lists of models and plans are narrowed by. */
export const stateQuery = { state: Schema.optionalKey(Schema.Literals(["enabled", "disabled"])) }

export const textQuery = { q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX))) }

const { get, post, put } = HttpApiEndpoint

export class ModelsApi extends HttpApiGroup.make("models").add(
  get("listModels", "/models", {
    query: {
      ...textQuery,
      ...stateQuery,
      ...limitQuery,
      after: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX)))
    },
    success: itemsOf(Model)
  }),
  get("getModel", "/models/:id", { params, success: Model, error: ApiNotFound }),
  post("createModel", "/models", { payload: NewModel, success: Model.pipe(created), error: editErrors }),
  put("editModel", "/models/:id", { params, payload: ModelEdit, success: Model, error: editErrors }),
  post("disableModel", "/models/:id/disable", { params, payload: ApiRevision, success: Model, error: changeErrors }),
  post("enableModel", "/models/:id/enable", { params, payload: ApiRevision, success: Model, error: changeErrors })
).annotateMerge(OpenApi.annotations({
  title: "Models",
  description:
    "Models and their prices. Those that are declared in config.yaml are read-only. A change names the revision that it was made on; of another revision it is refused as a conflict."
})) {}
