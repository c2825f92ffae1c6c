/**
 * The kinds of fields that models have: each with its bounds, and with how it is read and written in a row, in JSON and by people.
 */
import { Option, Schema, SchemaTransformation } from "effect"
import type { Field } from "./Model.ts"
import { FEN_SCALE, formatDecimal, MICROS_SCALE } from "./Money.ts"
import { Millis } from "./Row.ts"
import { decimalUpTo, integer as integerText, textMatching } from "./Scalars.ts"

interface Options<A> {
  /** What it means to leave it out of a file. */
  readonly otherwise?: A
  /** An input of a form that is left empty means the same. */
  readonly mayBeEmpty?: boolean
  /** Its key in files, where that does not follow from its name. */
  readonly key?: string
}

const optional = <A>({ key, mayBeEmpty = false, otherwise }: Options<A>) => ({
  otherwise: Option.fromUndefinedOr(otherwise),
  mayBeEmpty,
  ...key === undefined ? {} : { key }
})

const bigintOf = (pattern: RegExp, identifier: string, description: string) =>
  Schema.String.check(Schema.isPattern(pattern)).annotate({ identifier, description }).pipe(
    Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform({ decode: BigInt, encode: String }))
  )

/** The number of a row, as text. */
export const IdJson = bigintOf(/^[1-9]\d{0,17}$/, "Id", "The number of a row, as decimal text.")

/** The same, read as an id of one kind. */
export const idJson = <Id extends bigint>(id: Schema.Codec<Id, bigint>) => IdJson.pipe(Schema.decodeTo(id))

/** A whole number of micros, fen or the like, as text. */
export const AmountJson = bigintOf(
  /^-?\d{1,18}$/,
  "Amount",
  "A whole number of the unit that the field's name ends in (micros of a USD, fen of a CNY), as decimal text."
)

/** A moment, as ISO 8601 in UTC. */
export const MomentJson = Schema.String.annotate({ identifier: "Moment", description: "ISO 8601, UTC." }).pipe(
  Schema.decodeTo(Schema.Date, SchemaTransformation.dateFromString)
)

/** A moment that is kept in milliseconds since the epoch. */
export const MillisJson = MomentJson.pipe(Schema.decodeTo(Millis))

/** A whole number within bounds, both of which belong to it. */
export const integer = (
  { max, min, ...options }: { readonly min: number; readonly max: number } & Options<number>
): Field<number> => ({
  ...optional(options),
  value: Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: min, maximum: max })),
  row: Schema.Number,
  json: Schema.Number,
  text: integerText(min, max),
  max: String(max)
})

/** A number from zero to `max`, kept scaled by 10^scale and written as a decimal. */
const decimal = (scale: number, decimalsMin: number, max: bigint, options: Options<bigint>): Field<bigint> => {
  const most = formatDecimal(max, scale, 0)
  return {
    ...optional(options),
    value: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: max })),
    row: Schema.BigInt,
    json: AmountJson,
    text: decimalUpTo(scale, most, decimalsMin),
    max: most
  }
}

/** An amount of CNY fen. */
export const fen = ({ max, ...options }: { readonly max: bigint } & Options<bigint>): Field<bigint> =>
  decimal(FEN_SCALE, FEN_SCALE, max, options)

/** An amount of USD micros. */
export const micros = ({ max, ...options }: { readonly max: bigint } & Options<bigint>): Field<bigint> =>
  decimal(MICROS_SCALE, 2, max, options)

/** A factor that is kept scaled by 10^6. */
export const factor = ({ max, ...options }: { readonly max: bigint } & Options<bigint>): Field<bigint> =>
  decimal(MICROS_SCALE, 0, max, options)

/** A text that matches a pattern; `expected` says what that is. */
export const text = (
  { charactersMax, expected, pattern, ...options }: {
    readonly pattern: RegExp
    readonly charactersMax: number
    readonly expected: string
  } & Options<string>
): Field<string> => ({
  ...optional(options),
  value: Schema.String.check(Schema.isPattern(pattern)),
  row: Schema.String,
  json: Schema.String,
  text: textMatching(pattern, expected),
  max: String(charactersMax)
})
