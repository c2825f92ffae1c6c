/**
 * Answers `/api/admin/price-imports` by the same use cases as the pages.
 */
import { Effect } from "effect"
import type { ImportRefused, PriceFileRefused } from "../../catalog/ModelError.ts"
import { type ComparedOffer, PriceImports } from "../../catalog/PriceImports.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { refusedField } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { shownTerms } from "./ModelsHandlers.ts"

const shownOffer = ({ after, before, ...offer }: ComparedOffer) => ({
  ...offer,
  before: before === null ? null : shownTerms(before),
  after: after === null ? null : shownTerms(after)
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

export const PriceImportsHandlers = answersOf(
  "priceImports",
  Effect.gen(function*() {
    const imports = yield* PriceImports
    return {
      createPriceImport: Effect.fnUntraced(
        function*({ payload }) {
          return yield* imports.get(yield* imports.read(yield* CurrentAdmin, payload.document))
        },
        Effect.catchTag("PriceFileRefused", unreadable)
      ),
      getPriceImport: ({ params }) => imports.get(params.id),
      listPriceOffers: ({ params, query: { limit = PAGE_ITEMS_MAX, q, ...filter } }) =>
        listed(
          Effect.flatMap(imports.get(params.id), ({ id }) =>
            Effect.map(imports.compare(id, { ...filter, text: q, limit }), (offers) => offers.map(shownOffer)))
        ),
      applyPriceImport: Effect.fnUntraced(
        function*({ params, payload }) {
          const { id } = yield* imports.get(params.id)
          return yield* imports.apply(yield* CurrentAdmin, id, payload.choices)
        },
        Effect.catchTag("ImportRefused", refused)
      )
    }
  })
)
