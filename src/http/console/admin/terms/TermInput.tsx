/**
 * The field of one term, by its kind: a number, a tick, a choice or several ticks. Its name is the term's.
 */
import type { ComponentChildren } from "preact"
import type { JsonValue } from "../../../../domain/Model.ts"
import type { FormState } from "../../Answer.ts"
import type { UserContext } from "../../PageContext.ts"
import { Field } from "../../ui/Forms.tsx"
import { nowText, type ShownTerm, textsOf } from "./TermForm.ts"

/** Its value is shown where nothing was typed yet. */
export interface TermInputProps extends ShownTerm {
  readonly context: UserContext
  readonly state: FormState
  readonly name: string
  /** What is in effect, where the form was filled in on something else. */
  readonly now?: JsonValue | undefined
}

/** What was typed, or what is there. */
const typedOf = ({ field, name, state, value }: TermInputProps): ReadonlyArray<string> =>
  state.values.size === 0 ? textsOf(field, value) : state.values.getAll(name)

/** The hint, and below it what the term is now where that is not what was typed. */
const hintOf = (props: TermInputProps): ComponentChildren => {
  const { field, label, now, context } = props
  return now === undefined || textsOf(field, now).join() === typedOf(props).join()
    ? label.hint
    : (
      <>
        {label.hint}
        <strong class="d-block break-anywhere">{nowText(context, { field, label, value: now })}</strong>
      </>
    )
}

const Problem = ({ name, text }: { readonly name: string; readonly text: string | undefined }) =>
  text === undefined ? null : <div id={`field-${name}-problem`} class="invalid-feedback d-block">{text}</div>

const describedBy = ({ name, state }: TermInputProps): string =>
  `${state.problems[name] === undefined ? "" : `field-${name}-problem `}field-${name}-hint`

const Hint = (props: TermInputProps) => (
  <div id={`field-${props.name}-hint`} class="form-hint mt-1">{hintOf(props)}</div>
)

const Tick = (
  { checked, children, describedby, name, value }: {
    readonly name: string
    readonly value: string
    readonly checked: boolean
    readonly describedby?: string
    readonly children: ComponentChildren
  }
) => (
  <label class="form-check mb-1">
    <input
      class="form-check-input"
      type="checkbox"
      name={name}
      value={value}
      checked={checked}
      aria-describedby={describedby}
    />
    <span class="form-check-label">{children}</span>
  </label>
)

const Choice = (props: TermInputProps & { readonly options: ReadonlyArray<string> }) => {
  const { label, name, options, state } = props
  const problem = state.problems[name]
  const [typed] = typedOf(props)
  return (
    <div class="mb-3">
      <label class="form-label" for={`field-${name}`}>{label.label}</label>
      <select
        class={`form-select ${problem === undefined ? "" : "is-invalid"}`}
        id={`field-${name}`}
        name={name}
        aria-invalid={problem === undefined ? undefined : "true"}
        aria-describedby={describedBy(props)}
      >
        {options.map((option) => (
          <option key={option} value={option} selected={option === typed}>{label.options?.[option] ?? option}</option>
        ))}
      </select>
      <Problem name={name} text={problem} />
      <Hint {...props} />
    </div>
  )
}

const Choices = (props: TermInputProps & { readonly options: ReadonlyArray<string> }) => {
  const { label, name, options, state } = props
  const typed = typedOf(props)
  return (
    <fieldset class="mb-3" aria-describedby={describedBy(props)}>
      <legend class="form-label">{label.label}</legend>
      <div class="d-flex flex-wrap column-gap-4">
        {options.map((option) => (
          <Tick key={option} name={name} value={option} checked={typed.includes(option)}>
            {label.options?.[option] ?? <code>{option}</code>}
          </Tick>
        ))}
      </div>
      <Problem name={name} text={state.problems[name]} />
      <Hint {...props} />
    </fieldset>
  )
}

const Flag = (props: TermInputProps) => (
  <div class="mb-3">
    <Tick name={props.name} value="1" checked={typedOf(props).length > 0} describedby={describedBy(props)}>
      {props.label.label}
    </Tick>
    <Hint {...props} />
  </div>
)

const Number = (props: TermInputProps & { readonly inputmode: "numeric" | "decimal"; readonly required: boolean }) => (
  <Field
    state={props.state}
    name={props.name}
    label={props.label.label}
    hint={hintOf(props)}
    inputmode={props.inputmode}
    autocomplete="off"
    initial={textsOf(props.field, props.value)[0] ?? ""}
    required={props.required}
    {...props.label.unset === undefined ? {} : { placeholder: props.label.unset }}
  />
)

export const TermInput = (props: TermInputProps) => {
  const { kind } = props.field
  switch (kind.is) {
    case "integer":
      return <Number {...props} inputmode="numeric" required={!kind.isOptional} />
    case "decimal":
      return <Number {...props} inputmode="decimal" required />
    case "flag":
      return <Flag {...props} />
    case "choice":
      return <Choice {...props} options={kind.options} />
    case "choices":
      return <Choices {...props} options={kind.options} />
  }
}
