/**
 * The form of a new API key, and the one page that ever shows it.
 */
import type { FormState } from "../../Answer.ts"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { curlLine } from "../../ui/CurlLine.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Card, Copyable, PageHeading } from "../../ui/Parts.tsx"

const NAME_LENGTH_MAX = 100

interface FormViewProps {
  readonly context: UserContext
  readonly state: FormState
  /** Of all models that can be called, and of those that are chosen already. */
  readonly modelIds: ReadonlyArray<string>
}

const ModelChoice = ({ modelIds, state, context }: FormViewProps) => {
  const say = sayOf(context, "keys")
  const chosen = state.values.getAll("models")
  const problem = state.problems["models"]
  const described = problem === undefined ? "models-hint" : "models-problem models-hint"
  return (
    <fieldset class="mb-3" aria-describedby={described}>
      <legend class="form-label">{say("models")}</legend>
      <div class="row g-2">
        {modelIds.map((id) => (
          <div key={id} class="col-sm-6 col-lg-4">
            <label class="form-check mb-0">
              <input
                class={`form-check-input ${problem === undefined ? "" : "is-invalid"}`}
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
      {problem === undefined ? null : <div id="models-problem" class="invalid-feedback d-block">{problem}</div>}
      <div id="models-hint" class="form-hint mt-2">{say("models.hint")}</div>
    </fieldset>
  )
}

export const NewKeyView = ({ modelIds, state, context }: FormViewProps) => {
  const say = sayOf(context, "keys")
  return (
    <FormPage
      context={context}
      state={state}
      title={say("new")}
      action="/keys"
      submit={say("submit")}
      back="/keys"
    >
      <Inputs
        state={state}
        inputs={[
          {
            name: "name",
            label: say("name"),
            hint: say("name.hint"),
            maxlength: NAME_LENGTH_MAX,
            required: true,
            autofocus: true
          },
          [
            { is: "usd", name: "spend_limit", label: say("limit"), hint: say("limit.hint") },
            {
              is: "date",
              name: "expiry",
              label: say("expiry"),
              hint: say("expiry.hint", { zone: context.formats.timeZone })
            }
          ]
        ]}
      />
      {modelIds.length === 0 ? null : <ModelChoice context={context} state={state} modelIds={modelIds} />}
    </FormPage>
  )
}

export const CreatedKeyView = (
  { address, key, modelId, name, context }: {
    readonly context: UserContext
    readonly name: string
    readonly key: string
    /** Of this installation. */
    readonly address: string
    /** One that the key may call, if there is any. */
    readonly modelId: string | undefined
  }
) => {
  const say = sayOf(context, "keys")
  const copy = { label: say("copy"), copied: say("copied") }
  return (
    <>
      <PageHeading title={say("created.title")} />
      <Notice kind="warning">{say("created.once")}</Notice>
      <Card title={say("created.key", { name })} class="mb-3">
        <div class="card-body">
          <Copyable id="new-key" text={key} {...copy} />
        </div>
      </Card>
      {modelId === undefined ? null : (
        <Card title={say("tryIt")} class="mb-3">
          <div class="card-body">
            <Copyable id="new-key-curl" text={curlLine(address, { text: key }, modelId)} {...copy} />
          </div>
        </Card>
      )}
      <a class="btn btn-primary" href="/keys">{say("done")}</a>
    </>
  )
}
