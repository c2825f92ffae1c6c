/**
 * A choice of one of several, with its hint and its problem: as a list that opens, or all of them below one another.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../Answer.ts"

export interface ChoiceProps {
  readonly state: FormState
  readonly name: string
  readonly label: string
  readonly hint?: ComponentChildren
  /** Chosen where nothing was chosen yet; the first of a list that opens by default. */
  readonly initial?: string
  readonly options: ReadonlyArray<readonly [value: string, text: string, hint?: string]>
}

/** What an input says of itself: whether it is wrong, and which texts describe it. */
const described = ({ hint, name, state }: ChoiceProps) => {
  const problem = state.problems[name]
  const ids = [
    ...problem === undefined ? [] : [`field-${name}-problem`],
    ...hint === undefined ? [] : [`field-${name}-hint`]
  ]
  return {
    "aria-invalid": problem === undefined ? undefined : "true" as const,
    "aria-describedby": ids.length === 0 ? undefined : ids.join(" ")
  }
}

/** Below the options: what is wrong, and the hint. */
const Notes = ({ hint, name, state }: ChoiceProps) => {
  const problem = state.problems[name]
  return (
    <>
      {problem === undefined
        ? null
        : <div id={`field-${name}-problem`} class="invalid-feedback d-block">{problem}</div>}
      {hint === undefined ? null : <div id={`field-${name}-hint`} class="form-hint mt-1">{hint}</div>}
    </>
  )
}

const classOf = (base: string, { name, state }: ChoiceProps): string =>
  `${base} ${state.problems[name] === undefined ? "" : "is-invalid"}`

export const Select = (props: ChoiceProps) => {
  const { initial, label, name, options, state } = props
  const chosen = state.values.get(name) ?? initial
  return (
    <div class="mb-3">
      <label class="form-label required" for={`field-${name}`}>{label}</label>
      <select class={classOf("form-select", props)} id={`field-${name}`} name={name} {...described(props)}>
        {options.map(([value, text]) => <option key={value} value={value} selected={value === chosen}>{text}</option>)}
      </select>
      <Notes {...props} />
    </div>
  )
}

export const Radios = (props: ChoiceProps) => {
  const { initial, label, name, options, state } = props
  const chosen = state.values.get(name) ?? initial
  return (
    <fieldset class="mb-3" {...described(props)}>
      <legend class="form-label required">{label}</legend>
      {options.map(([value, text, hint]) => (
        <label key={value} class="form-check">
          <input
            class={classOf("form-check-input", props)}
            type="radio"
            name={name}
            value={value}
            checked={value === chosen}
          />
          <span class="form-check-label">{text}</span>
          {hint === undefined ? null : <span class="form-check-description">{hint}</span>}
        </label>
      ))}
      <Notes {...props} />
    </fieldset>
  )
}
