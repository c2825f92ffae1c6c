/**
 * Choices, with their hints and problems: one of several as a list that opens, or all of them below one another; any of several;
 * and one thing that is so or not.
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
    <fieldset id={`field-${name}`} class="mb-3" {...describedBy(props)}>
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

export interface TicksProps extends ControlProps {
  /** Ticked where nothing was sent yet. */
  readonly initial?: ReadonlyArray<string>
  readonly options: ReadonlyArray<readonly [value: string, text: string]>
}

interface TickProps {
  readonly name: string
  readonly value: string
  readonly text: string
  readonly isTicked: boolean
  readonly "aria-describedby"?: string | undefined
}

const TickBox = ({ isTicked, name, text, value, ...described }: TickProps) => (
  <label class="form-check mb-1">
    <input class="form-check-input" type="checkbox" name={name} value={value} checked={isTicked} {...described} />
    <span class="form-check-label break-anywhere">{text}</span>
  </label>
)

/** A form that was sent says what is ticked, and by its silence what is not. */
const tickedOf = ({ initial = [], name, state }: Omit<TicksProps, "options">): ReadonlyArray<string> =>
  state.values.size === 0 ? initial : state.values.getAll(name)

/** Any of several. */
export const Ticks = (props: TicksProps) => {
  const { label, name, options } = props
  const ticked = tickedOf(props)
  return (
    <fieldset id={`field-${name}`} class="mb-3" aria-describedby={describedBy(props)["aria-describedby"]}>
      <legend class="form-label">{label}</legend>
      <div class="d-flex flex-wrap column-gap-4">
        {options.map(([value, text]) => (
          <TickBox key={value} name={name} value={value} text={text} isTicked={ticked.includes(value)} />
        ))}
      </div>
      <Notes {...props} />
    </fieldset>
  )
}

/** One thing that is so or not. */
export const Tick = (props: Omit<TicksProps, "options">) => (
  <div class="mb-3">
    <TickBox
      name={props.name}
      value="1"
      text={props.label}
      isTicked={tickedOf(props).length > 0}
      aria-describedby={describedBy(props)["aria-describedby"]}
    />
    <Notes {...props} />
  </div>
)
