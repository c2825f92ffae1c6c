/**
 * The inputs of a form as data: what each asks for, by its kind. Several in one entry stand side by side where there is room. Every one
 * has its label, its hint, what was typed and what is wrong with it, tied together for screen readers.
 */
import { type ComponentChildren, h } from "preact"
import { NOTE_CHARACTERS_MAX } from "../../../platform/Notes.ts"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"

interface Asked {
  readonly name: string
  readonly label: string
  readonly hint?: ComponentChildren
  readonly required?: boolean
}

interface KindLook {
  readonly type?: "email" | "password" | "date"
  readonly autocomplete?: string
  readonly inputmode?: "decimal" | "numeric"
  /** Stands before the input, such as a currency. */
  readonly prefix?: string
}

/** Browsers fill in nothing where what is asked for is no detail of the person. */
const kinds = {
  text: { autocomplete: "off" },
  email: { autocomplete: "off", type: "email" },
  // A recovery code has letters.
  oneTimeCode: { autocomplete: "one-time-code" },
  username: { autocomplete: "username", type: "email" },
  date: { type: "date" },
  integer: { autocomplete: "off", inputmode: "numeric" },
  decimal: { autocomplete: "off", inputmode: "decimal" },
  // The keyboard of decimals has no minus on some phones.
  signedUsd: { autocomplete: "off", prefix: "$" },
  usd: { autocomplete: "off", inputmode: "decimal", prefix: "$" },
  cny: { autocomplete: "off", inputmode: "decimal", prefix: "¥" },
  // Never shown again.
  secret: { autocomplete: "new-password", type: "password" },
  password: { autocomplete: "current-password", type: "password" }
} as const satisfies Readonly<Record<string, KindLook>>

export interface Input extends Asked {
  /** Absent: a text. */
  readonly is?: keyof typeof kinds
  readonly autofocus?: boolean
  readonly maxlength?: number
  readonly placeholder?: string
  /** Shown where nothing was typed yet. */
  readonly initial?: string
  /** Attributes for htmx. */
  readonly live?: Readonly<Record<string, string>>
}

/** One of several: in a list that opens, or all of them below one another. */
export interface Choice extends Asked {
  readonly is: "select" | "radios"
  /** Chosen where nothing was chosen yet; the first of a list that opens by default. */
  readonly initial?: string | undefined
  readonly options: ReadonlyArray<readonly [value: string, text: string, hint?: string]>
}

interface TickInput extends Asked {
  readonly is: "tick"
  /** Ticked where nothing was sent yet. */
  readonly initial?: ReadonlyArray<string>
}

/** Yes or no, at once: without it being on, the form says `false`. */
interface SwitchInput extends Asked {
  readonly is: "switch"
  readonly initial: string
}

interface TicksInput extends Omit<TickInput, "is"> {
  readonly is: "ticks"
  readonly options: ReadonlyArray<readonly [value: string, text: string]>
  /** Of a long list, where scripts run: a box that narrows it, and buttons that tick all that are shown, or none. */
  readonly picking?: { readonly filter: string; readonly all: string; readonly none: string }
}

/** A text of several lines; code is read by programs, so that every character counts. */
interface LinesInput extends Asked {
  readonly is: "lines" | "code"
  readonly rows: number
  readonly initial?: string
}

interface FileInput extends Asked {
  readonly is: "file"
  readonly accept: string
}

export type AnyInput = Input | Choice | TicksInput | TickInput | SwitchInput | LinesInput | FileInput

/** Several that belong together, under a name of their own. */
interface InputGroup {
  readonly name: string
  readonly legend: string
  readonly hint: string
  readonly inputs: ReadonlyArray<AnyInput>
}

/** Any other entry is shown as it is. */
export type InputEntry = AnyInput | InputGroup | ReadonlyArray<AnyInput | ComponentChildren>

interface Shown<I extends Asked = Asked> {
  readonly state: FormState
  readonly input: I
}

const describedBy = ({ input: { hint, name }, state: { problems } }: Shown) => {
  const ids = [problems[name] && `field-${name}-problem`, hint && `field-${name}-hint`].filter(Boolean)
  return ids.length === 0 ? undefined : ids.join(" ")
}

/** What a control says of itself, and that it is wrong. */
const saidOf = (look: string, shown: Shown) => {
  const isWrong = shown.state.problems[shown.input.name] !== undefined
  return {
    class: `${look} ${isWrong ? "is-invalid" : ""}`,
    "aria-invalid": isWrong ? "true" as const : undefined,
    "aria-describedby": describedBy(shown)
  }
}

