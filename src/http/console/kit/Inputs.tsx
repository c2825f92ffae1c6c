/**
 * The inputs of a form as data: what each asks for, by its kind. Several in one entry stand side by side where there is room.
 */
import type { ComponentChildren } from "preact"
import { NOTE_CHARACTERS_MAX } from "../../../platform/Notes.ts"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Field, type FieldProps } from "../ui/Forms.tsx"
import { type ChoiceProps, Radios, Select } from "./Choices.tsx"

type InputKind = "text" | "email" | "date" | "integer" | "decimal" | "usd" | "signedUsd" | "cny"

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
  cny: { autocomplete: "off", inputmode: "decimal", prefix: "¥" }
}

export interface Input
  extends Pick<FieldProps, "name" | "label" | "hint" | "required" | "autofocus" | "maxlength" | "initial">
{
  /** Absent: a text. */
  readonly is?: InputKind
}

/** One of several: in a list that opens, or all of them below one another. */
export interface Choice extends Omit<ChoiceProps, "state"> {
  readonly is: "select" | "radios"
}

/** Several that belong together, under a name of their own. */
interface Group {
  readonly name: string
  readonly legend: string
  readonly hint: string
  readonly inputs: ReadonlyArray<Input>
}

/** An entry that is no input is shown as it is. */
export type InputEntry = Input | Choice | Group | ReadonlyArray<Input | Choice | ComponentChildren>

interface InputsProps {
  readonly state: FormState
  readonly inputs: ReadonlyArray<InputEntry>
}

const isInput = (entry: InputEntry | ComponentChildren): entry is Input | Choice =>
  typeof entry === "object" && entry !== null && "label" in entry && "name" in entry

const One = ({ input, state }: { readonly input: Input | Choice; readonly state: FormState }) => {
  if ("options" in input) {
    const { is, ...choice } = input
    return is === "select" ? <Select state={state} {...choice} /> : <Radios state={state} {...choice} />
  }
  const { is = "text", ...props } = input
  return <Field state={state} {...kinds[is]} {...props} />
}

const Inside = (
  { group: { hint, inputs, legend, name }, state }: { readonly group: Group; readonly state: FormState }
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
