/**
 * Offers of a file of prices as rows beside the models that they are for. What an offer says is kept by the columns of models
 * that it would change, so that the database can tell whether it changes anything.
 * @internal
 */
import { Result, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { modelTerms } from "../domain/ModelTerms.ts"
import { withExtras } from "../domain/Price.ts"
import { Row, RowWith } from "../domain/Row.ts"
import type { ColumnValue } from "../postgres/Rows.ts"
import { PriceTiers, TermColumns, termColumns, termsOfRow } from "./ModelColumns.ts"
import { defaultTermsWithin, type ModelTerms } from "./ModelTerms.ts"
import type { OfferTerms, PriceOffer } from "./Offer.ts"

/** `declared` in config.yaml, and so left alone; `refused` for the offer's problem. */
export const OfferState = Schema.Literals(["changed", "new", "same", "declared", "refused"])
export type OfferState = typeof OfferState.Type
export const offerStates = OfferState.literals

/** `lengths`: they contradict those that the model has. */
const ComparedProblem = Schema.Literals(["id", "missing", "price", "lengths"])
export const comparedProblems = ComparedProblem.literals

/** What a file says of a model, besides its terms. */
const Offer = Row({
  position: Schema.Number,
  provider: Schema.String,
  modelId: Schema.String,
  state: OfferState,
  rounded: Schema.Boolean,
  /** Names in the file of prices and lengths that are not taken. */
  unread: Schema.Array(Schema.String),
  problem: Schema.NullOr(ComparedProblem)
})

/** What a file offers for a model, beside what the model has. */
export interface ComparedOffer extends Schema.Schema.Type<typeof Offer> {
  /** What the model would have; null where the offer cannot be read. */
  readonly after: ModelTerms | null
  /** What it has; null where there is no such model. */
  readonly before: ModelTerms | null
  /** Of the model; 0 where there is none. */
  readonly revision: bigint
}

/** Terms of an offer by the columns of models, as JSON; what the file is silent about is absent. */
const OfferColumns = Row({
  inputMicrosPer1m: Schema.BigIntFromString,
  cachedInputMicrosPer1m: Schema.BigIntFromString,
  cacheWriteMicrosPer1m: Schema.NullOr(Schema.BigIntFromString),
  outputMicrosPer1m: Schema.BigIntFromString,
  priceTiers: Schema.optionalKey(PriceTiers),
  webSearchMicros: Schema.optionalKey(Schema.BigIntFromString),
  contextTokens: Schema.optionalKey(Schema.Number),
  maxOutputTokens: Schema.optionalKey(Schema.Number),
  reasoning: Schema.optionalKey(Schema.Boolean),
  vendor: Schema.optionalKey(modelTerms.json.vendor),
  capabilities: Schema.optionalKey(modelTerms.json.capabilities)
})

const encodeColumns = Schema.encodeSync(OfferColumns)

const offerText = (terms: OfferTerms): string =>
  JSON.stringify(encodeColumns({
    ...terms.price,
    ...terms.tiers === null ? {} : { priceTiers: terms.tiers },
    ...terms.webSearchMicros === null ? {} : { webSearchMicros: terms.webSearchMicros },
    ...terms.contextTokens === null ? {} : { contextTokens: terms.contextTokens },
    ...terms.maxOutputTokens === null ? {} : { maxOutputTokens: terms.maxOutputTokens },
    ...terms.reasoning === null ? {} : { reasoning: terms.reasoning },
    ...terms.vendor === null ? {} : { vendor: terms.vendor },
    ...terms.capabilities === null ? {} : { capabilities: terms.capabilities }
  }))

/** What `jsonb_to_recordset` reads. */
export const offerRecord = (offer: PriceOffer, position: number): Readonly<Record<string, ColumnValue>> => ({
  position,
  provider: offer.provider,
  model: offer.modelId,
  terms: offer.terms === null ? null : offerText(offer.terms),
  rounded: offer.rounded,
  unread: offer.unread,
  problem: offer.problem
})

const OfferWithTerms = RowWith(Offer, { offer: Schema.NullOr(OfferColumns) })

/** The columns of {@link comparedColumns}. Those of the model are null if there is no such model. */
export const OfferBesideModel = Schema.Union([
  RowWith(OfferWithTerms, { revision: Schema.Null }),
  RowWith(RowWith(OfferWithTerms, { revision: Schema.BigInt }), TermColumns.fields, TermColumns.columns)
])

/** Offers `o`, their models `m`, and what the models would become, `a`. */
export const offersBesideModels = (sql: SqlClient.SqlClient) =>
  sql`price_offers o LEFT JOIN models m ON m.id = o.model_id
    CROSS JOIN LATERAL jsonb_populate_record(m, coalesce(o.terms, '{}'::jsonb)) AS a`

/** It is in config.yaml; one that is disabled has left it. */
const isDeclared = (sql: SqlClient.SqlClient) => sql`(m.declared AND m.disabled_at IS NULL)`

const contradicts = (sql: SqlClient.SqlClient) =>
  sql`(m.id IS NOT NULL AND NOT ${isDeclared(sql)} AND coalesce(
    a.max_output_tokens > a.context_tokens OR a.default_output_tokens > a.max_output_tokens, false))`

export const offerState = (sql: SqlClient.SqlClient) =>
  sql`CASE WHEN o.problem IS NOT NULL OR ${contradicts(sql)} THEN 'refused' WHEN m.id IS NULL THEN 'new'
    WHEN ${isDeclared(sql)} THEN 'declared' WHEN a IS DISTINCT FROM m THEN 'changed' ELSE 'same' END`

export const comparedColumns = (sql: SqlClient.SqlClient) =>
  sql`o.position, o.provider, o.model_id, ${offerState(sql)} AS state, o.terms AS offer, o.rounded, o.unread,
    CASE WHEN o.problem IS NOT NULL THEN o.problem WHEN ${contradicts(sql)} THEN 'lengths' END AS problem,
    m.revision, ${termColumns(sql, "m")}`

/** A model's terms with what an offer says in their place. */
const withOffer = (before: ModelTerms | null, offer: typeof OfferColumns.Type): ModelTerms => {
  const silent = before ?? defaultTermsWithin(offer.contextTokens)
  const tools = before?.price.tools ?? { webSearchMicros: null, fileSearchMicros: null }
  return {
    ...silent,
    contextTokens: offer.contextTokens ?? silent.contextTokens,
    maxOutputTokens: offer.maxOutputTokens ?? silent.maxOutputTokens,
    reasoning: offer.reasoning ?? silent.reasoning,
    vendor: offer.vendor ?? silent.vendor,
    capabilities: offer.capabilities ?? silent.capabilities,
    price: {
      inputMicrosPer1m: offer.inputMicrosPer1m,
      cachedInputMicrosPer1m: offer.cachedInputMicrosPer1m,
      cacheWriteMicrosPer1m: offer.cacheWriteMicrosPer1m,
      outputMicrosPer1m: offer.outputMicrosPer1m,
      ...withExtras(
        offer.priceTiers ?? before?.price.tiers ?? [],
        { ...tools, webSearchMicros: offer.webSearchMicros ?? tools.webSearchMicros }
      )
    }
  }
}

/** A model that this version cannot read is a defect here, as in the administration's other pages. */
export const toCompared = (row: typeof OfferBesideModel.Type): ComparedOffer => {
  const before = row.revision === null ? null : Result.getOrThrowWith(
    termsOfRow(row),
    (columns) => new Error(`model ${row.modelId} has values that this version does not know: ${columns.join(", ")}`)
  )
  return {
    position: row.position,
    provider: row.provider,
    modelId: row.modelId,
    state: row.state,
    before,
    after: row.offer === null ? null : withOffer(before, row.offer),
    revision: row.revision ?? 0n,
    rounded: row.rounded,
    unread: row.unread,
    problem: row.problem
  }
}
