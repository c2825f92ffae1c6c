/**
 * The pages of coming in: sign in, register, make the first administrator, and why one of these is not possible.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../../Answer.ts"
import { passwordText } from "../../text/PasswordText.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Sheet } from "../../ui/Sheet.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { loginText } from "./LoginText.ts"

interface FormViewProps {
  readonly visit: Visit
  readonly state: FormState
}

/** E-mail and password, for somebody new or somebody known. */
const EntryForm = (
  { action, isNew, next, state, submit, visit }: FormViewProps & {
    readonly action: string
    readonly submit: string
    readonly isNew: boolean
    /** Where to go on to, when that was asked for. */
    readonly next?: string | undefined
  }
) => {
  const say = sayOf(visit, loginText)
  const typed = (state.values.get("email") ?? "") !== "" && state.problems["email"] === undefined
  return (
    <PostForm visit={visit} action={action}>
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
        autofocus={!typed}
      />
      <Field
        state={state}
        name="password"
        type="password"
        label={say("password")}
        autocomplete={isNew ? "new-password" : "current-password"}
        required
        autofocus={typed}
        {...(isNew ? { hint: sayOf(visit, passwordText)("rules") } : {})}
      />
      <button type="submit" class="btn btn-primary w-100 mt-2">{submit}</button>
    </PostForm>
  )
}

const Aside = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="text-center text-secondary mt-3">{children}</p>
)

export const LoginView = (
  { isOpen, next, state, visit }: FormViewProps & {
    /** Whether anybody may register. */
    readonly isOpen: boolean
    readonly next: string | undefined
  }
) => {
  const say = sayOf(visit, loginText)
  return (
    <>
      <Sheet title={say("login.title")} lead={say("login.lead")}>
        <EntryForm
          visit={visit}
          state={state}
          action="/login"
          submit={say("login.submit")}
          isNew={false}
          next={next}
        />
      </Sheet>
      {isOpen
        ? (
          <Aside>
            {say("login.new")} <a href="/register">{visit.say("action.register")}</a>
          </Aside>
        )
        : null}
    </>
  )
}

export const RegisterView = ({ state, visit }: FormViewProps) => {
  const say = sayOf(visit, loginText)
  return (
    <>
      <Sheet title={say("register.title")} lead={say("register.lead")}>
        <EntryForm visit={visit} state={state} action="/register" submit={say("register.submit")} isNew />
      </Sheet>
      <Aside>
        {say("register.known")} <a href="/login">{visit.say("action.login")}</a>
      </Aside>
    </>
  )
}

export const RegistrationClosedView = ({ visit }: { readonly visit: Visit }) => {
  const say = sayOf(visit, loginText)
  return (
    <Sheet title={say("closed.title")} lead={say("closed.text")}>
      <a class="btn btn-primary w-100" href="/login">{visit.say("action.login")}</a>
    </Sheet>
  )
}

export const SetupView = ({ action, state, visit }: FormViewProps & { readonly action: string }) => {
  const say = sayOf(visit, loginText)
  return (
    <Sheet title={say("setup.title")} lead={say("setup.lead")}>
      <EntryForm visit={visit} state={state} action={action} submit={say("setup.submit")} isNew />
    </Sheet>
  )
}

export const SetupInvalidView = ({ visit }: { readonly visit: Visit }) => {
  const say = sayOf(visit, loginText)
  return (
    <Sheet title={say("setup.invalid.title")} lead={say("setup.invalid.text")}>
      <pre class="copyable-text" tabIndex={0}><code>npx realms user create --role root --email …</code></pre>
      <a class="btn btn-primary w-100 mt-3" href="/login">{visit.say("action.login")}</a>
    </Sheet>
  )
}
