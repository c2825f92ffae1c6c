/**
 * The kinds of values that config.yaml, a setting or a form may hold, as codecs over whatever YAML, the environment or a person
 * gave: a number and its text mean the same. Amounts and rates are exact decimals. What was decoded encodes to a text that decodes
 * to it again. A refusal says what was expected without ever repeating a text that could be a secret.
 */
import { Effect, Schema, SchemaIssue, SchemaTransformation, String as Str } from "effect"
import { type DecimalFormat, FEN_SCALE, formatDecimal, MICROS_SCALE, parseDecimal } from "./Money.ts"

/** The key of a field. Amounts have the unit of people: `minTopupFen` is `min_topup_cny`, `limit5hMicros` is `limit_5h_usd`. */
export const fileKeyOf = (field: string): string =>
  Str.camelToSnake(field.replace(/Fen$/, "Cny").replace(/Micros(?=$|Per)/, "Usd").replace(/([a-zA-Z])(\d)/g, "$1_$2"))

/** The longest received value that a message repeats, in characters; only plain numbers are ever repeated. */
const ECHO_LENGTH_MAX = 24

/** The text of a scalar as it was meant: a string trimmed, a number in its shortest exact form. */
export const textOf = (raw: unknown): string | undefined => {
  if (typeof raw === "string") return raw.trim()
  return typeof raw === "number" && Number.isFinite(raw) ? String(raw) : undefined
}

const received = (raw: unknown): string => {
  const text = textOf(raw)
  if (text === "") return ", got an empty value"
  if (text !== undefined && text.length <= ECHO_LENGTH_MAX && /^[-+.\deE]+$/.test(text)) return `, got ${text}`
  if (Array.isArray(raw)) return ", got a list"
  if (typeof raw === "object") return ", got a mapping"
  return typeof raw === "string" ? ", got some other text" : `, got a ${typeof raw}`
}

/**
 * A scalar that `parse` understands and `print` writes; undefined from `parse` is the error "expected <expected>, got ...".
 */
export const scalar = <A>(expected: string, parse: (raw: unknown) => A | undefined, print: (value: A) => unknown) =>
  Schema.Unknown.pipe(
    Schema.decodeTo(
      Schema.declare((_value: unknown): _value is A => true),
      SchemaTransformation.transformEffect<A, unknown>({
        decode: (raw) => {
          const value = parse(raw)
          return value === undefined
            ? Effect.fail(new SchemaIssue.InvalidValue({ message: `expected ${expected}${received(raw)}` }))
            : Effect.succeed(value)
        },
        encode: (value) => Effect.succeed(print(value))
      })
    )
  )

/** A key that may be left out; `value` is its default, written as it would be in the file. */
export const withDefault = <A>(schema: ReturnType<typeof scalar<A>>, value: unknown) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const asIs = <A>(value: A): A => value

export const Text = scalar("a text", textOf, asIs)

/** A text of a bounded length, in characters, that a database and a page can show. */
export const textUpTo = (min: number, max: number) =>
  scalar(`a text of ${min} to ${max} characters`, (raw) => {
    const text = textOf(raw)
    return text !== undefined && text.length >= min && text.length <= max && !/\p{Cc}/u.test(text.replaceAll("\n", ""))
      ? text
      : undefined
  }, asIs)

/** A text that matches a pattern; `expected` says what that is. */
export const textMatching = (pattern: RegExp, expected: string) =>
  scalar(expected, (raw) => {
    const text = textOf(raw)
    return text !== undefined && pattern.test(text) ? text : undefined
  }, asIs)

export const NonEmptyText = scalar("a text that is not empty", (raw) => textOf(raw) || undefined, asIs)

const flagOf = (raw: unknown): boolean | undefined => {
  if (typeof raw === "boolean") return raw
  const text = textOf(raw)
  return text === "true" ? true : text === "false" ? false : undefined
}

export const Flag = scalar("true or false", flagOf, String)

