/**
 * All terms of a model or a channel: as inputs of its form, and as facts to be read.
 */
import { Record } from "effect"
import type { TermList } from "../../../../domain/Term.ts"
import type { FormState } from "../../Answer.ts"
import type { Fact } from "../../kit/Facts.tsx"
import type { PageContext, UserContext } from "../../PageContext.ts"
import { type TermLabel, termValueText } from "./TermForm.ts"
import { TermInput } from "./TermInput.tsx"

type Labels<K extends string> = Readonly<Record<K, TermLabel>>

export function TermInputs<K extends string, T>(
  { initial, keys, labels, list, state, context }: {
    readonly context: UserContext
    readonly state: FormState
    readonly list: TermList<K, T>
    readonly labels: Labels<K>
    /** Shown where nothing was typed yet. */
    readonly initial: T
    /** Only these; absent: all. */
    readonly keys?: ReadonlyArray<K>
  }
) {
  return (
    <div class="row gx-3">
      {(keys ?? Record.keys(list)).map((key) => (
        <div key={key} class={list[key].kind.is === "choices" ? "col-12" : "col-md-6"}>
          <TermInput
            context={context}
            state={state}
            name={key}
            kind={list[key].kind}
            label={labels[key]}
            initial={list[key].get(initial)}
          />
        </div>
      ))}
    </div>
  )
}

export const termFacts = <K extends string, T>(
  context: PageContext,
  list: TermList<K, T>,
  labels: Labels<K>,
  terms: T
): ReadonlyArray<Fact> =>
  Record.keys(list).map((key) => [labels[key].label, termValueText(context, list[key].get(terms), labels[key])])
