/**
 * Answers `/api/admin/price-imports` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { ImportRefused, PriceFileRefused } from "../../catalog/ModelError.ts"
import { type ComparedOffer, type PriceImport, PriceImports } from "../../catalog/PriceImports.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf, PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { termsJson } from "./ModelsHandlers.ts"

const importJson = ({ counts, createdAt, id, providers, skipped }: PriceImport) => ({
  id: id.toString(),
  created_at: momentOf(createdAt),
  skipped,
  counts,
  providers
})

const offerJson = ({ after, before, modelId, revision, ...rest }: ComparedOffer) => ({
  ...rest,
  model_id: modelId,
  before: before === null ? null : termsJson(before),
  after: after === null ? null : termsJson(after),
  revision: revision.toString()
})

const unreadable = ({ why }: PriceFileRefused) => {
  const texts = {
    json: "is no JSON",
    shape: "has no prices in a form that is known here",
    size: "is larger than 8 MiB or lists more than 20000 models"
  }
  return Effect.fail(refusedField("document", texts[why]))
}

const refused = ({ model, why }: ImportRefused) => {
  const texts = {
    none: "chooses nothing",
    many: "has 500 items at most",
    twice: `chooses ${model === "" ? "one line" : model} twice`,
    choice: "has a line that cannot be applied"
  }
  return Effect.fail(refusedField("choices", texts[why]))
}

const unknown = () => Effect.fail(new ApiNotFound({ message: "There is no such import, or it is no longer kept." }))

export const PriceImportsHandlers = HttpApiBuilder.group(
  AdminApi,
  "priceImports",
  Effect.fn(function*(handlers) {
    const imports = yield* PriceImports
    const show = (id: bigint) => Effect.map(imports.get(id), importJson)

    return handlers.handleAll({
      createPriceImport: Effect.fnUntraced(
        function*({ payload }) {
          return yield* show(yield* imports.read(yield* CurrentAdmin, payload.document))
        },
        Effect.catchTags({ PriceFileRefused: unreadable, ImportNotFound: unknown }),
        orApiUnavailable
      ),
      getPriceImport: ({ params }) =>
        show(BigInt(params.id)).pipe(Effect.catchTag("ImportNotFound", unknown), orApiUnavailable),
      listPriceOffers: Effect.fnUntraced(
        function*({ params, query }) {
          const { id } = yield* imports.get(BigInt(params.id))
          const { after, limit, provider, q, state } = query
          const offers = yield* imports.compare(id, { after, provider, state, text: q, limit: limit ?? PAGE_ITEMS_MAX })
          return { items: offers.map(offerJson) }
        },
        Effect.catchTag("ImportNotFound", unknown),
        orApiUnavailable
      ),
      applyPriceImport: Effect.fnUntraced(
        function*({ params, payload }) {
          const { id } = yield* imports.get(BigInt(params.id))
          const choices = payload.choices.map(({ position, revision }) => ({ position, revision: BigInt(revision) }))
          return yield* imports.apply(yield* CurrentAdmin, id, choices)
        },
        Effect.catchTags({
          ImportNotFound: unknown,
          ImportRefused: refused,
          ChangedMeanwhile: ({ message }) => Effect.fail(new ApiConflict({ message }))
        }),
        orApiUnavailable
      )
    })
  })
)
