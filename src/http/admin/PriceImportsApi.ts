/**
 * `/api/admin/price-imports`: files of prices, compared with the models that there are, and applied by choice.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import type { ImportRefused, PriceFileRefused } from "../../catalog/ModelError.ts"
import {
  CHOICES_MAX,
  type ComparedOffer,
  comparedProblems,
  offerStates,
  PriceImports
} from "../../catalog/PriceImports.ts"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"
import { Json } from "../../domain/Row.ts"
import { ApiNotFound, ApiRefused, editErrors, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, limitQuery, PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { ApiModelTerms, shownTerms, textQuery } from "./ModelsApi.ts"

const Import = Json({
  id: IdJson,
  createdAt: MomentJson,
  skipped: Schema.Number,
  counts: Schema.Struct({
    changed: Schema.Number,
    new: Schema.Number,
    same: Schema.Number,
    declared: Schema.Number,
    refused: Schema.Number
  }),
  providers: Schema.Array(Schema.String)
}).pipe(documented("PriceImport"))

const Position = Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

/** Counts the changes of a model; 0: there is no such model. */
const OfferRevision = AmountJson

const Offer = Json({
  position: Position,
  provider: Schema.String,
  modelId: Schema.String,
  state: Schema.Literals(offerStates),
  before: Schema.NullOr(ApiModelTerms),
  after: Schema.NullOr(ApiModelTerms),
  revision: OfferRevision,
  rounded: Schema.Boolean,
  unread: Schema.Array(Schema.String),
  problem: Schema.NullOr(Schema.Literals(comparedProblems))
}).pipe(
  documented("PriceOffer", {
    description:
      "`after`: the whole model as it would be; terms that the file does not name are those of `before`, or the defaults. " +
      "`rounded`: a price of the file had more than 6 decimals and is rounded up. `unread`: names in the file of prices and " +
      "lengths that are not taken. `problem`: why it cannot be applied; `lengths`: those of the file contradict the model's."
  })
)

const NewImport = Schema.Struct({
  /** The file's text: JSON in a JSON text, so that its numbers are read by their digits. */
  document: Schema.String
}).pipe(documented("NewPriceImport"))

const Choices = Schema.Struct({
  choices: Schema.Array(Schema.Struct({ position: Position, revision: OfferRevision })).check(
    Schema.isMaxLength(CHOICES_MAX)
  )
}).pipe(documented("PriceChoices"))

const params = { id: IdJson }

const { get, post } = HttpApiEndpoint

export class PriceImportsApi extends area(
  "priceImports",
  "Price imports",
  "Files of prices as models.dev or LiteLLM publish them, compared with the models that there are. What is applied are lines of the comparison, each with the revision of its model: all of them, or none where one has changed since."
).add(
  post("createPriceImport", "/price-imports", {
    payload: NewImport,
    success: Import.pipe(created),
    error: [ApiRefused, ApiNotFound]
  }),
  get("getPriceImport", "/price-imports/:id", { params, success: Import, error: ApiNotFound }),
  get("listPriceOffers", "/price-imports/:id/offers", {
    params,
    query: {
      ...textQuery,
      ...limitQuery,
      provider: Schema.optionalKey(Schema.String),
      state: Schema.optionalKey(Schema.Literals(offerStates)),
      after: Schema.optionalKey(Schema.NumberFromString.check(
        Schema.isInt(),
        Schema.isBetween({
          minimum: 0,
          maximum: 1_000_000
        })
      ))
    },
    success: itemsOf(Offer),
    error: ApiNotFound
  }),
  post("applyPriceImport", "/price-imports/:id/apply", {
    params,
    payload: Choices,
    success: Schema.Struct({ created: Schema.Number, changed: Schema.Number }),
    error: editErrors
  })
) {}

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

export const PriceImportsHandlers = answersOf(PriceImportsApi)(PriceImports, (imports) => ({
  createPriceImport: ({ payload }, admin) =>
    imports.read(admin, payload.document).pipe(
      Effect.flatMap(imports.get),
      Effect.catchTag("PriceFileRefused", unreadable)
    ),
  getPriceImport: ({ params }) => imports.get(params.id),
  listPriceOffers: ({ params, query: { limit = PAGE_ITEMS_MAX, q, ...filter } }) =>
    listed(
      Effect.flatMap(imports.get(params.id), ({ id }) =>
        Effect.map(imports.compare(id, { ...filter, text: q, limit }), (offers) => offers.map(shownOffer)))
    ),
  applyPriceImport: ({ params, payload }, admin) =>
    imports.get(params.id).pipe(
      Effect.flatMap(({ id }) => imports.apply(admin, id, payload.choices)),
      Effect.catchTag("ImportRefused", refused)
    )
}))
