/**
 * Terms of models and channels in forms: as the texts of fields, read from them, and what is said of a value that is wrong.
 */
import { type Result, Schema } from "effect"
import type { Term, TermKind } from "../../../../domain/Fields.ts"
import type { JsonValue, Model, ValueOf } from "../../../../domain/Model.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
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

/** A term that is shown in a form or in a list of facts, and what it is. */
export interface ShownTerm {
  readonly field: Term<JsonValue>
  readonly value: unknown
  readonly label: TermLabel
}

/** As JSON has it: a decimal is text. */
const jsonOf = ({ json }: Term<JsonValue>, value: unknown): JsonValue => Schema.encodeUnknownSync(json)(value)

/** A value for people to read. */
export const termValueText = (context: PageContext, { field, label: { options, unset }, value }: ShownTerm): string => {
  const say = sayOf(context, "term")
  const nameOf = (option: string) => options?.[option] ?? option
  const json = jsonOf(field, value)
  if (json === null) return unset ?? "–"
  if (typeof json === "boolean") return json ? say("yes") : say("no")
  if (typeof json === "number") return context.formats.count(json)
  if (typeof json === "string") return nameOf(json)
  return json.length === 0 ? say("none") : json.map(nameOf).join(", ")
}

/** A value as its field has it; a choice of several, and a tick, are one entry for each. */
export const textsOf = (field: Term<JsonValue>, value: unknown): ReadonlyArray<string> => {
  const json = jsonOf(field, value)
  if (json === null) return [""]
  if (typeof json === "boolean") return json ? ["1"] : []
  return typeof json === "object" ? json : [String(json)]
}

type TermFields = Readonly<Record<string, Term<JsonValue>>>

/** All terms as the entries of a form. */
export const termEntries = <F extends TermFields>(
  { entries, keys }: Model<F>,
  terms: ValueOf<F>
): ReadonlyArray<readonly [string, string]> =>
  entries.flatMap(([name, field]) => textsOf(field, terms[name]).map((text) => [keys[name], text] as const))

const integerOf = (text: string, isOptional: boolean): number | null => {
  if (text === "" && isOptional) return null
  return /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
}

/** Undefined: the field was not sent. A tick that is not sent is one that is not set. */
const valueOf = (kind: TermKind, key: string, fields: URLSearchParams): JsonValue | undefined => {
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
export const readTermFields = <F extends TermFields>(
  { entries, keys, readJson }: Model<F>,
  form: URLSearchParams,
  base: ValueOf<F>
): Result.Result<ValueOf<F>, ReadonlyArray<keyof F & string>> =>
  readJson(Object.fromEntries(entries.map(([name, { kind }]) => [name, valueOf(kind, keys[name], form)])), base)
