/**
 * A model's terms as columns of their table, for every statement that reads or writes them. A new term needs a migration and
 * nothing here.
 * @internal
 */
import { Record, Result, Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { type ModelTerms, modelTerms } from "../domain/ModelTerms.ts"
import { Micros } from "../domain/Money.ts"
import { withExtras } from "../domain/Price.ts"
import { Row } from "../domain/Row.ts"
import { type ColumnValue, recordsetOf } from "../postgres/Rows.ts"

/** The column of tiers; amounts are decimal texts, because JSON numbers lose digits. */
export const PriceTiers = Schema.Array(Row({
  aboveInputTokens: Schema.Number,
  inputMicrosPer1m: Schema.BigIntFromString,
  cachedInputMicrosPer1m: Schema.BigIntFromString,
  cacheWriteMicrosPer1m: Schema.NullOr(Schema.BigIntFromString),
  outputMicrosPer1m: Schema.BigIntFromString
}))

const encodeTiers = Schema.encodeSync(PriceTiers)

/** The columns of terms. What another version may have written is left as it is, for {@link termsOfRow} to read. */
export const TermColumns = Row({
  inputMicrosPer1m: Micros,
  cachedInputMicrosPer1m: Micros,
  cacheWriteMicrosPer1m: Schema.NullOr(Micros),
  outputMicrosPer1m: Micros,
  priceTiers: Schema.Unknown,
  webSearchMicros: Schema.NullOr(Micros),
  fileSearchMicros: Schema.NullOr(Micros),
  ...Record.map(modelTerms.fields, () => Schema.Unknown)
}, modelTerms.columns)

const priceColumnsOf = ({ price }: ModelTerms): Readonly<Record<string, ColumnValue>> => ({
  input_micros_per_1m: price.inputMicrosPer1m,
  cached_input_micros_per_1m: price.cachedInputMicrosPer1m,
  cache_write_micros_per_1m: price.cacheWriteMicrosPer1m,
  output_micros_per_1m: price.outputMicrosPer1m,
  price_tiers: price.tiers === undefined ? null : encodeTiers(price.tiers),
  web_search_micros: price.tools?.webSearchMicros ?? null,
  file_search_micros: price.tools?.fileSearchMicros ?? null
})

/** The terms by column, for the database and for the audit log. */
export const columnsOf = (terms: ModelTerms): Readonly<Record<string, ColumnValue>> => ({
  ...priceColumnsOf(terms),
  ...modelTerms.toRow(terms)
})

/** The same as the JSON of a record of the table. */
export const recordOf = (terms: ModelTerms): string => recordsetOf(columnsOf(terms))

const names = Object.values(TermColumns.columns)

const readTiers = Schema.decodeUnknownResult(Schema.NullOr(PriceTiers))

/** The columns of all terms; `of`: a table or its alias. */
export const termColumns = (sql: SqlClient.SqlClient, of?: "m" | "d" | "excluded") =>
  sql.literal(names.map((name) => of === undefined ? name : `${of}.${name}`).join(", "))

/** Fails with the columns that this version cannot read: another version, or somebody by hand, wrote the row. */
export const termsOfRow = (row: typeof TermColumns.Type): Result.Result<ModelTerms, ReadonlyArray<string>> =>
  Result.gen(function*() {
    const terms = yield* modelTerms.readRow(row)
    const tiers = yield* Result.mapError(readTiers(row.priceTiers), () => ["price_tiers"])
    return {
      ...terms,
      price: {
        inputMicrosPer1m: row.inputMicrosPer1m,
        cachedInputMicrosPer1m: row.cachedInputMicrosPer1m,
        cacheWriteMicrosPer1m: row.cacheWriteMicrosPer1m,
        outputMicrosPer1m: row.outputMicrosPer1m,
        ...withExtras(tiers ?? [], { webSearchMicros: row.webSearchMicros, fileSearchMicros: row.fileSearchMicros })
      }
    }
  })
