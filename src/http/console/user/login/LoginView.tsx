/**
 * The pages on which a visitor signs in, registers or creates the first administrator, and those that say why this is not possible.
 */
import type { FormState, Page } from "../../Answer.ts"
import { loginSheet, sheetPage } from "../../kit/SheetPage.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"

interface EntryProps {
  readonly context: PageContext
  readonly state: FormState
  readonly action: string
  readonly submit: string
  readonly isNew?: boolean
  /** Where to go on to, when that was asked for. */
  readonly next?: string | undefined
}

/** E-mail and password, for somebody new or somebody known. */
const EntryForm = ({ action, isNew = false, next, state, submit, context }: EntryProps) => {
  const say = sayOf(context, "login")
  const isTyped = (state.values.get("email") ?? "") !== "" && state.problems["email"] === undefined
  return (
    <PostForm context={context} action={action}>
      <FormAlert state={state} />
      {next === undefined ? null : <input type="hidden" name="next" value={next} />}
      <Field
        state={state}
        name="email"
        type="email"
        label={say("email")}
        autocomplete="username"
        maxlength={254}
        required
        autofocus={!isTyped}
      />
      <Field
        state={state}
        name="password"
        type="password"
        label={say("password")}
        autocomplete={isNew ? "new-password" : "current-password"}
        required
        autofocus={isTyped}
        hint={isNew ? sayOf(context, "password")("rules") : undefined}
      />
      <button type="submit" class="btn btn-primary w-100 mt-2">{submit}</button>
    </PostForm>
  )
}

interface LoginProps {
  readonly state: FormState
  /** Whether anybody may register. */
  readonly isOpen: boolean
  readonly next: string | undefined
}

export const loginSheetOf = (context: PageContext, { isOpen, next, state }: LoginProps): Page => {
  const say = sayOf(context, "login")
  const register = [say("login.new"), " ", <a href="/register">{context.say("action.register")}</a>]
  return sheetPage({
    title: say("login.title"),
    lead: say("login.lead"),
    children: <EntryForm context={context} state={state} action="/login" submit={say("login.submit")} next={next} />,
    below: isOpen ? register : undefined
  })
}

export const registerSheet = (context: PageContext, state: FormState): Page => {
  const say = sayOf(context, "login")
  return sheetPage({
    title: say("register.title"),
    lead: say("register.lead"),
    children: <EntryForm context={context} state={state} action="/register" submit={say("register.submit")} isNew />,
    below: [say("register.known"), " ", <a href="/login">{context.say("action.login")}</a>]
  })
}

export const closedSheet = (context: PageContext, status: number): Page => {
  const say = sayOf(context, "login")
  return loginSheet(context, { title: say("closed.title"), lead: say("closed.text"), status })
}

export const setupSheet = (context: PageContext, state: FormState): Page => {
  const say = sayOf(context, "login")
  const { pathname } = context
  return sheetPage({
    title: say("setup.title"),
    lead: say("setup.lead"),
    children: <EntryForm context={context} state={state} action={pathname} submit={say("setup.submit")} isNew />
  })
}

export const setupInvalidSheet = (context: PageContext): Page => {
  const say = sayOf(context, "login")
  return loginSheet(context, {
    title: say("setup.invalid.title"),
    lead: say("setup.invalid.text"),
    children: (
      <pre class="copyable-text mb-3" tabIndex={0}><code>npx realms user create --role root --email …</code></pre>
    ),
    status: 404
  })
}
