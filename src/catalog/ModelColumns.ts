/**
 * A model's terms as columns of their table, for every statement that reads or writes them. The columns of terms have the
 * names of the terms, so a new one needs a migration and nothing here.
 * @internal
 */
import { Record, Result } from "effect"
import type { SqlClient } from "effect/sql"
import { modelTermList } from "../domain/ModelTermList.ts"
import { defaultTerms, type ModelTerms } from "../domain/ModelTerms.ts"
import { type PriceTierJson, tierJson, tierOf, withExtras } from "../domain/PriceJson.ts"
import { documentOf, readTerms } from "../domain/Term.ts"
import { type ColumnValue, recordsetOf } from "../settings/DeclaredRows.ts"

/** The columns of a row that say its prices; those of the other terms are read by their names. */
export interface TermsRow extends Readonly<Record<string, unknown>> {
  readonly input_micros_per_1m: bigint
  readonly cached_input_micros_per_1m: bigint
  readonly cache_write_micros_per_1m: bigint | null
  readonly output_micros_per_1m: bigint
  readonly price_tiers: ReadonlyArray<PriceTierJson> | null
  readonly web_search_micros: bigint | null
  readonly file_search_micros: bigint | null
}

const priceColumnsOf = ({ price }: ModelTerms): Readonly<Record<keyof TermsRow & string, ColumnValue>> => ({
  input_micros_per_1m: price.inputMicrosPer1m,
  cached_input_micros_per_1m: price.cachedInputMicrosPer1m,
  cache_write_micros_per_1m: price.cacheWriteMicrosPer1m,
  output_micros_per_1m: price.outputMicrosPer1m,
  price_tiers: price.tiers?.map(tierJson) ?? null,
  web_search_micros: price.tools?.webSearchMicros ?? null,
  file_search_micros: price.tools?.fileSearchMicros ?? null
})

/** The terms by column, for the database and for the audit log. */
export const columnsOf = (terms: ModelTerms): Readonly<Record<string, ColumnValue>> => ({
  ...priceColumnsOf(terms),
  ...documentOf(modelTermList, terms)
})

/** The same as the JSON of a record of the table. */
export const recordOf = (terms: ModelTerms): string => recordsetOf(columnsOf(terms))

const names: ReadonlyArray<string> = [
  "input_micros_per_1m",
  "cached_input_micros_per_1m",
  "cache_write_micros_per_1m",
  "output_micros_per_1m",
  "price_tiers",
  "web_search_micros",
  "file_search_micros",
  ...Record.keys(modelTermList)
]

/** The columns of all terms; `of`: a table or its alias. */
export const termColumns = (sql: SqlClient.SqlClient, of?: "m" | "d" | "excluded") =>
  sql.literal(names.map((name) => of === undefined ? name : `${of}.${name}`).join(", "))

/** Fails with the columns that this version cannot read: another version, or somebody by hand, wrote the row. */
export const termsOfRow = (row: TermsRow): Result.Result<ModelTerms, ReadonlyArray<string>> =>
  Result.map(readTerms(modelTermList, row, defaultTerms), (terms) => ({
    ...terms,
    price: {
      inputMicrosPer1m: row.input_micros_per_1m,
      cachedInputMicrosPer1m: row.cached_input_micros_per_1m,
      cacheWriteMicrosPer1m: row.cache_write_micros_per_1m,
      outputMicrosPer1m: row.output_micros_per_1m,
      ...withExtras(
        (row.price_tiers ?? []).map(tierOf),
        { webSearchMicros: row.web_search_micros, fileSearchMicros: row.file_search_micros }
      )
    }
  }))
