/**
 * Offers of a file of prices as rows beside the models that they are for. What an offer says is kept by the columns of models
 * that it would change, so that the database can tell whether it changes anything.
 * @internal
 */
import { Result } from "effect"
import type { SqlClient } from "effect/sql"
import { type PriceTierJson, tierJson, tierOf, withExtras } from "../domain/PriceJson.ts"
import type { ColumnValue } from "../settings/DeclaredRows.ts"
import { termColumns, termsOfRow, type TermsRow } from "./ModelColumns.ts"
import { defaultTermsWithin, type ModelTerms } from "./ModelTerms.ts"
import type { OfferProblem, OfferTerms, PriceOffer } from "./Offer.ts"

/** `declared` in config.yaml, and so left alone; `refused` for the offer's problem. */
export const offerStates = ["changed", "new", "same", "declared", "refused"] as const
export type OfferState = typeof offerStates[number]

/** `lengths`: they contradict those that the model has. */
export const comparedProblems = ["id", "missing", "price", "lengths"] as const
export type ComparedProblem = OfferProblem | "lengths"

/** What a file offers for a model, beside what the model has. */
export interface ComparedOffer {
  readonly position: number
  readonly provider: string
  readonly modelId: string
  readonly state: OfferState
  /** What the model would have; null where the offer cannot be read. */
  readonly after: ModelTerms | null
  /** What it has; null where there is no such model. */
  readonly before: ModelTerms | null
  /** Of the model; 0 where there is none. */
  readonly revision: bigint
  readonly rounded: boolean
  /** Names in the file of prices and lengths that are not taken. */
  readonly unread: ReadonlyArray<string>
  readonly problem: ComparedProblem | null
}

/** Terms of an offer by the columns of models; what the file is silent about is absent. */
interface OfferColumns {
  readonly input_micros_per_1m: string
  readonly cached_input_micros_per_1m: string
  readonly cache_write_micros_per_1m: string | null
  readonly output_micros_per_1m: string
  readonly price_tiers?: ReadonlyArray<PriceTierJson>
  readonly web_search_micros?: string
  readonly context_tokens?: number
  readonly max_output_tokens?: number
  readonly reasoning?: boolean
}

const offerColumns = (terms: OfferTerms): OfferColumns => ({
  input_micros_per_1m: terms.price.inputMicrosPer1m.toString(),
  cached_input_micros_per_1m: terms.price.cachedInputMicrosPer1m.toString(),
  cache_write_micros_per_1m: terms.price.cacheWriteMicrosPer1m?.toString() ?? null,
  output_micros_per_1m: terms.price.outputMicrosPer1m.toString(),
  ...terms.tiers === null ? {} : { price_tiers: terms.tiers.map(tierJson) },
  ...terms.webSearchMicros === null ? {} : { web_search_micros: terms.webSearchMicros.toString() },
  ...terms.contextTokens === null ? {} : { context_tokens: terms.contextTokens },
  ...terms.maxOutputTokens === null ? {} : { max_output_tokens: terms.maxOutputTokens },
  ...terms.reasoning === null ? {} : { reasoning: terms.reasoning }
})

/** What `jsonb_to_recordset` reads. */
export const offerRecord = (offer: PriceOffer, position: number): Readonly<Record<string, ColumnValue>> => ({
  position,
  provider: offer.provider,
  model: offer.modelId,
  terms: offer.terms === null ? null : JSON.stringify(offerColumns(offer.terms)),
  rounded: offer.rounded,
  unread: offer.unread,
  problem: offer.problem
})

export interface OfferRow extends TermsRow {
  readonly position: number
  readonly provider: string
  readonly model_id: string
  readonly state: OfferState
  readonly offer: OfferColumns | null
  readonly rounded: boolean
  readonly unread: ReadonlyArray<string>
  readonly problem: ComparedProblem | null
  /** Of the model; null where there is none, and its columns are null too. */
  readonly revision: bigint | null
}

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
const withOffer = (before: ModelTerms | null, offer: OfferColumns): ModelTerms => {
  const silent = before ?? defaultTermsWithin(offer.context_tokens)
  const tiers = offer.price_tiers?.map(tierOf) ?? before?.price.tiers ?? []
  const tools = before?.price.tools ?? { webSearchMicros: null, fileSearchMicros: null }
  return {
    ...silent,
    contextTokens: offer.context_tokens ?? silent.contextTokens,
    maxOutputTokens: offer.max_output_tokens ?? silent.maxOutputTokens,
    reasoning: offer.reasoning ?? silent.reasoning,
    price: {
      inputMicrosPer1m: BigInt(offer.input_micros_per_1m),
      cachedInputMicrosPer1m: BigInt(offer.cached_input_micros_per_1m),
      cacheWriteMicrosPer1m: offer.cache_write_micros_per_1m === null ? null : BigInt(offer.cache_write_micros_per_1m),
      outputMicrosPer1m: BigInt(offer.output_micros_per_1m),
      ...withExtras(tiers, {
        ...tools,
        ...offer.web_search_micros === undefined ? {} : { webSearchMicros: BigInt(offer.web_search_micros) }
      })
    }
  }
}

/** A model that this version cannot read is a defect here, as in the administration's other pages. */
export const toCompared = (row: OfferRow): ComparedOffer => {
  const before = row.revision === null ? null : Result.getOrThrowWith(
    termsOfRow(row),
    (columns) => new Error(`model ${row.model_id} has values that this version does not know: ${columns.join(", ")}`)
  )
  return {
    position: row.position,
    provider: row.provider,
    modelId: row.model_id,
    state: row.state,
    before,
    after: row.offer === null ? null : withOffer(before, row.offer),
    revision: row.revision ?? 0n,
    rounded: row.rounded,
    unread: row.unread,
    problem: row.problem
  }
}
