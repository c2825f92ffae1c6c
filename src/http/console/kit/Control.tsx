/**
 * A control of any kind with its label, its hint and what is wrong with it, tied together for screen readers.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../Answer.ts"

export interface Described {
  readonly state: FormState
  readonly name: string
  readonly hint?: ComponentChildren
}

/** What a control says of itself: whether it is wrong, and which texts describe it. */
export const describedBy = ({ hint, name, state }: Described) => {
  const problem = state.problems[name]
  const ids = [problem === undefined ? [] : `field-${name}-problem`, hint === undefined ? [] : `field-${name}-hint`]
  return {
    "aria-invalid": problem === undefined ? undefined : "true" as const,
    "aria-describedby": ids.flat().length === 0 ? undefined : ids.flat().join(" ")
  }
}

/** The class of a control, and that it is wrong. */
export const classOf = (look: string, { name, state }: Described): string =>
  `${look} ${state.problems[name] === undefined ? "" : "is-invalid"}`

/** Below a control: what is wrong, and the hint. */
export const Notes = ({ hint, name, state }: Described) => {
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

export interface ControlProps extends Described {
  readonly label: string
  readonly required?: boolean
}

interface LabelledProps extends ControlProps {
  /** Its class, such as `form-select`. */
  readonly look: string
  readonly children: (attributes: ReturnType<typeof attributesOf>) => ComponentChildren
}

const attributesOf = (props: LabelledProps) => ({
  id: `field-${props.name}`,
  name: props.name,
  class: classOf(props.look, props),
  ...describedBy(props)
})

export const Control = (props: LabelledProps) => (
  <div class="mb-3">
    <label class={`form-label ${props.required === true ? "required" : ""}`} for={`field-${props.name}`}>
      {props.label}
    </label>
    {props.children(attributesOf(props))}
    <Notes {...props} />
  </div>
)