const Notes = ({ input: { hint, name }, state: { problems } }: Shown) => (
  <>
    {problems[name] && <div id={`field-${name}-problem`} class="invalid-feedback d-block">{problems[name]}</div>}
    {hint && <div id={`field-${name}-hint`} class="form-hint mt-1">{hint}</div>}
  </>
)

const Labelled = ({ children, ...shown }: Shown & { readonly children: ComponentChildren }) => (
  <div class="mb-3">
    <label class={`form-label ${shown.input.required ? "required" : ""}`} for={`field-${shown.input.name}`}>
      {shown.input.label}
    </label>
    {children}
    <Notes {...shown} />
  </div>
)

/** What was typed is shown again, except for a password. */
const Field = (shown: Shown<Input>) => {
  const { input: { hint: _hint, initial, is = "text", label: _label, live, ...attributes }, state } = shown
  const { prefix, ...look }: KindLook = kinds[is]
  const value = look.type === "password" ? undefined : state.values.get(attributes.name) ?? initial
  // The types of JSX want a type of input that is written out.
  const input = h("input", {
    id: `field-${attributes.name}`,
    type: "text",
    value,
    ...look,
    ...attributes,
    ...saidOf("form-control", shown),
    ...live
  })
  return prefix === undefined ? input : (
    <div class="input-group has-validation">
      <span class="input-group-text">{prefix}</span>
      {input}
    </div>
  )
}

const Select = (shown: Shown<Choice>) => {
  const { input: { initial, name, options }, state } = shown
  const chosen = state.values.get(name) ?? initial
  return (
    <select id={`field-${name}`} name={name} {...saidOf("form-select", shown)}>
      {options.map(([value, text]) => <option key={value} value={value} selected={value === chosen}>{text}</option>)}
    </select>
  )
}

const Lines = (shown: Shown<LinesInput>) => {
  const { input: { initial, is, name, rows }, state } = shown
  const look = `form-control ${is === "code" ? "font-monospace" : ""}`
  return (
    <textarea id={`field-${name}`} name={name} rows={rows} spellcheck={is === "lines"} {...saidOf(look, shown)}>
      {state.values.get(name) ?? initial}
    </textarea>
  )
}

const File = (shown: Shown<FileInput>) => {
  const { accept, name } = shown.input
  return <input id={`field-${name}`} name={name} type="file" accept={accept} {...saidOf("form-control", shown)} />
}

const Radios = (shown: Shown<Choice>) => {
  const { input: { initial, label, name, options }, state } = shown
  const chosen = state.values.get(name) ?? initial
  const { class: look, ...said } = saidOf("form-check-input", shown)
  return (
    <fieldset id={`field-${name}`} class="mb-3" {...said}>
      <legend class="form-label required">{label}</legend>
      {options.map(([value, text, hint]) => (
        <label key={value} class="form-check">
          <input class={look} type="radio" name={name} value={value} checked={value === chosen} />
          <span class="form-check-label">{text}</span>
          {hint === undefined ? null : <span class="form-check-description">{hint}</span>}
        </label>
      ))}
      <Notes {...shown} />
    </fieldset>
  )
}

/** A form that was sent says what is ticked, and by its silence what is not. */
const tickedOf = ({ input: { initial = [], name }, state }: Shown<TickInput | TicksInput>): ReadonlyArray<string> =>
  state.values.size === 0 ? initial : state.values.getAll(name)

interface TickProps {
  readonly name: string
  readonly value: string
  readonly text: string
  readonly isTicked: boolean
  readonly "aria-describedby"?: string | undefined
}

const TickBox = ({ isTicked, text, ...attributes }: TickProps) => (
  <label class="form-check mb-1">
    <input class="form-check-input" type="checkbox" {...attributes} checked={isTicked} />
    <span class="form-check-label break-anywhere">{text}</span>
  </label>
)

/** Shown by the page's script. */
const Picking = ({ all, filter, none }: NonNullable<TicksInput["picking"]>) => (
  <div class="d-flex flex-wrap gap-2 mb-2" data-picking hidden>
    <input class="form-control w-auto" type="search" autocomplete="off" aria-label={filter} placeholder={filter} />
    <button class="btn" type="button" data-pick="all">{all}</button>
    <button class="btn" type="button" data-pick="none">{none}</button>
  </div>
)

