/**
 * The inputs of a form as data: what each asks for, by its kind. Several in one entry stand side by side where there is room.
 */
import type { ComponentChildren } from "preact"
import { NOTE_CHARACTERS_MAX } from "../../../platform/Notes.ts"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Field, type FieldProps } from "../ui/Forms.tsx"
import { type ChoiceProps, Radios, Select, Tick, Ticks, type TicksProps } from "./Choices.tsx"
import { Control, type ControlProps } from "./Control.tsx"

type InputKind = "text" | "email" | "date" | "integer" | "decimal" | "usd" | "signedUsd" | "cny" | "secret"

/** Browsers fill in nothing here: what is asked for is no detail of the person. */
const kinds: Readonly<Record<InputKind, Partial<FieldProps>>> = {
  text: { autocomplete: "off" },
  email: { autocomplete: "off", type: "email" },
  date: { type: "date" },
  integer: { autocomplete: "off", inputmode: "numeric" },
  decimal: { autocomplete: "off", inputmode: "decimal" },
  // The keyboard of decimals has no minus on some phones.
  signedUsd: { autocomplete: "off", prefix: "$" },
  usd: { autocomplete: "off", inputmode: "decimal", prefix: "$" },
  cny: { autocomplete: "off", inputmode: "decimal", prefix: "¥" },
  // Never shown again.
  secret: { autocomplete: "new-password", type: "password" }
}

type FieldKey = "name" | "label" | "hint" | "required" | "autofocus" | "maxlength" | "initial" | "placeholder"

export interface Input extends Pick<FieldProps, FieldKey> {
  /** Absent: a text. */
  readonly is?: InputKind
}

/** One of several: in a list that opens, or all of them below one another. */
export interface Choice extends Omit<ChoiceProps, "state"> {
  readonly is: "select" | "radios"
}

/** Any of several. */
export interface TicksInput extends Omit<TicksProps, "state"> {
  readonly is: "ticks"
}

/** One thing that is so or not. */
export interface TickInput extends Omit<TicksProps, "state" | "options"> {
  readonly is: "tick"
}

/** A text of several lines; code is read by programs, so that every character counts. */
export interface LinesInput extends Omit<ControlProps, "state"> {
  readonly is: "lines" | "code"
  readonly rows: number
  readonly initial?: string
}

export type AnyInput = Input | Choice | TicksInput | TickInput | LinesInput

/** Several that belong together, under a name of their own. */
interface InputGroup {
  readonly name: string
  readonly legend: string
  readonly hint: string
  readonly inputs: ReadonlyArray<Input>
}

/** An entry that is no input is shown as it is. */
export type InputEntry = AnyInput | InputGroup | ReadonlyArray<AnyInput | ComponentChildren>

interface InputsProps {
  readonly state: FormState
  readonly inputs: ReadonlyArray<InputEntry>
}

const isInput = (entry: InputEntry | ComponentChildren): entry is AnyInput =>
  typeof entry === "object" && entry !== null && "label" in entry && "name" in entry

const Lines = ({ input, state }: { readonly input: LinesInput; readonly state: FormState }) => {
  const isCode = input.is === "code"
  return (
    <Control {...input} state={state} look={`form-control ${isCode ? "font-monospace" : ""}`}>
      {(attributes) => (
        <textarea rows={input.rows} spellcheck={!isCode} {...attributes}>
          {state.values.get(input.name) ?? input.initial}
        </textarea>
      )}
    </Control>
  )
}

const One = ({ input, state }: { readonly input: AnyInput; readonly state: FormState }) => {
  switch (input.is) {
    case "select":
      return <Select state={state} {...input} />
    case "radios":
      return <Radios state={state} {...input} />
    case "ticks":
      return <Ticks state={state} {...input} />
    case "tick":
      return <Tick state={state} {...input} />
    case "lines":
    case "code":
      return <Lines state={state} input={input} />
  }
  const { is = "text", ...props } = input
  return <Field state={state} {...kinds[is]} {...props} />
}

const Inside = (
  { group: { hint, inputs, legend, name }, state }: { readonly group: InputGroup; readonly state: FormState }
) => (
  <fieldset class="mb-3" aria-describedby={`${name}-hint`}>
    <legend class="form-label">{legend}</legend>
    <Inputs state={state} inputs={[inputs]} />
    <div id={`${name}-hint`} class="form-hint">{hint}</div>
  </fieldset>
)

export const Inputs = ({ inputs, state }: InputsProps) => (
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
