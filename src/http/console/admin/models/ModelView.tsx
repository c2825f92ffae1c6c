/**
 * The form of a model, new or not, and the question before one is disabled.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { EditPage } from "../../kit/EditPage.tsx"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Notice } from "../../ui/Forms.tsx"
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
    <FormPage
      visit={visit}
      state={state}
      title={say("new")}
      lead={say("lead")}
      action="/admin/models/new"
      submit={say("create")}
      back="/admin/models"
    >
      <Inputs
        state={state}
        inputs={[{
          name: "id",
          label: say("id"),
          hint: say("id.hint"),
          maxlength: ID_LENGTH_MAX,
          required: true,
          autofocus: true
        }]}
      />
      <ModelFields visit={visit} state={state} />
    </FormPage>
  )
}

const query = (id: string): string => new URLSearchParams({ id }).toString()

/** One model: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const ModelView = (
  { model, revision, state, visit }: FieldsProps & { readonly model: AdminModel; readonly revision: string }
) => {
  const say = sayOf(visit, adminModelsText)
  return (
    <EditPage
      visit={visit}
      state={state}
      title={model.id}
      lead={
        <>
          <ModelBadges visit={visit} model={model} />
          {model.channels.length === 0 ? null : `${say("channels")}: ${model.channels.join(", ")}`}
        </>
      }
      row={model}
      revision={revision}
      paths={{
        list: "/admin/models",
        edit: `/admin/models/edit?${query(model.id)}`,
        disable: `/admin/models/disable?${query(model.id)}`,
        enable: `/admin/models/enable?${query(model.id)}`
      }}
      say={say}
      facts={<ModelFacts visit={visit} model={model} />}
      above={model.channels.length === 0 && model.disabledAt === null
        ? <Notice kind="warning">{say("channels.hint")}</Notice>
        : null}
    >
      <ModelFields visit={visit} state={state} />
    </EditPage>
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
