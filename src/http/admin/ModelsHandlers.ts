/**
 * Answers `/api/admin/models` by the same use cases as the pages.
 */
import { Effect, Struct } from "effect"
import { type AdminModel, ModelAdmin } from "../../catalog/ModelAdmin.ts"
import type { ModelRefused } from "../../catalog/ModelError.ts"
import { defaultTermsWithin, type ModelField } from "../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOOL_USD_PER_CALL_MAX } from "../../domain/Bounds.ts"
import type { PriceField } from "../../domain/ModelRules.ts"
import { type ModelTerms, modelTerms, type UnpricedTerms } from "../../domain/ModelTerms.ts"
import { type PriceTier, type ToolPrices, type UnitPrices, withExtras } from "../../domain/Price.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { ApiRefused } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { rangeText } from "./TermsApi.ts"

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

export const ModelsHandlers = answersOf(
  "models",
  Effect.gen(function*() {
    const models = yield* ModelAdmin
    const show = (id: string) => Effect.map(models.get(id), shown)

    const setEnabled = Effect.fnUntraced(function*(id: string, revision: bigint, enabled: boolean) {
      yield* models.setEnabled(yield* CurrentAdmin, { id, revision }, enabled)
      return yield* show(id)
    })

    return {
      listModels: ({ query: { limit = PAGE_ITEMS_MAX, q, ...filter } }) =>
        listed(Effect.map(models.list({ ...filter, text: q, limit }), (items) => items.map(shown))),
      getModel: ({ params }) => show(params.id),
      createModel: Effect.fnUntraced(
        function*({ payload: { id, ...asked } }) {
          yield* models.create(yield* CurrentAdmin, { id, ...termsOf(asked, defaultTermsWithin(asked.contextTokens)) })
          return yield* show(id)
        },
        Effect.catchTag("ModelRefused", refused)
      ),
      editModel: Effect.fnUntraced(
        function*({ params: { id }, payload: { revision, ...asked } }) {
          // Where this is another revision than the payload's, the edit is refused.
          const terms = termsOf(asked, (yield* models.get(id)).terms)
          yield* models.edit(yield* CurrentAdmin, { id, revision }, terms)
          return yield* show(id)
        },
        Effect.catchTag("ModelRefused", refused)
      ),
      disableModel: ({ params, payload }) => setEnabled(params.id, payload.revision, false),
      enableModel: ({ params, payload }) => setEnabled(params.id, payload.revision, true)
    }
  })
)
