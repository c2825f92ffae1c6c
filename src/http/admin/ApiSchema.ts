/**
 * The kinds of values that the administration's API speaks in: ids and amounts are decimal texts, because JSON numbers lose
 * digits; moments are ISO 8601 in UTC; names are in snake_case.
 */
import { Schema, SchemaTransformation } from "effect"

const idPattern = /^[1-9]\d{0,17}$/
const amountPattern = /^-?\d{1,18}$/

/** The number of a row, as text. `BigInt` takes every text that passes. */
export const ApiId = Schema.String.check(Schema.isPattern(idPattern)).annotate({
  identifier: "Id",
  description: "The number of a row, as decimal text."
})

/** The same in a request, read as an id of one kind. */
export const idIn = <Id extends bigint>(id: Schema.Codec<Id, bigint>) =>
  ApiId.pipe(Schema.decodeTo(id, SchemaTransformation.transform({ decode: BigInt, encode: String })))

/** A whole number of micros, fen or the like, as text. */
export const ApiAmount = Schema.String.check(Schema.isPattern(amountPattern)).annotate({
  identifier: "Amount",
  description:
    "A whole number of the unit that the field's name ends in (micros of a USD, fen of a CNY), as decimal text."
})

/** A moment. */
export const ApiMoment = Schema.String.annotate({
  identifier: "Moment",
  description: "ISO 8601, UTC."
})

/** How many items a list gives, at most. */
export const PAGE_ITEMS_MAX = 200

/** Of lists: how many items, and below which id; the last id of a page is the `before` of the next. */
export const pageQuery = {
  limit: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: PAGE_ITEMS_MAX }))
  ),
  before: Schema.optionalKey(ApiId)
}

/** Items of a list that says nothing of its length. */
const PAGE_ITEMS_DEFAULT = 50

/** Of the books: a month, or the days from one to another; neither: the month of now. See `rangeAsked`. */
export const dayRangeQuery = {
  month: Schema.optionalKey(Schema.String),
  from: Schema.optionalKey(Schema.String),
  to: Schema.optionalKey(Schema.String)
}

/** The part of a list that a query of {@link pageQuery} asks for. */
export const rangeOf = (query: { readonly limit?: number; readonly before?: string }) => ({
  limit: query.limit ?? PAGE_ITEMS_DEFAULT,
  before: query.before === undefined ? undefined : BigInt(query.before)
})

/** A moment as the API says it. */
export const momentOf = (at: Date): string => at.toISOString()

export const momentOrNull = (at: Date | null): string | null => at === null ? null : at.toISOString()
