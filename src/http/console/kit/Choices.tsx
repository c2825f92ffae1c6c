/**
 * A choice of one of several, with its hint and its problem: as a list that opens, or all of them below one another.
 */
import { classOf, Control, type ControlProps, describedBy, Notes } from "./Control.tsx"

export interface ChoiceProps extends ControlProps {
  /** Chosen where nothing was chosen yet; the first of a list that opens by default. */
  readonly initial?: string | undefined
  readonly options: ReadonlyArray<readonly [value: string, text: string, hint?: string]>
}

export const Select = (props: ChoiceProps) => {
  const { initial, name, options, state } = props
  const chosen = state.values.get(name) ?? initial
  return (
    <Control {...props} look="form-select">
      {(attributes) => (
        <select {...attributes}>
          {options.map(([value, text]) => <option key={value} value={value} selected={value === chosen}>{text}
          </option>)}
        </select>
      )}
    </Control>
  )
}

export const Radios = (props: ChoiceProps) => {
  const { initial, label, name, options, state } = props
  const chosen = state.values.get(name) ?? initial
  return (
    <fieldset class="mb-3" {...describedBy(props)}>
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
