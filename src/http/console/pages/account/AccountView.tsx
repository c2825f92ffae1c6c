/**
 * A user's own account: who they are here, how the console looks to them, their password, and where they are signed in.
 */
import type { ListedSession } from "../../../../identity/LoginSessions.ts"
import type { FormState } from "../../Answer.ts"
import { passwordText } from "../../text/PasswordText.ts"
import { roleNames } from "../../text/RoleText.ts"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Moment, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { accountText } from "./AccountText.ts"
import { deviceOf } from "./Device.ts"

interface Props {
  readonly visit: UserVisit
}

const Profile = ({ visit }: Props) => {
  const say = sayOf(visit, accountText)
  return (
    <Card title={say("profile")} class="h-100">
      <div class="card-body">
        <dl class="facts">
          <dt>{say("email")}</dt>
          <dd>{visit.user.email}</dd>
          <dt>{say("role")}</dt>
          <dd>{roleNames(visit)[visit.user.role]}</dd>
          <dt>{say("since")}</dt>
          <dd>
            <time dateTime={visit.user.createdAt.toISOString()}>{visit.formats.date(visit.user.createdAt)}</time>
          </dd>
        </dl>
      </div>
    </Card>
  )
}

const Look = ({ visit }: Props) => (
  <Card title={sayOf(visit, accountText)("look")} class="h-100">
    <PostForm visit={visit} action="/look" class="card-body">
      <input type="hidden" name="next" value="/account?done=look" />
      <div class="row g-3">
        <div class="col-sm-6">
          <label class="form-label" for="field-language">{visit.say("look.language")}</label>
          <select class="form-select" id="field-language" name="language">
            <option value="en" lang="en" selected={visit.language === "en"}>English</option>
            <option value="zh" lang="zh-CN" selected={visit.language === "zh"}>中文</option>
          </select>
        </div>
        <div class="col-sm-6">
          <label class="form-label" for="field-theme">{visit.say("look.theme")}</label>
          <select class="form-select" id="field-theme" name="theme">
            <option value="auto" selected={visit.theme === "auto"}>{visit.say("look.auto")}</option>
            <option value="light" selected={visit.theme === "light"}>{visit.say("look.light")}</option>
            <option value="dark" selected={visit.theme === "dark"}>{visit.say("look.dark")}</option>
          </select>
        </div>
      </div>
      <button type="submit" class="btn mt-3">{visit.say("action.save")}</button>
    </PostForm>
  </Card>
)

const Password = ({ state, visit }: Props & { readonly state: FormState }) => {
  const say = sayOf(visit, accountText)
  return (
    <Card title={say("password")}>
      <PostForm visit={visit} action="/account/password" class="card-body">
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
              hint={sayOf(visit, passwordText)("rules")}
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

const Sessions = ({ sessions, visit }: Props & { readonly sessions: ReadonlyArray<ListedSession> }) => {
  const say = sayOf(visit, accountText)
  const end = sessions.length < 2
    ? undefined
    : (
      <PostForm visit={visit} action="/account/sessions" confirm={say("sessions.confirm")}>
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
          <Moment visit={visit} at={createdAt} />,
          <Moment visit={visit} at={lastSeenAt} />
        ])}
      />
    </Card>
  )
}

const Done = ({ visit }: Props) => {
  const say = sayOf(visit, accountText)
  switch (visit.query.get("done")) {
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
  { sessions, state, visit }: Props & {
    readonly sessions: ReadonlyArray<ListedSession>
    /** Of the form that changes the password. */
    readonly state: FormState
  }
) => (
  <>
    <PageHeading title={sayOf(visit, accountText)("title")} />
    <Done visit={visit} />
    <div class="row g-3">
      <div class="col-lg-6">
        <Profile visit={visit} />
      </div>
      <div class="col-lg-6">
        <Look visit={visit} />
      </div>
      <div class="col-12">
        <Password visit={visit} state={state} />
      </div>
      <div class="col-12">
        <Sessions visit={visit} sessions={sessions} />
      </div>
    </div>
  </>
)
