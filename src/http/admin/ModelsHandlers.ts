/**
 * Answers `/api/admin/models` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminModel, ModelAdmin } from "../../catalog/ModelAdmin.ts"
import type { ModelRefused } from "../../catalog/ModelError.ts"
import { defaultTerms, type ModelField, type ModelTerms } from "../../catalog/ModelTerms.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, ApiRefused, orApiUnavailable } from "./ApiError.ts"
import { momentOf, momentOrNull, PAGE_ITEMS_MAX } from "./ApiSchema.ts"

export const termsJson = ({ maxOutputTokens, price, reasoning }: ModelTerms) => ({
  input_micros_per_1m: price.inputMicrosPer1m.toString(),
  cached_input_micros_per_1m: price.cachedInputMicrosPer1m.toString(),
  cache_write_micros_per_1m: price.cacheWriteMicrosPer1m?.toString() ?? null,
  output_micros_per_1m: price.outputMicrosPer1m.toString(),
  max_output_tokens: maxOutputTokens,
  reasoning
})

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

interface TermsPayload {
  readonly input_micros_per_1m: string
  readonly cached_input_micros_per_1m?: string | null
  readonly cache_write_micros_per_1m?: string | null
  readonly output_micros_per_1m: string
  readonly max_output_tokens?: number
  readonly reasoning?: boolean
}

const termsOf = (payload: TermsPayload): ModelTerms => {
  const write = payload.cache_write_micros_per_1m ?? null
  return {
    price: {
      inputMicrosPer1m: BigInt(payload.input_micros_per_1m),
      cachedInputMicrosPer1m: BigInt(payload.cached_input_micros_per_1m ?? payload.input_micros_per_1m),
      cacheWriteMicrosPer1m: write === null ? null : BigInt(write),
      outputMicrosPer1m: BigInt(payload.output_micros_per_1m)
    },
    maxOutputTokens: payload.max_output_tokens ?? defaultTerms.maxOutputTokens,
    reasoning: payload.reasoning ?? defaultTerms.reasoning
  }
}

const fieldNames: Readonly<Record<ModelField, readonly [name: string, message: string]>> = {
  id: ["id", "has 1 to 200 printable characters and no spaces"],
  input: ["input_micros_per_1m", "is from 0 to 100000 USD"],
  cached_input: ["cached_input_micros_per_1m", "is from 0 to 100000 USD"],
  cache_write: ["cache_write_micros_per_1m", "is from 0 to 100000 USD"],
  output: ["output_micros_per_1m", "is from 0 to 100000 USD"],
  max_output_tokens: ["max_output_tokens", "is a whole number from 1 to 100000000"]
}

const refused = ({ fields }: ModelRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The model is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => fieldNames[field]))
    })
  )

const unknown = () => Effect.fail(new ApiNotFound({ message: "There is no such model." }))

const conflict = ({ message }: { readonly message: string }) => Effect.fail(new ApiConflict({ message }))

const refusals = { ModelNotFound: unknown, ModelDeclared: conflict, ChangedMeanwhile: conflict }

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
          yield* models.create(yield* CurrentAdmin, { id: payload.id, ...termsOf(payload) })
          return yield* show(payload.id)
        },
        Effect.catchTags({ ModelRefused: refused, ModelExists: conflict, ModelNotFound: unknown }),
        orApiUnavailable
      ),
      editModel: Effect.fnUntraced(
        function*({ params, payload }) {
          const at = { id: params.id, revision: BigInt(payload.revision) }
          yield* models.edit(yield* CurrentAdmin, at, termsOf(payload))
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
