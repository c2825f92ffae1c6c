/**
 * Terms of models and channels as data: the kind and the bounds of each, and how it is read from and written to JSON.
 * config.yaml, the database, the API, the forms and the audit log go over the same lists, so a new term is described once.
 */
import { Record, Result } from "effect"
import { formatDecimal, MICROS_SCALE, parseDecimal } from "./Money.ts"

/** A term's value as JSON has it. A decimal is text, because JSON numbers lose digits. */
export type TermValue = string | number | boolean | null | ReadonlyArray<string>

/** What values a term takes. Both ends of a range belong to it. */
export type TermKind =
  /** `isOptional`: null, or an empty field, says that the number is not known. */
  | { readonly is: "integer"; readonly min: number; readonly max: number; readonly isOptional: boolean }
  /** Scaled by 10^6. */
  | { readonly is: "decimal"; readonly min: bigint; readonly max: bigint }
  | { readonly is: "flag" }
  | { readonly is: "choice"; readonly options: ReadonlyArray<string> }
  /** Any of the options, in their order. */
  | { readonly is: "choices"; readonly options: ReadonlyArray<string> }

/** One term of `T`. */
export interface Term<T> {
  readonly kind: TermKind
  readonly get: (terms: T) => TermValue
  /** The part of `T` that says this, in bounds or not; undefined for a value of another type. */
  readonly set: (value: unknown) => Partial<T> | undefined
}

interface Range {
  readonly min: number
  readonly max: number
}

/** Makes terms of `T`, each from how it is read and how it is written. */
export const termMakers = <T>() => ({
  integer: (range: Range, get: (terms: T) => number, set: (value: number) => Partial<T>): Term<T> => ({
    kind: { is: "integer", ...range, isOptional: false },
    get,
    set: (value) => typeof value === "number" ? set(value) : undefined
  }),
  optional: (range: Range, get: (terms: T) => number | null, set: (value: number | null) => Partial<T>): Term<T> => ({
    kind: { is: "integer", ...range, isOptional: true },
    get,
    set: (value) => value === null || typeof value === "number" ? set(value) : undefined
  }),
  /** Of a number that is kept scaled by 10^6; text that is no decimal becomes `NaN`, which is out of bounds. */
  decimal: (
    range: { readonly min: bigint; readonly max: bigint },
    get: (terms: T) => number,
    set: (micros: number) => Partial<T>
  ): Term<T> => ({
    kind: { is: "decimal", ...range },
    get: (terms) => Number.isInteger(get(terms)) ? formatDecimal(BigInt(get(terms)), MICROS_SCALE, 0) : "",
    set: (value) => typeof value === "string" ? set(Number(parseDecimal(value, MICROS_SCALE) ?? Number.NaN)) : undefined
  }),
  flag: (get: (terms: T) => boolean, set: (value: boolean) => Partial<T>): Term<T> => ({
    kind: { is: "flag" },
    get,
    set: (value) => typeof value === "boolean" ? set(value) : undefined
  }),
  choice: <O extends string>(
    options: ReadonlyArray<O>,
    get: (terms: T) => O,
    set: (value: O) => Partial<T>
  ): Term<T> => ({
    kind: { is: "choice", options },
    get,
    set: (value) => {
      const option = options.find((known) => known === value)
      return option === undefined ? undefined : set(option)
    }
  }),
  choices: <O extends string>(
    options: ReadonlyArray<O>,
    get: (terms: T) => ReadonlyArray<O>,
    set: (value: ReadonlyArray<O>) => Partial<T>
  ): Term<T> => ({
    kind: { is: "choices", options },
    get,
    set: (value) => {
      if (!Array.isArray(value) || !value.every((item) => options.some((known) => known === item))) return undefined
      return set(options.filter((option) => value.includes(option)))
    }
  })
})

/** Whether a value is of the kind and in its bounds. */
export const fits = (kind: TermKind, value: unknown): boolean => {
  switch (kind.is) {
    case "integer":
      return value === null
        ? kind.isOptional
        : typeof value === "number" && Number.isInteger(value) && value >= kind.min && value <= kind.max
    case "decimal": {
      const micros = typeof value === "string" ? parseDecimal(value, MICROS_SCALE) : undefined
      return micros !== undefined && micros >= kind.min && micros <= kind.max
    }
    case "flag":
      return typeof value === "boolean"
    case "choice":
      return kind.options.some((option) => option === value)
    case "choices":
      return Array.isArray(value) && value.every((item) => kind.options.some((option) => option === item))
  }
}

/** Terms by the names that they have in config.yaml, in the database, in the API and in forms. */
export type TermList<K extends string, T> = Readonly<Record<K, Term<T>>>

/** All terms as JSON. */
export const documentOf = <K extends string, T>(list: TermList<K, T>, terms: T): Readonly<Record<K, TermValue>> =>
  Record.map(list, (term) => term.get(terms))

const withPart = <T>(terms: T, part: Partial<T>): T => ({ ...terms, ...part })

/**
 * The terms that a document says, in bounds or not; those that it does not name are `base`'s. Fails with the names of those
 * that have a value of another type.
 */
export const takeTerms = <K extends string, T>(
  list: TermList<K, T>,
  document: Readonly<Record<string, unknown>>,
  base: T
): Result.Result<T, ReadonlyArray<K>> => {
  const wrong: Array<K> = []
  let terms = base
  for (const key of Record.keys(list)) {
    const value = document[key]
    if (value === undefined) continue
    const part = list[key].set(value)
    if (part === undefined) wrong.push(key)
    else terms = withPart(terms, part)
  }
  return wrong.length === 0 ? Result.succeed(terms) : Result.fail(wrong)
}

/** The names of the terms that are out of bounds. */
export const wrongTerms = <K extends string, T>(list: TermList<K, T>, terms: T): ReadonlyArray<K> =>
  Record.keys(list).filter((key) => !fits(list[key].kind, list[key].get(terms)))

/** The same as {@link takeTerms}, and all of them in bounds. */
export const readTerms = <K extends string, T>(
  list: TermList<K, T>,
  document: Readonly<Record<string, unknown>>,
  base: T
): Result.Result<T, ReadonlyArray<K>> =>
  Result.flatMap(takeTerms(list, document, base), (terms) => {
    const wrong = wrongTerms(list, terms)
    return wrong.length === 0 ? Result.succeed(terms) : Result.fail(wrong)
  })
