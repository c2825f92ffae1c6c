/**
 * All terms of a model or a channel: as inputs of its form, each named as its term, and as facts to be read.
 */
import { Record } from "effect"
import type { TermKind, TermList, TermValue } from "../../../../domain/Term.ts"
import type { FormState } from "../../Answer.ts"
import type { Fact } from "../../kit/Facts.tsx"
import { type AnyInput, Inputs } from "../../kit/Inputs.tsx"
import type { PageContext } from "../../PageContext.ts"
import { type TermLabel, termValueText, textsOf } from "./TermForm.ts"

type Labels<K extends string> = Readonly<Record<K, TermLabel>>

/** The input of a term of this kind; `value` is shown where nothing was typed yet. */
const inputOf = (name: string, kind: TermKind, value: TermValue, { options, unset, ...label }: TermLabel): AnyInput => {
  const texts = textsOf(value)
  const number = { ...label, name, initial: texts[0] ?? "", placeholder: unset ?? "" }
  const named = (of: ReadonlyArray<string>) => of.map((option) => [option, options?.[option] ?? option] as const)
  switch (kind.is) {
    case "integer":
      return { ...number, is: "integer", required: !kind.isOptional }
    case "decimal":
      return { ...number, is: "decimal", required: true }
    case "flag":
      return { ...label, name, is: "tick", initial: texts }
    case "choice":
      return { ...label, name, is: "select", initial: texts[0], options: named(kind.options) }
    case "choices":
      return { ...label, name, is: "ticks", initial: texts, options: named(kind.options) }
  }
}

/** Those with many options last, as they take the whole width. */
export function TermInputs<K extends string, T>(
  { initial, labels, list, keys = Record.keys(list), state }: {
    readonly state: FormState
    readonly list: TermList<K, T>
    readonly labels: Labels<K>
    /** Shown where nothing was typed yet. */
    readonly initial: T
    /** Only these; absent: all. */
    readonly keys?: ReadonlyArray<K>
  }
) {
  const inputs = keys.map((key) => inputOf(key, list[key].kind, list[key].get(initial), labels[key]))
  return (
    <Inputs
      state={state}
      inputs={[inputs.filter(({ is }) => is !== "ticks"), ...inputs.filter(({ is }) => is === "ticks")]}
    />
  )
}

export const termFacts = <K extends string, T>(
  context: PageContext,
  list: TermList<K, T>,
  labels: Labels<K>,
  terms: T
): ReadonlyArray<Fact> =>
  Record.keys(list).map((key) => [labels[key].label, termValueText(context, list[key].get(terms), labels[key])])
