/**
 * The kinds of fields that models have: each with its bounds, and with how it is read and written in a row, in JSON and by people.
 */
import { Option, Schema, SchemaTransformation } from "effect"
import { startOfDay } from "./Days.ts"
import type { Field, Kind } from "./Model.ts"
import { type DecimalFormat, FEN_SCALE, formatDecimal, MICROS_SCALE, parseDecimal } from "./Money.ts"
import { Millis } from "./Row.ts"
import { anyOf, decimalUpTo, Flag, integer as integerText, oneOf, scalar, textMatching, textOf } from "./Scalars.ts"

interface Options<A> {
  /** What it means to leave it out of a file. */
  readonly otherwise?: A
  /** An input of a form that is left empty means the same. */
  readonly mayBeEmpty?: boolean
  /** Its key in files, where that does not follow from its name. */
  readonly key?: string
  /** Its column, where that does not follow from its name. */
  readonly column?: string
}

const optional = <A>({ mayBeEmpty = false, otherwise, ...names }: Options<A>) => ({
  otherwise: Option.fromUndefinedOr(otherwise),
  mayBeEmpty,
  ...names
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

/** What is typed for a whole number; `NaN`, which is out of bounds, for everything else. */
const IntegerTyped = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transform({
      // "-0" is 0.
      decode: (text) => /^-?\d{1,12}$/.test(text) ? Number(text) + 0 : Number.NaN,
      encode: String
    })
  )
)

/** A whole number within bounds, both of which belong to it. */
export const integer = (
  { max, min, ...options }: { readonly min: number; readonly max: number } & Options<number>
): Field<number> => ({
  ...optional(options),
  kind: { is: "integer", min, max, isOptional: false },
  value: Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: min, maximum: max })),
  row: Schema.Number,
  json: Schema.Number,
  text: integerText({ min, max }),
  typed: IntegerTyped
})

/** The same, or null where it is not known, which is what it means to leave it out. */
export const integerOrNull = (
  { max, min }: { readonly min: number; readonly max: number }
): Field<number | null> => {
  const known = integer({ min, max })
  return {
    ...known,
    ...optional<number | null>({ otherwise: null, mayBeEmpty: true }),
    kind: { is: "integer", min, max, isOptional: true },
    value: Schema.NullOr(known.value),
    row: Schema.NullOr(Schema.Number),
    json: Schema.NullOr(Schema.Number),
    typed: Schema.NullOr(known.typed)
  }
}

/** Decimal text; what is no decimal is `NaN`, which is out of bounds. */
const MillionthsText = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transform({
      decode: (text) => Number(parseDecimal(text, MICROS_SCALE) ?? Number.NaN),
      encode: (value) => Number.isInteger(value) ? formatDecimal(BigInt(value), { scale: MICROS_SCALE }) : ""
    })
  )
)

/** A factor that is kept as a number, scaled by 10^6, and is decimal text everywhere else. */
export const ratio = (
  { max, min, ...options }: { readonly min: bigint; readonly max: bigint } & Options<number>
): Field<number> => {
  const [least, most] = [min, max].map((bound) => formatDecimal(bound, { scale: MICROS_SCALE })) as [string, string]
  return {
    ...optional(options),
    kind: { is: "decimal", min, max },
    value: Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: Number(min), maximum: Number(max) })),
    row: MillionthsText,
    json: MillionthsText,
    text: decimalUpTo(most, { scale: MICROS_SCALE, decimalsMin: 0, min: least }).pipe(
      Schema.decodeTo(Schema.Number, SchemaTransformation.transform({ decode: Number, encode: BigInt }))
    ),
    typed: MillionthsText
  }
}

export const flag = (options: Options<boolean>): Field<boolean> => ({
  ...optional(options),
  kind: { is: "flag" },
  value: Schema.Boolean,
  row: Schema.Boolean,
  json: Schema.Boolean,
  text: Flag,
  typed: Schema.Boolean
})

/** One of a few words. */
export const choice = <const Word extends string>(
  words: ReadonlyArray<Word>,
  options: Options<Word>
): Field<Word> => {
  const word = Schema.Literals(words)
  return {
    ...optional(options),
    kind: { is: "choice", options: words },
    value: word,
    row: word,
    json: word,
    text: oneOf(words),
    typed: word
  }
}

/** Any of a few words, each once and in their order. */
export const choices = <const Word extends string>(
  words: ReadonlyArray<Word>,
  options: Options<ReadonlyArray<Word>>
): Field<ReadonlyArray<Word>> => {
  const value = Schema.Array(Schema.Literals(words))
  const inOrder = value.pipe(
    Schema.decodeTo(
      value,
      SchemaTransformation.transform<ReadonlyArray<Word>, ReadonlyArray<Word>>({
        decode: (chosen) => words.filter((word) => chosen.includes(word)),
        encode: (chosen) => chosen
      })
    )
  )
  return {
    ...optional(options),
    kind: { is: "choices", options: words },
    value,
    row: inOrder,
    json: inOrder,
    text: anyOf(words),
    typed: inOrder
  }
}

