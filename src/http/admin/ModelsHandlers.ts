/**
 * Answers `/api/admin/models` by the same use cases as the pages.
 */
import { Effect, Record } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminModel, ModelAdmin } from "../../catalog/ModelAdmin.ts"
import { ModelRefused } from "../../catalog/ModelError.ts"
import { defaultTermsWithin, type ModelField, type ModelTerms } from "../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX, PRICE_USD_PER_1M_MAX, TOOL_USD_PER_CALL_MAX } from "../../domain/Bounds.ts"
import { type ModelTermKey, modelTermList } from "../../domain/ModelTermList.ts"
import type { UnitPrices } from "../../domain/Price.ts"
import { tierJson, withExtras } from "../../domain/PriceJson.ts"
import { documentOf, takeTerms, type TermValue } from "../../domain/Term.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, ApiRefused, orApiUnavailable } from "./ApiError.ts"
import { momentOf, momentOrNull, PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { rangeText } from "./TermsApi.ts"

export const termsJson = (terms: ModelTerms) => {
  const { price } = terms
  return {
    input_micros_per_1m: price.inputMicrosPer1m.toString(),
    cached_input_micros_per_1m: price.cachedInputMicrosPer1m.toString(),
    cache_write_micros_per_1m: price.cacheWriteMicrosPer1m?.toString() ?? null,
    output_micros_per_1m: price.outputMicrosPer1m.toString(),
    price_tiers: (price.tiers ?? []).map(tierJson),
    web_search_micros: price.tools?.webSearchMicros?.toString() ?? null,
    file_search_micros: price.tools?.fileSearchMicros?.toString() ?? null,
    ...documentOf(modelTermList, terms)
  }
}

const modelJson = (model: AdminModel) => ({
  id: model.id,
  ...termsJson(model.terms),
  declared: model.declared,
  disabled_at: momentOrNull(model.disabledAt),
  revision: model.revision.toString(),
  channels: model.channels,
  created_at: momentOf(model.createdAt),
  updated_at: momentOf(model.updatedAt)
})

interface PricesPayload {
  readonly input_micros_per_1m: string
  readonly cached_input_micros_per_1m?: string | null
  readonly cache_write_micros_per_1m?: string | null
  readonly output_micros_per_1m: string
}

const pricesOf = (payload: PricesPayload): UnitPrices => {
  const write = payload.cache_write_micros_per_1m ?? null
  return {
    inputMicrosPer1m: BigInt(payload.input_micros_per_1m),
    cachedInputMicrosPer1m: BigInt(payload.cached_input_micros_per_1m ?? payload.input_micros_per_1m),
    cacheWriteMicrosPer1m: write === null ? null : BigInt(write),
    outputMicrosPer1m: BigInt(payload.output_micros_per_1m)
  }
}

interface TermsPayload extends PricesPayload, Readonly<Partial<Record<ModelTermKey, TermValue>>> {
  readonly price_tiers?: ReadonlyArray<PricesPayload & { readonly above_input_tokens: number }>
  readonly web_search_micros?: string | null
  readonly file_search_micros?: string | null
}

/** Undefined: what was there stays. */
const amountOr = (text: string | null | undefined, kept: bigint | null): bigint | null =>
  text === undefined ? kept : text === null ? null : BigInt(text)

/** Tiers, tools and terms that are left out are those of `kept`. */
const termsOf = (payload: TermsPayload, kept: Omit<ModelTerms, "price"> & Partial<ModelTerms>) =>
  Effect.fromResult(takeTerms(modelTermList, { ...payload }, kept)).pipe(
    Effect.mapError((fields) => new ModelRefused({ fields })),
    Effect.map((terms): ModelTerms => ({
      ...terms,
      price: {
        ...pricesOf(payload),
        ...withExtras(
          payload.price_tiers?.map((tier) => ({ aboveInputTokens: tier.above_input_tokens, ...pricesOf(tier) })) ??
            kept.price?.tiers ?? [],
          {
            webSearchMicros: amountOr(payload.web_search_micros, kept.price?.tools?.webSearchMicros ?? null),
            fileSearchMicros: amountOr(payload.file_search_micros, kept.price?.tools?.fileSearchMicros ?? null)
          }
        )
      }
    }))
  )

const priceText = `is from 0 to ${PRICE_USD_PER_1M_MAX} USD`
const toolText = `is from 0 to ${TOOL_USD_PER_CALL_MAX} USD, or null`

const fieldTexts: Readonly<Record<ModelField, readonly [name: string, message: string]>> = {
  ...Record.map(modelTermList, ({ kind }, key): readonly [string, string] => [key, rangeText(kind)]),
  id: ["id", "has 1 to 200 printable characters and no spaces"],
  input: ["input_micros_per_1m", priceText],
  cached_input: ["cached_input_micros_per_1m", priceText],
  cache_write: ["cache_write_micros_per_1m", priceText],
  output: ["output_micros_per_1m", priceText],
  price_tiers: [
    "price_tiers",
    `are ${PRICE_TIERS_MAX} at most, ascending by above_input_tokens, with prices from 0 to ${PRICE_USD_PER_1M_MAX} USD`
  ],
  web_search: ["web_search_micros", toolText],
  file_search: ["file_search_micros", toolText],
  max_output_tokens: [
    "max_output_tokens",
    `${rangeText(modelTermList.max_output_tokens.kind)}, and at most context_tokens`
  ],
  default_output_tokens: [
    "default_output_tokens",
    `${rangeText(modelTermList.default_output_tokens.kind)}, and at most max_output_tokens`
  ],
  hosted_tools: [
    "hosted_tools",
    `${rangeText(modelTermList.hosted_tools.kind)}; price needs context_tokens and the price of a tool`
  ]
}

const refused = ({ fields }: ModelRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The model is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => fieldTexts[field]))
    })
  )

