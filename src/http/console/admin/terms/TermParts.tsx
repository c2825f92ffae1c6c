/**
 * All terms of a model or a channel: as inputs of its form, each named as its term, and as facts to be read.
 */
import type { Term } from "../../../../domain/Fields.ts"
import type { JsonValue, Model, ValueOf } from "../../../../domain/Model.ts"
import type { FormState } from "../../Answer.ts"
import { type AnyInput, Inputs } from "../../kit/Inputs.tsx"
import type { Fact } from "../../kit/Parts.tsx"
import type { PageContext } from "../../PageContext.ts"
import { type ShownTerm, type TermLabel, termValueText, textsOf } from "./TermForm.ts"

type Terms = Readonly<Record<string, Term<JsonValue>>>
type Labels<F> = { readonly [K in keyof F]: TermLabel }

/** The input of a term of this kind; `value` is shown where nothing was typed yet. */
const inputOf = (name: string, { field, label: { options, unset, ...label }, value }: ShownTerm): AnyInput => {
  const { kind } = field
  const texts = textsOf(field, value)
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
export function TermInputs<F extends Terms>(
  { initial, labels, model: { entries, keys, names: all }, names = all, state }: {
    readonly state: FormState
    readonly model: Model<F>
    readonly labels: Labels<F>
    /** Shown where nothing was typed yet. */
    readonly initial: ValueOf<F>
    /** Only these; absent: all. */
    readonly names?: ReadonlyArray<keyof F & string>
  }
) {
  const inputs = names.flatMap((name) =>
    entries.filter(([known]) => known === name).map(([, field]) =>
      inputOf(keys[name], { field, value: initial[name], label: labels[name] })
    )
  )
  return (
    <Inputs
      state={state}
      inputs={[inputs.filter(({ is }) => is !== "ticks"), ...inputs.filter(({ is }) => is === "ticks")]}
    />
  )
}

export const termFacts = <F extends Terms>(
  context: PageContext,
  { entries }: Model<F>,
  labels: Labels<F>,
  terms: ValueOf<F>
): ReadonlyArray<Fact> =>
  entries.map(([name, field]) => [
    labels[name].label,
    termValueText(context, { field, value: terms[name], label: labels[name] })
  ])
