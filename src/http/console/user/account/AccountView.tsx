/**
 * A user's own account: who they are here, how the console looks to them, their password, and where they are signed in.
 */
import type { ListedSession } from "../../../../identity/LoginSessions.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { roleNames } from "../../text/RoleText.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Moment, PageHeading } from "../../ui/Parts.tsx"
import { deviceOf } from "./Device.ts"

interface Props {
  readonly context: UserContext
}

const Profile = ({ context }: Props) => {
  const say = sayOf(context, "account")
  return (
    <Card title={say("profile")} class="h-100">
      <div class="card-body">
        <dl class="facts">
          <dt>{say("email")}</dt>
          <dd>{context.user.email}</dd>
          <dt>{say("role")}</dt>
          <dd>{roleNames(context)[context.user.role]}</dd>
          <dt>{say("since")}</dt>
          <dd>
            <time dateTime={context.user.createdAt.toISOString()}>{context.formats.date(context.user.createdAt)}</time>
          </dd>
        </dl>
      </div>
    </Card>
  )
}

const Look = ({ context }: Props) => (
  <Card title={sayOf(context, "account")("look")} class="h-100">
    <PostForm context={context} action="/look" class="card-body">
      <input type="hidden" name="next" value="/account?done=look" />
      <div class="row g-3">
        <div class="col-sm-6">
          <label class="form-label" for="field-language">{context.say("look.language")}</label>
          <select class="form-select" id="field-language" name="language">
            <option value="en" lang="en" selected={context.language === "en"}>English</option>
            <option value="zh" lang="zh-CN" selected={context.language === "zh"}>中文</option>
          </select>
        </div>
        <div class="col-sm-6">
          <label class="form-label" for="field-theme">{context.say("look.theme")}</label>
          <select class="form-select" id="field-theme" name="theme">
            <option value="auto" selected={context.theme === "auto"}>{context.say("look.auto")}</option>
            <option value="light" selected={context.theme === "light"}>{context.say("look.light")}</option>
            <option value="dark" selected={context.theme === "dark"}>{context.say("look.dark")}</option>
          </select>
        </div>
      </div>
      <button type="submit" class="btn mt-3">{context.say("action.save")}</button>
    </PostForm>
  </Card>
)

const Password = ({ state, context }: Props & { readonly state: FormState }) => {
  const say = sayOf(context, "account")
  return (
    <Card title={say("password")}>
      <PostForm context={context} action="/account/password" class="card-body">
        <FormAlert state={state} />
        <p class="text-secondary">{say("password.lead")}</p>
        <div class="row g-3">
          <div class="col-md-6">
            <Field
              state={state}
              name="current"
              type="password"
              label={say("password.current")}
              autocomplete="current-password"
              required
            />
          </div>
          <div class="col-md-6">
            <Field
              state={state}
              name="next"
              type="password"
              label={say("password.next")}
              hint={sayOf(context, "password")("rules")}
              autocomplete="new-password"
              required
            />
          </div>
        </div>
        <button type="submit" class="btn btn-primary">{say("password.submit")}</button>
      </PostForm>
    </Card>
  )
}

const Sessions = ({ sessions, context }: Props & { readonly sessions: ReadonlyArray<ListedSession> }) => {
  const say = sayOf(context, "account")
  const end = sessions.length < 2
    ? undefined
    : (
      <PostForm context={context} action="/account/sessions" confirm={say("sessions.confirm")}>
        <button type="submit" class="btn btn-sm">{say("sessions.end")}</button>
      </PostForm>
    )
  return (
    <Card title={say("sessions")} actions={end}>
      <DataTable
        caption={say("sessions")}
        columns={[
          { title: say("device") },
          { title: say("address"), wide: true },
          { title: say("opened"), wide: true },
          { title: say("seen") }
        ]}
        rows={sessions.map(({ address, createdAt, current, lastSeenAt, userAgent }) => [
          <>
            <span title={userAgent}>{deviceOf(userAgent) ?? say("device.unknown")}</span>{" "}
            {current ? <Badge tone="green">{say("here")}</Badge> : null}
          </>,
          address === "" ? "–" : <span class="break-anywhere">{address}</span>,
          <Moment context={context} at={createdAt} />,
          <Moment context={context} at={lastSeenAt} />
        ])}
      />
    </Card>
  )
}

const Done = ({ context }: Props) => {
  const say = sayOf(context, "account")
  switch (context.query.get("done")) {
    case "password":
      return <Notice kind="success">{say("done.password")}</Notice>
    case "sessions":
      return <Notice kind="success">{say("done.sessions")}</Notice>
    case "look":
      return <Notice kind="success">{say("done.look")}</Notice>
    default:
      return null
  }
}

export const AccountView = (
  { sessions, state, context }: Props & {
    readonly sessions: ReadonlyArray<ListedSession>
    /** Of the form that changes the password. */
    readonly state: FormState
  }
) => (
  <>
    <PageHeading title={sayOf(context, "account")("title")} />
    <Done context={context} />
    <div class="row g-3">
      <div class="col-lg-6">
        <Profile context={context} />
      </div>
      <div class="col-lg-6">
        <Look context={context} />
      </div>
      <div class="col-12">
        <Password context={context} state={state} />
      </div>
      <div class="col-12">
        <Sessions context={context} sessions={sessions} />
      </div>
    </div>
  </>
)
