/**
 * The form of a model, new or not, and the question before one is disabled.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { EditPage } from "../../kit/EditPage.tsx"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { ModelBadges } from "./AdminModelsView.tsx"
import { ModelFacts } from "./ModelFacts.tsx"
import { ModelFields } from "./ModelFields.tsx"

const ID_LENGTH_MAX = 200

interface FieldsProps {
  readonly context: UserContext
  readonly state: FormState
}

export const NewModelView = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminModels")
  return (
    <FormPage
      context={context}
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
      <ModelFields context={context} state={state} />
    </FormPage>
  )
}

const query = (id: string): string => new URLSearchParams({ id }).toString()

/** One model: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const ModelView = (
  { model, revision, state, context }: FieldsProps & { readonly model: AdminModel; readonly revision: string }
) => {
  const say = sayOf(context, "adminModels")
  return (
    <EditPage
      context={context}
      state={state}
      title={model.id}
      lead={
        <>
          <ModelBadges context={context} model={model} />
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
      facts={<ModelFacts context={context} model={model} />}
      above={model.channels.length === 0 && model.disabledAt === null
        ? <Notice kind="warning">{say("channels.hint")}</Notice>
        : null}
    >
      <ModelFields context={context} state={state} />
    </EditPage>
  )
}

export const DisableModelView = (
  { model, problems, context }: {
    readonly context: UserContext
    readonly model: AdminModel
    readonly problems: Problems
  }
) => {
  const say = sayOf(context, "adminModels")
  return (
    <ConfirmPage
      context={context}
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
