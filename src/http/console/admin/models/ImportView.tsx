/**
 * Where a file of prices is chosen or pasted.
 */
import { PRICE_FILE_LENGTH_MAX } from "../../../../catalog/PriceImport.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Card, PageHeading } from "../../ui/Parts.tsx"

const MIB = 1_048_576
const TEXT_ROWS = 8

export const ImportView = ({ state, context }: { readonly context: UserContext; readonly state: FormState }) => {
  const say = sayOf(context, "import")
  const problem = state.problems["file"]
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <Card>
        <PostForm context={context} action="/admin/models/import" class="card-body" files>
          <FormAlert state={state} />
          <div class="mb-3">
            <label class="form-label" for="field-file">{say("file")}</label>
            <input
              class={`form-control ${problem === undefined ? "" : "is-invalid"}`}
              type="file"
              id="field-file"
              name="file"
              accept=".json,application/json"
              aria-invalid={problem === undefined ? undefined : "true"}
              aria-describedby={problem === undefined ? "file-hint" : "file-problem file-hint"}
            />
            {problem === undefined ? null : <div id="file-problem" class="invalid-feedback">{problem}</div>}
            <div id="file-hint" class="form-hint mt-1">
              {say("file.hint", { max: PRICE_FILE_LENGTH_MAX / MIB })}
            </div>
          </div>
          <div class="mb-3">
            <label class="form-label" for="field-text">{say("text")}</label>
            <textarea
              class="form-control font-monospace"
              id="field-text"
              name="text"
              rows={TEXT_ROWS}
              spellcheck={false}
              aria-describedby="text-hint"
            />
            <div id="text-hint" class="form-hint mt-1">{say("text.hint")}</div>
          </div>
          <div class="btn-list">
            <button type="submit" class="btn btn-primary">{say("read")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/models">{context.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}
