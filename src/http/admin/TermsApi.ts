/**
 * Terms of models and channels in the administration's API: their schemas, and what is said of a value that is refused.
 */
import { Record, Schema } from "effect"
import { formatDecimal, MICROS_SCALE } from "../../domain/Money.ts"
import type { Term, TermKind, TermList, TermValue } from "../../domain/Term.ts"

/** What the value of a term is, as a sentence without its subject. */
export const rangeText = (kind: TermKind): string => {
  switch (kind.is) {
    case "integer":
      return `is a whole number from ${kind.min} to ${kind.max}${kind.isOptional ? ", or null" : ""}`
    case "decimal": {
      const [min, max] = [kind.min, kind.max].map((bound) => formatDecimal(bound, MICROS_SCALE, 0))
      return `is a decimal text from ${min} to ${max} with at most ${MICROS_SCALE} decimals`
    }
    case "flag":
      return "is true or false"
    case "choice":
      return `is ${kind.options.join(" or ")}`
    case "choices":
      return `is a list of any of ${kind.options.join(", ")}`
  }
}

/** Bounds are not the schema's: a value outside is refused by the use case, under the name of its field. */
const schemaOf = <T>({ kind }: Term<T>): Schema.Codec<TermValue> => {
  const description = rangeText(kind)
  switch (kind.is) {
    case "integer":
      return (kind.isOptional ? Schema.NullOr(Schema.Number) : Schema.Number).annotate({ description })
    case "decimal":
      return Schema.String.annotate({ description })
    case "flag":
      return Schema.Boolean.annotate({ description })
    case "choice":
      return Schema.Literals(kind.options).annotate({ description })
    case "choices":
      return Schema.Array(Schema.Literals(kind.options)).annotate({ description })
  }
}

/** Fields of an answer. */
export const termFields = <K extends string, T>(list: TermList<K, T>) => Record.map(list, (term) => schemaOf(term))

/** Fields of a request, each of which may be left out. */
export const optionalTermFields = <K extends string, T>(list: TermList<K, T>) =>
  Record.map(list, (term) => Schema.optionalKey(schemaOf(term)))
