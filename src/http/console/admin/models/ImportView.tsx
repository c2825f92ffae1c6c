/**
 * Where a file of prices is chosen or pasted.
 */
import { PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import type { FormState } from "../../Answer.ts"
import { Control } from "../../kit/Control.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Card, PageHeading } from "../../ui/Parts.tsx"

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
          <Control state={state} name="file" label={say("file")} hint={hint} look="form-control">
            {(attributes) => <input type="file" accept=".json,application/json" {...attributes} />}
          </Control>
          <Inputs
            state={state}
            inputs={[{ name: "text", label: say("text"), hint: say("text.hint"), is: "code", rows: 8 }]}
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
