/**
 * A user's own account: who they are here, how the console looks to them, their password, and where they are signed in.
 */
import type { ListedSession } from "../../../../identity/LoginSessions.ts"
import { emptyForm, type FormState } from "../../Answer.ts"
import { ButtonForm } from "../../kit/ButtonForm.tsx"
import { timeColumn } from "../../kit/Columns.tsx"
import { Done } from "../../kit/Done.tsx"
import { Facts } from "../../kit/Facts.tsx"
import { Grid } from "../../kit/Grid.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { ItemTable } from "../../kit/ItemTable.tsx"
import { Panel } from "../../kit/Panel.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { roleNames } from "../../text/RoleText.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, PageHeading } from "../../ui/Parts.tsx"
import { deviceOf } from "./Device.ts"

interface AccountProps {
  readonly context: UserContext
  readonly sessions: ReadonlyArray<ListedSession>
  /** Of the form that changes the password. */
  readonly state: FormState
}

const Profile = ({ context }: AccountProps) => {
  const say = sayOf(context, "account")
  const { createdAt, email, role } = context.user
  return (
    <Panel title={say("profile")} class="h-100">
      <Facts
        facts={[
          [say("email"), email],
          [say("role"), roleNames(context)[role]],
          [say("since"), <time dateTime={createdAt.toISOString()}>{context.formats.date(createdAt)}</time>]
        ]}
      />
    </Panel>
  )
}

const Look = ({ context }: AccountProps) => {
  const { language, say, theme } = context
  const languages = [["en", "English"], ["zh", "中文"]] as const
  const themes = [["auto", say("look.auto")], ["light", say("look.light")], ["dark", say("look.dark")]] as const
  return (
    <Panel title={sayOf(context, "account")("look")} class="h-100">
      <PostForm context={context} action="/look">
        <input type="hidden" name="next" value="/account?done=look" />
        <Inputs
          state={emptyForm}
          inputs={[[
            { is: "select", name: "language", label: say("look.language"), initial: language, options: languages },
            { is: "select", name: "theme", label: say("look.theme"), initial: theme, options: themes }
          ]]}
        />
        <button type="submit" class="btn">{say("action.save")}</button>
      </PostForm>
    </Panel>
  )
}

const Password = ({ state, context }: AccountProps) => {
  const say = sayOf(context, "account")
  const current = {
    state,
    name: "current",
    type: "password",
    autocomplete: "current-password",
    required: true
  } as const
  const hint = sayOf(context, "password")("rules")
  return (
    <Panel title={say("password")}>
      <PostForm context={context} action="/account/password">
        <FormAlert state={state} />
        <p class="text-secondary">{say("password.lead")}</p>
        <Inputs
          state={state}
          inputs={[[
            <Field {...current} label={say("password.current")} />,
            { is: "secret", name: "next", label: say("password.next"), hint, required: true }
          ]]}
        />
        <button type="submit" class="btn btn-primary">{say("password.submit")}</button>
      </PostForm>
    </Panel>
  )
}

const Sessions = ({ sessions, context }: AccountProps) => {
  const say = sayOf(context, "account")
  const end = sessions.length < 2 ? undefined : (
    <ButtonForm
      context={context}
      action="/account/sessions"
      confirm={say("sessions.confirm")}
      look="btn-sm"
      button={say("sessions.end")}
    />
  )
  return (
    <Card title={say("sessions")} actions={end}>
      <ItemTable
        caption={say("sessions")}
        columns={[
          {
            title: say("device"),
            cell: ({ current, userAgent }) => (
              <>
                <span title={userAgent}>{deviceOf(userAgent) ?? say("device.unknown")}</span>{" "}
                {current ? <Badge tone="green">{say("here")}</Badge> : null}
              </>
            )
          },
          {
            title: say("address"),
            wide: true,
            cell: ({ address }) => address === "" ? "–" : <span class="break-anywhere">{address}</span>
          },
          timeColumn(context, say("opened"), ({ createdAt }: ListedSession) => createdAt),
          { ...timeColumn(context, say("seen"), ({ lastSeenAt }: ListedSession) => lastSeenAt), wide: false }
        ]}
        items={sessions}
      />
    </Card>
  )
}

export const AccountView = (props: AccountProps) => {
  const { context } = props
  const say = sayOf(context, "account")
  const done = { password: say("done.password"), sessions: say("done.sessions"), look: say("done.look") }
  return (
    <>
      <PageHeading title={say("title")} />
      <Done context={context} texts={done} />
      <Grid
        cells={[
          ["col-lg-6", <Profile {...props} />],
          ["col-lg-6", <Look {...props} />],
          ["col-12", <Password {...props} />],
          ["col-12", <Sessions {...props} />]
        ]}
      />
    </>
  )
}
