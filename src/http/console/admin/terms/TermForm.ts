/**
 * Terms of models and channels in forms: as the texts of fields, read from them, and what is said of a value that is wrong.
 */
import { Record, type Result } from "effect"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { documentOf, takeTerms, type TermKind, type TermList, type TermValue } from "../../../../domain/Term.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"

/** What a term is called, what it is for, and the names of its options. */
export interface TermLabel {
  readonly label: string
  readonly hint: string
  readonly options?: Readonly<Record<string, string>>
  /** Shown where no number is set. */
  readonly unset?: string
}

/** What is wrong with a value of this kind. */
export const termProblem = (context: PageContext, kind: TermKind): string => {
  const say = sayOf(context, "term")
  switch (kind.is) {
    case "integer": {
      const range = { min: context.formats.count(kind.min), max: context.formats.count(kind.max) }
      return kind.isOptional ? say("problem.optional", range) : say("problem.integer", range)
    }
    case "decimal": {
      const [min = "", max = ""] = [kind.min, kind.max].map((bound) => formatDecimal(bound, MICROS_SCALE, 0))
      return say("problem.decimal", { min, max, decimals: MICROS_SCALE })
    }
    default:
      return say("problem.choice")
  }
}

/** A value for people to read. */
export const termValueText = (context: PageContext, value: TermValue, { options, unset }: TermLabel): string => {
  const say = sayOf(context, "term")
  const nameOf = (option: string) => options?.[option] ?? option
  if (value === null) return unset ?? "–"
  if (typeof value === "boolean") return value ? say("yes") : say("no")
  if (typeof value === "number") return context.formats.count(value)
  if (typeof value === "string") return nameOf(value)
  return value.length === 0 ? say("none") : value.map(nameOf).join(", ")
}

/** A value as its field has it; a choice of several, and a tick, are one entry for each. */
export const textsOf = (value: TermValue): ReadonlyArray<string> => {
  if (value === null) return [""]
  if (typeof value === "boolean") return value ? ["1"] : []
  return typeof value === "object" ? value : [String(value)]
}

/** All terms as the entries of a form. */
export const termEntries = <K extends string, T>(
  list: TermList<K, T>,
  terms: T
): ReadonlyArray<readonly [string, string]> =>
  Record.toEntries(documentOf(list, terms)).flatMap(([key, value]) =>
    textsOf(value).map((text) => [key, text] as const)
  )

const integerOf = (text: string, isOptional: boolean): number | null => {
  if (text === "" && isOptional) return null
  return /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
}

/** Undefined: the field was not sent. A tick that is not sent is one that is not set. */
const valueOf = (kind: TermKind, key: string, fields: URLSearchParams): TermValue | undefined => {
  const text = fields.get(key)?.trim()
  switch (kind.is) {
    case "integer":
      return text === undefined ? undefined : integerOf(text, kind.isOptional)
    case "flag":
      return text !== undefined
    case "choices":
      return fields.getAll(key)
    default:
      return text
  }
}

/** The terms of a form, in bounds or not; those that were not sent are `base`'s. Fails with choices that are not offered. */
export const readTermFields = <K extends string, T>(
  list: TermList<K, T>,
  fields: URLSearchParams,
  base: T
): Result.Result<T, ReadonlyArray<K>> =>
  takeTerms(list, Record.map(list, ({ kind }, key) => valueOf(kind, key, fields)), base)