/** What is typed for a decimal of zero or more; for everything else a number below zero, which is out of bounds. */
const decimalTyped = (format: Required<DecimalFormat>) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.BigInt,
      SchemaTransformation.transform({
        decode: (text) => parseDecimal(text, format.scale) ?? -1n,
        encode: (value) => formatDecimal(value, format)
      })
    )
  )

/** A number from zero to `max`, kept scaled by 10^scale and written as a decimal. */
const decimal = (
  kind: Extract<Kind, { readonly max: bigint }>,
  format: Required<DecimalFormat>,
  options: Options<bigint>
): Field<bigint> => ({
  ...optional(options),
  kind,
  value: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: kind.max })),
  row: Schema.BigInt,
  json: AmountJson,
  text: decimalUpTo(formatDecimal(kind.max, { scale: format.scale }), format),
  typed: decimalTyped(format)
})

interface Amount extends Options<bigint> {
  readonly max: bigint
}

/** An amount of CNY fen. */
export const fen = ({ max, ...options }: Amount): Field<bigint> =>
  decimal({ is: "cny", max, isOptional: false }, { scale: FEN_SCALE, decimalsMin: FEN_SCALE }, options)

/** An amount of USD micros. */
export const micros = ({ max, ...options }: Amount): Field<bigint> =>
  decimal({ is: "usd", max, isOptional: false }, { scale: MICROS_SCALE, decimalsMin: 2 }, options)

/** The same, or null: there is no value. A field that is left out is null. */
export const microsOrNull = ({ max, ...names }: Pick<Amount, "max" | "key">): Field<bigint | null> => {
  const known = micros({ max, ...names })
  return {
    ...known,
    ...optional<bigint | null>({ otherwise: null, mayBeEmpty: true, ...names }),
    kind: { is: "usd", max, isOptional: true },
    value: Schema.NullOr(known.value),
    row: Schema.NullOr(known.row),
    json: Schema.NullOr(known.json),
    typed: Schema.NullOr(known.typed)
  }
}

/** A factor that is kept scaled by 10^6. */
export const factor = ({ max, ...options }: Amount): Field<bigint> =>
  decimal({ is: "decimal", min: 0n, max }, { scale: MICROS_SCALE, decimalsMin: 0 }, options)

/** A text that matches a pattern; `expected` says what that is. */
export const text = (
  { charactersMax, expected, pattern, ...options }: {
    readonly pattern: RegExp
    readonly charactersMax: number
    readonly expected: string
  } & Options<string>
): Field<string> => ({
  ...optional(options),
  kind: { is: "text", charactersMax, isOptional: false },
  value: Schema.String.check(Schema.isPattern(pattern)),
  row: Schema.String,
  json: Schema.String,
  text: textMatching(pattern, expected),
  typed: Schema.String
})

/** A text that may be empty, on one line or on several. Left out, it is empty. */
export const optionalText = (
  { charactersMax, lines, ...names }: {
    readonly charactersMax: number
    /** It may have several, of which so many are shown at once. */
    readonly lines?: number
  } & Pick<Options<string>, "key" | "column">
): Field<string> => {
  const character = lines === undefined ? "[^\\p{Cc}\\p{Cs}]" : "(?:[^\\p{Cc}\\p{Cs}]|\\n)"
  return {
    ...text({
      pattern: new RegExp(`^${character}{0,${charactersMax}}$`, "u"),
      charactersMax,
      expected: `a text of at most ${charactersMax} characters${lines === undefined ? " on one line" : ""}`,
      otherwise: "",
      mayBeEmpty: true,
      ...names
    }),
    kind: { is: "text", charactersMax, isOptional: true, ...lines === undefined ? {} : { lines } }
  }
}

const isDay = (text: string): boolean => startOfDay(text, "UTC") !== undefined

/** A day of the calendar, as text. */
export const day = (options: Options<string>): Field<string> => ({
  ...optional(options),
  kind: { is: "day", isOptional: false },
  value: Schema.String.check(Schema.makeFilter(isDay)),
  row: Schema.String,
  json: Schema.String,
  text: scalar("a day, YYYY-MM-DD", (raw) => {
    const text = textOf(raw)
    return text !== undefined && isDay(text) ? text : undefined
  }, (text) => text),
  typed: Schema.String
})

/** The same, or an empty text. */
export const optionalDay = (): Field<string> => ({
  ...day({ otherwise: "", mayBeEmpty: true }),
  kind: { is: "day", isOptional: true },
  value: Schema.String.check(Schema.makeFilter((text) => text === "" || isDay(text)))
})
