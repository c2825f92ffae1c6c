/**
 * The page of one model, new or not: its form, or what it is where config.yaml has it.
 */
import type { AdminModel } from "../../../../catalog/ModelAdmin.ts"
import type { FormState } from "../../Answer.ts"
import { EditPage, FormPage } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Notice } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { ModelBadges } from "./AdminModelsView.tsx"
import { ModelFacts } from "./ModelFacts.tsx"
import { ModelFields } from "./ModelFields.tsx"
import { modelPath } from "./ModelPath.ts"

const ID_LENGTH_MAX = 200

interface FieldsProps {
  readonly context: UserContext
  readonly state: FormState
}

export const NewModelView = (props: FieldsProps) => {
  const say = sayOf(props.context, "adminModels")
  const id = { name: "id", label: say("id"), hint: say("id.hint"), maxlength: ID_LENGTH_MAX }
  return (
    <FormPage
      {...props}
      title={say("new")}
      lead={say("lead")}
      action="/admin/models/new"
      submit={say("create")}
      back="/admin/models"
    >
      <Inputs state={props.state} inputs={[{ ...id, required: true, autofocus: true }]} />
      <ModelFields {...props} />
    </FormPage>
  )
}

/** One model: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const ModelView = (props: FieldsProps & { readonly model: AdminModel; readonly revision: string }) => {
  const { model, context } = props
  const { channels, disabledAt, id } = model
  const say = sayOf(context, "adminModels")
  return (
    <EditPage
      {...props}
      title={id}
      lead={
        <>
          <ModelBadges context={context} model={model} />
          {channels.length === 0 ? null : `${say("channels")}: ${channels.join(", ")}`}
        </>
      }
      row={model}
      paths={{
        list: "/admin/models",
        edit: modelPath("edit", id),
        disable: modelPath("disable", id),
        enable: modelPath("enable", id)
      }}
      say={say}
      facts={<ModelFacts context={context} model={model} />}
      above={channels.length === 0 && disabledAt === null
        ? <Notice kind="warning">{say("channels.hint")}</Notice>
        : null}
    >
      <ModelFields {...props} />
    </EditPage>
  )
}