const integerIn = (raw: unknown, min: number, max: number): number | undefined => {
  const text = textOf(raw)
  if (text === undefined || !/^[-+]?\d{1,15}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** An integer in a closed range. */
export const integer = ({ max, min }: { readonly min: number; readonly max: number }) =>
  scalar(`an integer from ${min} to ${max}`, (raw) => integerIn(raw, min, max), String)

/** An integer up to a limit, for a limit; 0 is no limit, and null here. */
export const limitUpTo = (max: number) =>
  scalar<number | null>(`an integer from 0, which is no limit, to ${max}`, (raw) => {
    const value = integerIn(raw, 0, max)
    return value === 0 ? null : value
  }, (value) => String(value ?? 0))

/** Days for which something is kept; 0 is for ever, and null here. */
export const daysKept = ({ max, min }: { readonly min: number; readonly max: number }) =>
  scalar<number | null>(`0, which is for ever, or an integer from ${min} to ${max}`, (raw) => {
    const value = integerIn(raw, 0, max)
    return value === 0 ? null : value !== undefined && value >= min ? value : undefined
  }, (value) => String(value ?? 0))

/** One of a few words, in any case. */
export const oneOf = <const Words extends ReadonlyArray<string>>(words: Words) =>
  scalar<Words[number]>(
    words.join(" or "),
    (raw) => words.find((word) => word === textOf(raw)?.toLowerCase()),
    asIs
  )

/** Any of a few words, in any case: each once, in the order of `words`. */
export const anyOf = <const Word extends string>(words: ReadonlyArray<Word>) =>
  scalar<ReadonlyArray<Word>>(`a list of any of ${words.join(", ")}`, (raw) => {
    if (!Array.isArray(raw)) return undefined
    const chosen = raw.map((item) => textOf(item)?.toLowerCase())
    return chosen.every((item) => words.some((word) => word === item))
      ? words.filter((word) => chosen.includes(word))
      : undefined
  }, asIs)

const nonNegative = (value: bigint | undefined): bigint | undefined =>
  value === undefined || value < 0n ? undefined : value

/** An amount of CNY always has its two decimals; other numbers as many as they need, or `decimalsMin`. */
const printDecimal = (scale: number, decimalsMin = scale === FEN_SCALE ? FEN_SCALE : 0) => (value: bigint): string =>
  formatDecimal(value, { scale, decimalsMin })

/** A decimal as an integer scaled by 10^scale, zero or more. */
export const decimal = (scale: number) =>
  scalar(`a decimal string of at most ${scale} decimals, zero or more`, (raw) => {
    const text = textOf(raw)
    return text === undefined ? undefined : nonNegative(parseDecimal(text, scale))
  }, printDecimal(scale))

/** The same, or nothing: null for an empty text. */
export const optionalDecimal = (scale: number) =>
  scalar<bigint | null>(`a decimal string of at most ${scale} decimals, zero or more, or nothing`, (raw) => {
    const text = textOf(raw)
    if (text === "") return null
    return text === undefined ? undefined : nonNegative(parseDecimal(text, scale))
  }, (value) => value === null ? "" : printDecimal(scale)(value))

/** The same up to a largest value, which is decimal text too: what is beyond it was typed by mistake. */
export const decimalUpTo = (
  max: string,
  { decimalsMin, min = "0", scale }: DecimalFormat & { readonly min?: string }
) => {
  const [least = 0n, most = 0n] = [parseDecimal(min, scale), parseDecimal(max, scale)]
  return scalar(`a decimal string of at most ${scale} decimals, from ${min} to ${max}`, (raw) => {
    const text = textOf(raw)
    const value = text === undefined ? undefined : parseDecimal(text, scale)
    return value !== undefined && value >= least && value <= most ? value : undefined
  }, printDecimal(scale, decimalsMin))
}

/** A rate kept as its exact decimal text, above zero. */
export const Rate = scalar(`a decimal string of at most ${MICROS_SCALE} decimals, above zero`, (raw) => {
  const text = textOf(raw)
  const value = text === undefined ? undefined : parseDecimal(text, MICROS_SCALE)
  return value !== undefined && value > 0n ? text : undefined
}, asIs)
