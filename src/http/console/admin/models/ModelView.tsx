/**
 * The form of a model, new or not, and the question before one is disabled.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import { OUTPUT_TOKENS_DEFAULT } from "../../../../domain/Bounds.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { ModelBadges } from "./AdminModelsView.tsx"
import { adminModelsText } from "./AdminModelsText.ts"

const ID_LENGTH_MAX = 200

interface FieldsProps {
  readonly visit: UserVisit
  readonly state: FormState
}

const TermsFields = ({ state, visit }: FieldsProps) => {
  const say = sayOf(visit, adminModelsText)
  const price = { state, inputmode: "decimal", autocomplete: "off", prefix: "$" } as const
  return (
    <>
      <div class="row g-3">
        <div class="col-md-6">
          <Field {...price} name="input" label={say("input")} hint={say("price.hint")} required />
        </div>
        <div class="col-md-6">
          <Field {...price} name="output" label={say("output")} hint={say("price.hint")} required />
        </div>
        <div class="col-md-6">
          <Field {...price} name="cached_input" label={say("cached")} hint={say("cached.hint")} />
        </div>
        <div class="col-md-6">
          <Field {...price} name="cache_write" label={say("write")} hint={say("write.hint")} />
        </div>
        <div class="col-md-6">
          <Field
            state={state}
            name="max_output_tokens"
            label={say("limit")}
            hint={say("limit.hint")}
            inputmode="numeric"
            autocomplete="off"
            initial={OUTPUT_TOKENS_DEFAULT.toString()}
            required
          />
        </div>
      </div>
      <label class="form-check mt-3">
        <input
          class="form-check-input"
          type="checkbox"
          name="reasoning"
          checked={state.values.get("reasoning") === "on"}
          aria-describedby="reasoning-hint"
        />
        <span class="form-check-label">{say("reasoning")}</span>
        <span id="reasoning-hint" class="form-check-description">{say("reasoning.hint")}</span>
      </label>
    </>
  )
}

export const NewModelView = ({ state, visit }: FieldsProps) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <>
      <PageHeading title={say("new")} lead={say("lead")} />
      <Card>
        <PostForm visit={visit} action="/admin/models/new" class="card-body">
          <FormAlert state={state} />
          <Field
            state={state}
            name="id"
            label={say("id")}
            hint={say("id.hint")}
            autocomplete="off"
            maxlength={ID_LENGTH_MAX}
            required
            autofocus
          />
          <TermsFields visit={visit} state={state} />
          <div class="btn-list mt-4">
            <button type="submit" class="btn btn-primary">{say("create")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/models">{visit.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}

/** What a model is, to be read. */
const ModelFacts = ({ model, visit }: { readonly visit: UserVisit; readonly model: AdminModel }) => {
  const say = sayOf(visit, adminModelsText)
  const { usd } = visit.formats
  const { maxOutputTokens, price } = model.terms
  return (
    <dl class="facts">
      <dt>{say("input")}</dt>
      <dd>{usd(price.inputMicrosPer1m)}</dd>
      <dt>{say("output")}</dt>
      <dd>{usd(price.outputMicrosPer1m)}</dd>
      <dt>{say("cached")}</dt>
      <dd>{usd(price.cachedInputMicrosPer1m)}</dd>
      <dt>{say("write")}</dt>
      <dd>{price.cacheWriteMicrosPer1m === null ? "–" : usd(price.cacheWriteMicrosPer1m)}</dd>
      <dt>{say("limit")}</dt>
      <dd>{say("tokens", { count: visit.formats.count(maxOutputTokens) })}</dd>
    </dl>
  )
}

const DoneNotice = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, adminModelsText)
  switch (visit.query.get("done")) {
    case "created":
      return <Notice kind="success">{say("done.created")}</Notice>
    case "changed":
      return <Notice kind="success">{say("done.changed")}</Notice>
    case "enabled":
      return <Notice kind="success">{say("done.enabled")}</Notice>
    case "disabled":
      return <Notice kind="success">{say("done.disabled")}</Notice>
    default:
      return null
  }
}

const query = (id: string): string => new URLSearchParams({ id }).toString()

/** Enabling is done at once; disabling is asked for. */
const EnabledAction = ({ model, visit }: { readonly visit: UserVisit; readonly model: AdminModel }) => {
  const say = sayOf(visit, adminModelsText)
  return model.disabledAt === null
    ? <a class="btn" href={`/admin/models/disable?${query(model.id)}`}>{say("disable")}</a>
    : (
      <PostForm visit={visit} action={`/admin/models/enable?${query(model.id)}`}>
        <input type="hidden" name="revision" value={model.revision.toString()} />
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const EditForm = (
  { model, revision, state, visit }: FieldsProps & { readonly model: AdminModel; readonly revision: string }
) => (
  <PostForm visit={visit} action={`/admin/models/edit?${query(model.id)}`} class="card-body">
    <input type="hidden" name="revision" value={revision} />
    <TermsFields visit={visit} state={state} />
    <div class="btn-list mt-4">
      <button type="submit" class="btn btn-primary">{visit.say("action.save")}</button>
      <a class="btn btn-ghost-secondary" href="/admin/models">{visit.say("action.back")}</a>
    </div>
  </PostForm>
)

/** One model: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const ModelView = (
  { model, revision, state, visit }: FieldsProps & { readonly model: AdminModel; readonly revision: string }
) => {
  const say = sayOf(visit, adminModelsText)
  const isOvertaken = state.problems["meanwhile"] !== undefined
  return (
    <>
      <PageHeading
        title={model.id}
        lead={
          <>
            <ModelBadges visit={visit} model={model} />
            {model.channels.length === 0 ? null : `${say("channels")}: ${model.channels.join(", ")}`}
          </>
        }
      >
        {model.declared ? undefined : <EnabledAction visit={visit} model={model} />}
      </PageHeading>
      {visit.isForm ? null : <DoneNotice visit={visit} />}
      <FormAlert state={state} />
      {model.channels.length === 0 && model.disabledAt === null
        ? <Notice kind="warning">{say("channels.hint")}</Notice>
        : null}
      {model.declared && state.problems["form"] === undefined
        ? <Notice kind="info">{say("declared.text")}</Notice>
        : null}
      {model.declared || isOvertaken
        ? (
          <Card class="mb-3" {...isOvertaken ? { title: say("now") } : {}}>
            <div class="card-body">
              <ModelFacts visit={visit} model={model} />
            </div>
          </Card>
        )
        : null}
      {model.declared
        ? <a class="btn" href="/admin/models">{visit.say("action.back")}</a>
        : (
          <Card>
            <EditForm visit={visit} model={model} state={state} revision={revision} />
          </Card>
        )}
    </>
  )
}

/** Asked on a page of its own, so that nothing is disabled by a slip. */
export const DisableModelView = (
  { model, problems, visit }: {
    readonly visit: UserVisit
    readonly model: AdminModel
    readonly problems: Problems
  }
) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <>
      <PageHeading title={say("disable.title")} />
      <FormAlert state={{ values: new URLSearchParams(), problems }} />
      <Card>
        <div class="card-body">
          <p class="break-anywhere">{say("disable.text", { id: model.id })}</p>
          <PostForm visit={visit} action={`/admin/models/disable?${query(model.id)}`} class="btn-list">
            <input type="hidden" name="revision" value={model.revision.toString()} />
            <button type="submit" class="btn btn-danger">{say("disable.submit")}</button>
            <a class="btn" href={`/admin/models/edit?${query(model.id)}`}>{say("disable.cancel")}</a>
          </PostForm>
        </div>
      </Card>
    </>
  )
}
