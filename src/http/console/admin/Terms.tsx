/**
 * The terms of a plan, a model or a channel on its pages: the input of each, as text to be read, and what is said of a value that is
 * wrong. All of it follows from the fields of the model; a page adds their names.
 */
import { FEN_SCALE, formatDecimal, MICROS_SCALE } from "../../../domain/Money.ts"
import {
  type Field,
  type Fields,
  type Kind,
  type Model,
  textsOf,
  type Value,
  type ValueOf
} from "../../../domain/Model.ts"
import { Option, Schema } from "effect"
import type { Problems } from "../Answer.ts"
import type { AnyInput } from "../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"

/** What a term is called, what it is for, and the names of its options. */
export interface TermLabel {
  readonly label: string
  readonly hint?: string
  readonly options?: Readonly<Record<string, string>>
  /** Shown where no number is set. */
  readonly unset?: string
  /** Shown in a new form, where it is not what it means to leave the term out. */
  readonly initial?: string
  /** Said where the value is wrong, or does not go with others; absent: what follows from its kind. */
  readonly problem?: string
}

export type Labels<F> = { readonly [K in keyof F]: TermLabel }

/** What is wrong with a value of this kind. */
const kindProblem = (context: PageContext, kind: Kind): string => {
  const say = sayOf(context, "term")
  const { count } = context.formats
  const decimals = (min: bigint, max: bigint, scale: number) => {
    const text = (bound: bigint) => count(Number(formatDecimal(bound, { scale })))
    return say("problem.decimal", { min: text(min), max: text(max), decimals: scale })
  }
  switch (kind.is) {
    case "integer": {
      const range = { min: count(kind.min), max: count(kind.max) }
      return kind.isOptional ? say("problem.optional", range) : say("problem.integer", range)
    }
    case "decimal":
      return decimals(kind.min, kind.max, MICROS_SCALE)
    case "usd":
      return decimals(0n, kind.max, MICROS_SCALE)
    case "cny":
      return decimals(0n, kind.max, FEN_SCALE)
    case "day":
      return say("problem.calendar")
    case "text":
      if (!kind.isOptional) return say("problem.text", { max: kind.charactersMax })
      return kind.lines === undefined
        ? say("problem.text.optional", { max: kind.charactersMax })
        : say("problem.text.lines", { max: kind.charactersMax })
    default:
      return say("problem.choice")
  }
}

/** A value for people to read. */
const textOf = (
  context: PageContext,
  field: Field<Value>,
  { options, unset = "–" }: TermLabel,
  value: unknown
): string => {
  const say = sayOf(context, "term")
  if (value === null || value === "") return unset
  if (typeof value === "boolean") return value ? say("yes") : say("no")
  if (field.kind.is === "usd") return context.formats.usd(BigInt(String(value)))
  if (field.kind.is === "cny") return context.formats.cny(BigInt(String(value)))
  if (field.kind.is === "integer") return context.formats.count(Number(value))
  const texts = textsOf(field, value)
  return texts.length === 0 ? say("none") : texts.map((text) => options?.[text] ?? text).join(", ")
}

/** The input of a term; it shows what it means to leave the term out where nothing was typed yet. */
const inputFor = (
  name: string,
  field: Field<Value>,
  { initial, options, problem: _, unset, ...label }: TermLabel
): AnyInput => {
  const { kind } = field
  const initials = Option.match(field.otherwise, { onNone: () => [], onSome: (value) => textsOf(field, value) })
  const [first = ""] = initial === undefined ? initials : [initial]
  const named = (of: ReadonlyArray<string>) => of.map((option) => [option, options?.[option] ?? option] as const)
  const typed = { ...label, name, initial: first, placeholder: unset ?? "", required: !field.mayBeEmpty }
  switch (kind.is) {
    case "flag":
      return { ...label, name, is: "tick", initial: initials }
    case "choice":
      return { ...label, name, is: "select", initial: first, options: named(kind.options) }
    case "choices":
      return { ...label, name, is: "ticks", initial: initials, options: named(kind.options) }
    case "text":
      return kind.lines === undefined
        ? { ...typed, maxlength: kind.charactersMax }
        : { ...label, name, is: "lines", rows: kind.lines, initial: first }
    case "day":
      return { ...typed, is: "date" }
    default:
      return { ...typed, is: kind.is }
  }
}

/** The terms of a model as pages show them. A `prefix` is of the inputs of a form that has the same terms several times. */
export const shownTerms = <F extends Fields>(context: PageContext, model: Model<F>, labels: Labels<F>) => {
  const text = (name: keyof F & string, terms: ValueOf<F>) =>
    textOf(context, model.fields[name] as F[keyof F], labels[name], terms[name])
  return {
    labels,
    /** A value for people to read. */
    text,
    /** A column as the audit log keeps it; undefined where it is of none of these terms. */
    recorded: (column: string, value: unknown): { readonly label: string; readonly text: string } | undefined => {
      const name = model.names.find((one) => model.columns[one] === column)
      if (name === undefined) return undefined
      const field = model.fields[name] as F[keyof F]
      const read = Option.orElse(
        Schema.decodeUnknownOption(field.json)(value),
        () => Schema.decodeUnknownOption(field.row)(value)
      )
      const text = Option.match(read, {
        onNone: () => value === null ? labels[name].unset ?? "–" : String(value),
        onSome: (known) => textOf(context, field, labels[name], known)
      })
      return { label: labels[name].label, text }
    },
    /** To be laid out by the page. */
    inputs: (prefix = "") =>
      Object.fromEntries(
        model.entries.map(([name, field]) => [name, inputFor(`${prefix}${model.inputOf(name)}`, field, labels[name])])
      ) as { readonly [K in keyof F]: AnyInput },
    /** What each of these is called, and its value. */
    facts: (terms: ValueOf<F>, names: ReadonlyArray<keyof F & string> = model.names) =>
      names.map((name) => [labels[name].label, text(name, terms)] as const),
    /** What is wrong, by input. `wrong` has names of terms, or of their inputs. */
    problems: (wrong: ReadonlyArray<string>, prefix = ""): Problems =>
      Object.fromEntries(
        model.entries.filter(([name]) => wrong.includes(name) || wrong.includes(model.inputOf(name))).map((
          [name, { kind }]
        ) => [`${prefix}${model.inputOf(name)}`, labels[name].problem ?? kindProblem(context, kind)])
      )
  }
}

export type ShownTerms<F extends Fields> = ReturnType<typeof shownTerms<F>>
