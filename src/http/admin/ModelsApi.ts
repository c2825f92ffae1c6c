/**
 * `/api/admin/models`: models and their prices. A change names the revision that it was made on.
 */
import { Effect, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { type AdminModel, ModelAdmin } from "../../catalog/ModelAdmin.ts"
import type { ModelRefused } from "../../catalog/ModelError.ts"
import { defaultTermsWithin, type ModelField } from "../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOOL_USD_PER_CALL_MAX } from "../../domain/Bounds.ts"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import type { PriceField } from "../../domain/ModelRules.ts"
import { type ModelTerms, modelTerms, type UnpricedTerms } from "../../domain/ModelTerms.ts"
import { type PriceTier, type ToolPrices, type UnitPrices, withExtras } from "../../domain/Price.ts"
import { Json } from "../../domain/Row.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, changeErrors, editErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, limitQuery, PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { ApiRevision, stateQuery } from "./RowsApi.ts"
import { describedTerms, rangeText } from "./TermsApi.ts"

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

const termFields = {
  ...prices,
  /** Ascending; empty: one price for every length. */
  priceTiers: Schema.Array(PriceTier),
  /** Of one call of a tool that the upstream runs; null: it is not priced. */
  ...toolPrices,
  ...terms
}

const keys = modelTerms.columns

export const ApiModelTerms = Json(termFields, keys).pipe(documented("ModelTerms"))

const Model = Json({
  id: Schema.String,
  ...termFields,
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

const params = { id: Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX)) }

export const textQuery = { q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX))) }

const { get, post, put } = HttpApiEndpoint

export class ModelsApi extends area(
  "models",
  "Models",
  "Models and their prices. Those that are declared in config.yaml are read-only. A change names the revision that it was made on; of another revision it is refused as a conflict."
).add(
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
) {}

/** Terms as the API shows them: the prices beside the others. */
export const shownTerms = ({ price: { tiers = [], tools, ...prices }, ...terms }: ModelTerms) => ({
  ...prices,
  priceTiers: tiers,
  webSearchMicros: tools?.webSearchMicros ?? null,
  fileSearchMicros: tools?.fileSearchMicros ?? null,
  ...terms
})

const shown = ({ terms, ...model }: AdminModel) => ({ ...model, ...shownTerms(terms) })

interface AskedPrices {
  readonly inputMicrosPer1m: bigint
  readonly cachedInputMicrosPer1m?: bigint | null
  readonly cacheWriteMicrosPer1m?: bigint | null
  readonly outputMicrosPer1m: bigint
}

const pricesOf = (asked: AskedPrices): UnitPrices => ({
  inputMicrosPer1m: asked.inputMicrosPer1m,
  cachedInputMicrosPer1m: asked.cachedInputMicrosPer1m ?? asked.inputMicrosPer1m,
  cacheWriteMicrosPer1m: asked.cacheWriteMicrosPer1m ?? null,
  outputMicrosPer1m: asked.outputMicrosPer1m
})

interface AskedTerms extends AskedPrices, Partial<UnpricedTerms>, Partial<ToolPrices> {
  readonly priceTiers?: ReadonlyArray<AskedPrices & Pick<PriceTier, "aboveInputTokens">>
}

/** Tiers, tools and terms that are left out are those of `kept`. */
const termsOf = (asked: AskedTerms, kept: UnpricedTerms & Partial<ModelTerms>): ModelTerms => ({
  ...kept,
  ...Struct.pick(asked, modelTerms.names),
  price: {
    ...pricesOf(asked),
    ...withExtras(
      asked.priceTiers?.map((tier) => ({ aboveInputTokens: tier.aboveInputTokens, ...pricesOf(tier) })) ??
        kept.price?.tiers ?? [],
      {
        webSearchMicros: null,
        fileSearchMicros: null,
        ...kept.price?.tools,
        ...Struct.pick(asked, ["webSearchMicros", "fileSearchMicros"])
      }
    )
  }
})

const ruleOf = (field: ModelField): string => {
  switch (field) {
    case "id":
      return "has 1 to 200 printable characters and no spaces"
    case "input":
    case "cached_input":
    case "cache_write":
    case "output":
      return `is from 0 to ${PRICE_USD_PER_1M_MAX} USD`
    case "price_tiers":
      return `are ${PRICE_TIERS_MAX} at most, ascending by above_input_tokens, with prices from 0 to ${PRICE_USD_PER_1M_MAX} USD`
    case "web_search":
    case "file_search":
      return `is from 0 to ${TOOL_USD_PER_CALL_MAX} USD, or null`
    case "maxOutputTokens":
      return `${rangeText(modelTerms.fields[field].kind)}, and at most context_tokens`
    case "defaultOutputTokens":
      return `${rangeText(modelTerms.fields[field].kind)}, and at most max_output_tokens`
    case "hostedTools":
      return `${rangeText(modelTerms.fields[field].kind)}; price needs context_tokens and the price of a tool`
    default:
      return rangeText(modelTerms.fields[field].kind)
  }
}

const priceNames: Readonly<Record<PriceField, string>> = {
  input: "input_micros_per_1m",
  cached_input: "cached_input_micros_per_1m",
  cache_write: "cache_write_micros_per_1m",
  output: "output_micros_per_1m",
  price_tiers: "price_tiers",
  web_search: "web_search_micros",
  file_search: "file_search_micros"
}

const names: Readonly<Record<ModelField, string>> = { id: "id", ...priceNames, ...modelTerms.columns }

const refused = ({ fields }: ModelRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The model is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => [names[field], ruleOf(field)]))
    })
  )

export const ModelsHandlers = answersOf(ModelsApi)(ModelAdmin, (models) => {
  const show = (id: string) => Effect.map(models.get(id), shown)

  const setEnabled = (admin: Administrator, id: string, revision: bigint, enabled: boolean) =>
    Effect.andThen(models.setEnabled(admin, { id, revision }, enabled), show(id))

  return {
    listModels: ({ query: { limit = PAGE_ITEMS_MAX, q, ...filter } }) =>
      listed(Effect.map(models.list({ ...filter, text: q, limit }), (items) => items.map(shown))),
    getModel: ({ params }) => show(params.id),
    createModel: ({ payload: { id, ...asked } }, admin) =>
      models.create(admin, { id, ...termsOf(asked, defaultTermsWithin(asked.contextTokens)) }).pipe(
        Effect.andThen(show(id)),
        Effect.catchTag("ModelRefused", refused)
      ),
    editModel: Effect.fnUntraced(
      function*({ params: { id }, payload: { revision, ...asked } }, admin) {
        // Where this is another revision than the payload's, the edit is refused.
        const terms = termsOf(asked, (yield* models.get(id)).terms)
        yield* models.edit(admin, { id, revision }, terms)
        return yield* show(id)
      },
      Effect.catchTag("ModelRefused", refused)
    ),
    disableModel: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, false),
    enableModel: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, true)
  }
})
