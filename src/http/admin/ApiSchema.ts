/**
 * The kinds of values that the administration's API speaks in: ids and amounts are decimal texts, because JSON numbers lose
 * digits; moments are ISO 8601 in UTC; names are in snake_case.
 */
import { Record as Records, Schema, SchemaAST } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { AmountJson, IdJson, MomentJson } from "../../domain/Fields.ts"

/** A moment, as text: where a use case says what is wrong with it. */
export const ApiMoment = Schema.toEncoded(MomentJson)

type JsonOf<T> = [T] extends [bigint | Date | null] ? Schema.Codec<T, string | (T & null)> : Schema.Codec<T>

/** The name of an amount ends in its unit; other whole numbers of a row count rows or changes. */
const amountName = /(?:micros|fen|minor|per1m)$/i

const jsonOf = (field: Schema.Top, name: string): Schema.Top => {
  const type = Schema.toType(field)
  const types = SchemaAST.isUnion(type.ast) ? type.ast.types.filter((member) => !SchemaAST.isNull(member)) : [type.ast]
  const [only] = types
  if (only === undefined || types.length > 1) return type
  const bigint = amountName.test(name) ? AmountJson : IdJson
  const json = SchemaAST.isBigInt(only) ? bigint : only === Schema.Date.ast ? MomentJson : undefined
  if (json === undefined) return type
  return only === type.ast ? json : Schema.NullOr(json)
}

/** Fields of a row as the API says them: ids and amounts are decimal texts, moments ISO 8601. A row has more: leave that out by name. */
export const jsonFields = <F extends Readonly<Record<string, Schema.Top>>>(fields: F) =>
  Records.map(fields, jsonOf) as { readonly [K in keyof F]: JsonOf<F[K]["Type"]> }

/** What the OpenAPI document says of a schema whose JSON differs from what it decodes to: of both. */
export const documented =
  (identifier: string, about: { readonly description?: string } = {}) => <S extends Schema.Top>(schema: S) =>
    schema.annotate({ identifier, ...about }).pipe(Schema.annotateEncoded({ identifier, ...about }))

/** Of something that was made. */
export const created = HttpApiSchema.status(201)

export const { NoContent } = HttpApiSchema

/** The answer of a list. */
export const itemsOf = <S extends Schema.Top>(item: S) => Schema.Struct({ items: Schema.Array(item) })

/** How many items a list gives, at most. */
export const PAGE_ITEMS_MAX = 200

/** Of lists: how many items. */
export const limitQuery = {
  limit: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: PAGE_ITEMS_MAX }))
  )
}

/** The same, and below which id; the last id of a page is the `before` of the next. */
export const pageQuery = { ...limitQuery, before: Schema.optionalKey(IdJson) }

/** From one moment to another; see `periodOf`. */
export const periodQuery = { from: Schema.optionalKey(ApiMoment), to: Schema.optionalKey(ApiMoment) }

/** Items of a list that says nothing of its length. */
const PAGE_ITEMS_DEFAULT = 50

/** Of the books: a month, or the days from one to another; neither: the month of now. See `rangeAsked`. */
export const dayRangeQuery = {
  month: Schema.optionalKey(Schema.String),
  from: Schema.optionalKey(Schema.String),
  to: Schema.optionalKey(Schema.String)
}

/** The part of a list that a query of {@link pageQuery} asks for. */
export const rangeOf = (query: { readonly limit?: number; readonly before?: bigint }) => ({
  limit: query.limit ?? PAGE_ITEMS_DEFAULT,
  before: query.before
})
