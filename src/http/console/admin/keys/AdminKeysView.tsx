/**
 * The list of the administration's keys, and the form of a new one.
 */
import type { AdminKey } from "../../../../identity/AdminKeys.ts"
import type { FormState } from "../../Answer.ts"
import { FormAlert, PostForm } from "../../kit/Forms.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { keyColumns } from "../../kit/Keys.tsx"
import { List, timeColumn } from "../../kit/List.tsx"
import { Done, PageHeading, Panel } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

interface KeysProps {
  readonly context: UserContext
  readonly keys: ReadonlyArray<AdminKey>
  readonly state: FormState
}

export const AdminKeysView = ({ keys, state, context }: KeysProps) => {
  const say = sayOf(context, "adminKeys")
  const columns = keyColumns<AdminKey>(context, "/admin/keys")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <a class="btn" href="/api/docs">{say("docs")}</a>
      </PageHeading>
      <Done context={context} texts={{ revoked: say("done.revoked") }} />
      <Panel title={say("new")} class="mb-3">
        <PostForm context={context} action="/admin/keys">
          <FormAlert state={state} />
          <Inputs
            state={state}
            inputs={[[
              { name: "name", label: say("name"), hint: say("name.hint"), required: true },
              {
                is: "date",
                name: "expiry",
                label: say("expiry"),
                hint: say("expiry.hint", { zone: context.formats.timeZone })
              }
            ]]}
          />
          <button type="submit" class="btn btn-primary">{say("submit")}</button>
        </PostForm>
      </Panel>
      <List
        context={context}
        path="/admin/keys"
        caption={say("title")}
        items={keys}
        empty={{ icon: "key", title: say("empty") }}
        columns={[
          columns.name,
          columns.state,
          { title: say("administrator"), wide: true, cell: ({ email }) => <span class="break-anywhere">{email}</span> },
          timeColumn(context, say("lastUsed"), ({ lastUsedAt }: AdminKey) => lastUsedAt, say("never")),
          timeColumn(context, say("expiry"), ({ expiresAt }: AdminKey) => expiresAt, say("never")),
          timeColumn(context, say("created"), ({ createdAt }: AdminKey) => createdAt),
          columns.action
        ]}
      />
    </>
  )
}
