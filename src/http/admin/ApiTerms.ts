/**
 * The terms of models and channels in the administration's API, from the lists that describe them: their fields, how a payload is
 * read, and what is said of a term that is out of bounds.
 */
import { Effect, Record, Result, Schema } from "effect"
import { formatDecimal, MICROS_SCALE } from "../../domain/Money.ts"
import { readTerms, type TermKind, type TermList } from "../../domain/Term.ts"
import { ApiRefused } from "./ApiError.ts"

const decimalText = (value: bigint): string => formatDecimal(value, MICROS_SCALE, 0)

/** What a term takes, in words. */
export const kindText = (kind: TermKind): string => {
  switch (kind.is) {
    case "integer":
      return `is a whole number from ${kind.min} to ${kind.max}${kind.isOptional ? ", or null" : ""}`
    case "decimal":
      return `is a decimal text from ${decimalText(kind.min)} to ${decimalText(kind.max)}`
    case "flag":
      return "is true or false"
    case "choice":
      return `is ${kind.options.join(" or ")}`
    case "choices":
      return `is a list of any of ${kind.options.join(", ")}`
  }
}

const Value = Schema.Union([
  Schema.String,
  Schema.Number,
  Schema.Boolean,
  Schema.Null,
  Schema.Array(Schema.String)
])

/** The fields of a list as they are answered. */
export const termFields = <K extends string, T>(list: TermList<K, T>) =>
  Record.map(list, ({ kind }) => Value.annotate({ description: kindText(kind) }))

/** The fields of a list as they may be sent. */
export const newTermFields = <K extends string, T>(list: TermList<K, T>) =>
  Record.map(list, ({ kind }) => Schema.optionalKey(Value.annotate({ description: kindText(kind) })))

/** The text of a term's name, in case a list does not know it. */
export const termText = <K extends string, T>(list: TermList<K, T>, name: string): string => {
  const found = Record.toEntries(list).find(([key]) => key === name)
  return found === undefined ? "is not known" : kindText(found[1].kind)
}

/** The terms that a payload says; those that it leaves out are `base`'s. */
export const apiTerms = <K extends string, T>(
  list: TermList<K, T>,
  payload: object,
  base: T
): Effect.Effect<T, ApiRefused> =>
  Result.match(readTerms(list, Object.fromEntries(Object.entries(payload)), base), {
    onSuccess: (terms) => Effect.succeed(terms),
    onFailure: (keys) =>
      Effect.fail(
        new ApiRefused({
          message: keys.map((key) => `${key} ${kindText(list[key].kind)}`).join("; "),
          problems: Object.fromEntries(keys.map((key) => [key, kindText(list[key].kind)]))
        })
      )
  })
