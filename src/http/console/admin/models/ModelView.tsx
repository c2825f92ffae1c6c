/**
 * The form of a model, new or not, and the question before one is disabled.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { adminModelsText } from "./AdminModelsText.ts"
import { ModelBadges } from "./AdminModelsView.tsx"
import { ModelFacts } from "./ModelFacts.tsx"
import { ModelFields } from "./ModelFields.tsx"

const ID_LENGTH_MAX = 200

interface FieldsProps {
  readonly visit: UserVisit
  readonly state: FormState
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
          <ModelFields visit={visit} state={state} />
          <div class="btn-list mt-4">
            <button type="submit" class="btn btn-primary">{say("create")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/models">{visit.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
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
    <ModelFields visit={visit} state={state} />
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
            <ModelFacts visit={visit} model={model} />
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

export const DisableModelView = (
  { model, problems, visit }: {
    readonly visit: UserVisit
    readonly model: AdminModel
    readonly problems: Problems
  }
) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <ConfirmPage
      visit={visit}
      title={say("disable.title")}
      text={say("disable.text", { id: model.id })}
      submit={say("disable.submit")}
      cancel={say("disable.cancel")}
      action={`/admin/models/disable?${query(model.id)}`}
      back={`/admin/models/edit?${query(model.id)}`}
      revision={model.revision}
      problems={problems}
    />
  )
}
