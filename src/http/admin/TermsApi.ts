/**
 * Terms of models, channels and plans in the administration's API: their schemas, and what is said of a value that is refused.
 */
import { Record, Schema } from "effect"
import type { Fields, Kind } from "../../domain/Model.ts"
import { FEN_SCALE, formatDecimal, MICROS_SCALE } from "../../domain/Money.ts"

/** What the value of a term is, as a sentence without its subject. */
export const rangeText = (kind: Kind): string => {
  switch (kind.is) {
    case "integer":
      return `is a whole number from ${kind.min} to ${kind.max}${kind.isOptional ? ", or null" : ""}`
    case "decimal": {
      const [min, max] = [kind.min, kind.max].map((bound) => formatDecimal(bound, { scale: MICROS_SCALE }))
      return `is a decimal text from ${min} to ${max} with at most ${MICROS_SCALE} decimals`
    }
    case "cny":
      return `is from 0 to ${formatDecimal(kind.max, { scale: FEN_SCALE })} CNY`
    case "usd":
      return `is from 0 to ${formatDecimal(kind.max, { scale: MICROS_SCALE })} USD${kind.isOptional ? ", or null" : ""}`
    case "text":
      return kind.isOptional
        ? `has at most ${kind.charactersMax} characters`
        : `has 1 to ${kind.charactersMax} characters`
    case "day":
      return `is a day, YYYY-MM-DD${kind.isOptional ? ", or empty" : ""}`
    case "flag":
      return "is true or false"
    case "choice":
      return `is ${kind.options.join(" or ")}`
    case "choices":
      return `is a list of any of ${kind.options.join(", ")}`
  }
}

/** Fields of the API's JSON, each with what it takes. Bounds are not the schema's: the use case refuses a value under its name. */
export const describedTerms = <F extends Fields>(
  { fields }: { readonly fields: F }
) =>
  Record.map(fields, ({ json, kind }) => {
    const about = { description: rangeText(kind) }
    return json.annotate(about).pipe(Schema.annotateEncoded(about))
  }) as { readonly [K in keyof F]: F[K]["json"] }
