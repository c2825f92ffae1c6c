/**
 * The inputs of a form as data: what each asks for, by its kind. Several in one entry stand side by side where there is room.
 */
import type { ComponentChildren } from "preact"
import { NOTE_CHARACTERS_MAX } from "../../../platform/Notes.ts"
import type { FormState } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Field, type FieldProps } from "../ui/Forms.tsx"

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

interface InputsProps {
  readonly state: FormState
  /** An entry that is no input, such as a choice, is shown as it is. */
  readonly inputs: ReadonlyArray<Input | ReadonlyArray<Input | ComponentChildren>>
}

const isInput = (entry: Input | ComponentChildren): entry is Input =>
  typeof entry === "object" && entry !== null && "label" in entry && "name" in entry

const One = ({ input: { is = "text", ...props }, state }: { readonly input: Input; readonly state: FormState }) => (
  <Field state={state} {...kinds[is]} {...props} />
)

export const Inputs = ({ inputs, state }: InputsProps) => (
  <>
    {inputs.map((entry, at) =>
      isInput(entry)
        ? <One key={entry.name} state={state} input={entry} />
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