const unknown = () => Effect.fail(new ApiNotFound({ message: "There is no such model." }))

const conflict = ({ message }: { readonly message: string }) => Effect.fail(new ApiConflict({ message }))

const refusals = { ModelNotFound: unknown, ModelConfigManaged: conflict, ChangedMeanwhile: conflict }

export const ModelsHandlers = HttpApiBuilder.group(
  AdminApi,
  "models",
  Effect.fn(function*(handlers) {
    const models = yield* ModelAdmin
    const show = (id: string) => Effect.map(models.get(id), modelJson)

    const setEnabled = (id: string, revision: string, enabled: boolean) =>
      Effect.gen(function*() {
        yield* models.setEnabled(yield* CurrentAdmin, { id, revision: BigInt(revision) }, enabled)
        return yield* show(id)
      }).pipe(Effect.catchTags(refusals), orApiUnavailable)

    return handlers.handleAll({
      listModels: ({ query }) =>
        Effect.map(
          models.list({ text: query.q, state: query.state, after: query.after, limit: query.limit ?? PAGE_ITEMS_MAX }),
          (items) => ({ items: items.map(modelJson) })
        ).pipe(orApiUnavailable),
      getModel: ({ params }) => show(params.id).pipe(Effect.catchTag("ModelNotFound", unknown), orApiUnavailable),
      createModel: Effect.fnUntraced(
        function*({ payload }) {
          const terms = yield* termsOf(payload, defaultTermsWithin(payload.context_tokens))
          yield* models.create(yield* CurrentAdmin, { id: payload.id, ...terms })
          return yield* show(payload.id)
        },
        Effect.catchTags({ ModelRefused: refused, ModelExists: conflict, ModelNotFound: unknown }),
        orApiUnavailable
      ),
      editModel: Effect.fnUntraced(
        function*({ params, payload }) {
          const at = { id: params.id, revision: BigInt(payload.revision) }
          // Where this is another revision than the payload's, the edit is refused.
          const terms = yield* termsOf(payload, (yield* models.get(params.id)).terms)
          yield* models.edit(yield* CurrentAdmin, at, terms)
          return yield* show(params.id)
        },
        Effect.catchTags({ ...refusals, ModelRefused: refused }),
        orApiUnavailable
      ),
      disableModel: ({ params, payload }) => setEnabled(params.id, payload.revision, false),
      enableModel: ({ params, payload }) => setEnabled(params.id, payload.revision, true)
    })
  })
)
