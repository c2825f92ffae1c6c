/**
 * Where a file of prices is chosen or pasted.
 */
import { PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import type { FormState } from "../../Answer.ts"
import { FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { Card, PageHeading } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

export const MIB = 1_048_576

export const ImportView = ({ state, context }: { readonly context: UserContext; readonly state: FormState }) => {
  const say = sayOf(context, "import")
  const hint = say("file.hint", { max: PRICE_FILE_LENGTH_MAX / MIB })
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <Card>
        <PostForm context={context} action="/admin/models/import" class="card-body" files>
          <FormAlert state={state} />
          <Inputs
            state={state}
            inputs={[
              { is: "file", name: "file", label: say("file"), hint, accept: ".json,application/json" },
              { is: "code", name: "text", label: say("text"), hint: say("text.hint"), rows: 8 }
            ]}
          />
          <div class="btn-list">
            <button type="submit" class="btn btn-primary">{say("read")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/models">{context.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}
