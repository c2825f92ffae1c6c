/**
 * Terms of models and channels in forms: as the texts of fields, read from them, and what is said of a value that is wrong.
 */
import { Record, type Result } from "effect"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { documentOf, takeTerms, type TermKind, type TermList, type TermValue } from "../../../../domain/Term.ts"
import { defineMessages } from "../../text/Messages.ts"
import { sayOf, type Visit } from "../../Visit.ts"

const termText = defineMessages({
  "problem.integer": "Enter a whole number from {min} to {max}.",
  "problem.optional": "Enter a whole number from {min} to {max}, or leave it empty.",
  "problem.decimal": "Enter a number from {min} to {max} with at most {decimals} decimals.",
  "problem.choice": "Choose from the list.",
  "yes": "yes",
  "no": "no",
  "none": "none",
  "now": "Now: {value}"
}, {
  "problem.integer": "请填写 {min} 至 {max} 之间的整数。",
  "problem.optional": "请填写 {min} 至 {max} 之间的整数，或留空。",
  "problem.decimal": "请填写 {min} 至 {max} 之间的数，最多 {decimals} 位小数。",
  "problem.choice": "请从列表中选择。",
  "yes": "是",
  "no": "否",
  "none": "无",
  "now": "当前：{value}"
})

/** What a term is called, what it is for, and the names of its options. */
export interface TermLabel {
  readonly label: string
  readonly hint: string
  readonly options?: Readonly<Record<string, string>>
  /** Shown where no number is set. */
  readonly unset?: string
}

/** What is wrong with a value of this kind. */
export const termProblem = (visit: Visit, kind: TermKind): string => {
  const say = sayOf(visit, termText)
  switch (kind.is) {
    case "integer": {
      const range = { min: visit.formats.count(kind.min), max: visit.formats.count(kind.max) }
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
export const termValueText = (visit: Visit, value: TermValue, { options, unset }: TermLabel): string => {
  const say = sayOf(visit, termText)
  const nameOf = (option: string) => options?.[option] ?? option
  if (value === null) return unset ?? "–"
  if (typeof value === "boolean") return value ? say("yes") : say("no")
  if (typeof value === "number") return visit.formats.count(value)
  if (typeof value === "string") return nameOf(value)
  return value.length === 0 ? say("none") : value.map(nameOf).join(", ")
}

/** Said beside a field of what it has now, where that is not what was typed. */
export const nowText = (visit: Visit, value: TermValue, label: TermLabel): string =>
  sayOf(visit, termText)("now", { value: termValueText(visit, value, label) })

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
