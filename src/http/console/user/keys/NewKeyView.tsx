/**
 * The form of a new API key: its name, its bounds, and the models that it may call.
 */
import type { FormState } from "../../Answer.ts"
import { classOf, describedBy, Notes } from "../../kit/Control.tsx"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

interface NewKeyProps {
  readonly context: UserContext
  readonly state: FormState
  /** Of all models that can be called, and of those that are chosen already. */
  readonly modelIds: ReadonlyArray<string>
}

const ModelChoice = ({ modelIds, state, context }: NewKeyProps) => {
  const say = sayOf(context, "keys")
  const chosen = state.values.getAll("models")
  const field = { state, name: "models", hint: say("models.hint") }
  return (
    <fieldset class="mb-3" id="field-models" {...describedBy(field)}>
      <legend class="form-label">{say("models")}</legend>
      <div class="row g-2">
        {modelIds.map((id) => (
          <div key={id} class="col-sm-6 col-lg-4">
            <label class="form-check mb-0">
              <input
                class={classOf("form-check-input", field)}
                type="checkbox"
                name="models"
                value={id}
                checked={chosen.includes(id)}
              />
              <span class="form-check-label break-anywhere">{id}</span>
            </label>
          </div>
        ))}
      </div>
      <Notes {...field} />
    </fieldset>
  )
}

export const NewKeyView = (props: NewKeyProps) => {
  const { modelIds, state, context } = props
  const say = sayOf(context, "keys")
  const expiryHint = say("expiry.hint", { zone: context.formats.timeZone })
  return (
    <FormPage context={context} state={state} title={say("new")} action="/keys" submit={say("submit")} back="/keys">
      <Inputs
        state={state}
        inputs={[
          { name: "name", label: say("name"), hint: say("name.hint"), maxlength: 100, required: true, autofocus: true },
          [
            { is: "usd", name: "spend_limit", label: say("limit"), hint: say("limit.hint") },
            { is: "date", name: "expiry", label: say("expiry"), hint: expiryHint }
          ]
        ]}
      />
      {modelIds.length === 0 ? null : <ModelChoice {...props} />}
    </FormPage>
  )
}