const Ticks = (shown: Shown<TicksInput>) => {
  const { label, name, options, picking } = shown.input
  const ticked = tickedOf(shown)
  return (
    <fieldset id={`field-${name}`} class="mb-3" aria-describedby={describedBy(shown)}>
      <legend class="form-label">{label}</legend>
      {picking === undefined ? null : <Picking {...picking} />}
      <div class={`d-flex flex-wrap column-gap-4 ${picking === undefined ? "" : "ticks-long"}`}>
        {options.map(([value, text]) => (
          <TickBox key={value} name={name} value={value} text={text} isTicked={ticked.includes(value)} />
        ))}
      </div>
      <Notes {...shown} />
    </fieldset>
  )
}

const Tick = (shown: Shown<TickInput>) => {
  const { label, name } = shown.input
  const isTicked = tickedOf(shown).length > 0
  return (
    <div class="mb-3">
      <TickBox name={name} value="1" text={label} isTicked={isTicked} aria-describedby={describedBy(shown)} />
      <Notes {...shown} />
    </div>
  )
}

const Switch = (shown: Shown<SwitchInput>) => {
  const { input: { initial, label, name }, state } = shown
  const value = state.values.getAll(name).at(-1) ?? initial
  const { class: look, ...said } = saidOf("form-check-input", shown)
  return (
    <div class="mb-3">
      <input type="hidden" name={name} value="false" />
      <label class="form-check form-switch mb-1">
        <input
          id={`field-${name}`}
          class={look}
          type="checkbox"
          role="switch"
          name={name}
          value="true"
          checked={value === "true"}
          {...said}
        />
        <span class="form-check-label">{label}</span>
      </label>
      <Notes {...shown} />
    </div>
  )
}

/** An input of its kind: radios and ticks bring their labels themselves. */
const One = ({ input, state }: Shown<AnyInput>) => {
  const labelled = (control: ComponentChildren) => <Labelled state={state} input={input}>{control}</Labelled>
  switch (input.is) {
    case "select":
      return labelled(<Select state={state} input={input} />)
    case "lines":
    case "code":
      return labelled(<Lines state={state} input={input} />)
    case "file":
      return labelled(<File state={state} input={input} />)
    case "radios":
      return <Radios state={state} input={input} />
    case "ticks":
      return <Ticks state={state} input={input} />
    case "switch":
      return <Switch state={state} input={input} />
    case "tick":
      return <Tick state={state} input={input} />
    default:
      return labelled(<Field state={state} input={input} />)
  }
}

const isInput = (entry: InputEntry | ComponentChildren): entry is AnyInput =>
  typeof entry === "object" && entry !== null && "label" in entry && "name" in entry

const Inside = (
  { group: { hint, inputs, legend, name }, state }: { readonly group: InputGroup; readonly state: FormState }
) => (
  <fieldset class="mb-3" aria-describedby={`${name}-hint`}>
    <legend class="form-label">{legend}</legend>
    <Inputs state={state} inputs={[inputs]} />
    <div id={`${name}-hint`} class="form-hint">{hint}</div>
  </fieldset>
)

export const Inputs = (
  { inputs, state }: { readonly state: FormState; readonly inputs: ReadonlyArray<InputEntry> }
) => (
  <>
    {inputs.map((entry, at) =>
      isInput(entry)
        ? <One key={entry.name} state={state} input={entry} />
        : "legend" in entry
        ? <Inside key={entry.name} state={state} group={entry} />
        : (
          <div key={at} class="row gx-3">
            {entry.map((one, place) => (
              <div key={place} class="col-md-6">{isInput(one) ? <One state={state} input={one} /> : one}</div>
            ))}
          </div>
        )
    )}
  </>
)

/** Why an administrator does something: kept with what is done. */
export const noteInput = (context: PageContext): Input => ({
  name: "note",
  label: context.say("form.note"),
  hint: context.say("form.note.hint"),
  maxlength: NOTE_CHARACTERS_MAX,
  required: true
})

interface GroupProps {
  /** Of what is wrong with all of it, to which the error summary leads. */
  readonly name?: string
  readonly title: string
  readonly hint?: string
  readonly children: ComponentChildren
}

export const Group = ({ children, hint, name, title }: GroupProps) => (
  <fieldset id={name === undefined ? undefined : `field-${name}`} class="form-group-section">
    <legend>{title}</legend>
    {hint === undefined ? null : <p class="form-hint">{hint}</p>}
    {children}
  </fieldset>
)
