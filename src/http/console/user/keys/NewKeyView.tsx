/**
 * The form of a new API key: its name, its bounds, and the models that it may call.
 */
import type { FormState } from "../../Answer.ts"
import { FormPage } from "../../kit/FormPage.tsx"
import { type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

interface NewKeyProps {
  readonly context: UserContext
  readonly state: FormState
  /** Of all models that can be called, and of those that are chosen already. */
  readonly modelIds: ReadonlyArray<string>
}

export const NewKeyView = ({ modelIds, state, context }: NewKeyProps) => {
  const say = sayOf(context, "keys")
  const expiryHint = say("expiry.hint", { zone: context.formats.timeZone })
  const options = modelIds.map((id) => [id, id] as const)
  const inputs: ReadonlyArray<InputEntry> = [
    { name: "name", label: say("name"), hint: say("name.hint"), maxlength: 100, required: true, autofocus: true },
    [
      { is: "usd", name: "spend_limit", label: say("limit"), hint: say("limit.hint") },
      { is: "date", name: "expiry", label: say("expiry"), hint: expiryHint }
    ],
    { is: "ticks", name: "models", label: say("models"), hint: say("models.hint"), options }
  ]
  return (
    <FormPage context={context} state={state} title={say("new")} action="/keys" submit={say("submit")} back="/keys">
      <Inputs state={state} inputs={options.length === 0 ? inputs.slice(0, -1) : inputs} />
    </FormPage>
  )
}
