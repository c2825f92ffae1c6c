/**
 * The pages of coming in: sign in, register, make the first administrator, and why one of these is not possible.
 */
import type { ComponentChildren } from "preact"
import type { FormState } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Sheet } from "../../ui/Sheet.tsx"

interface FormViewProps {
  readonly context: PageContext
  readonly state: FormState
}

/** E-mail and password, for somebody new or somebody known. */
const EntryForm = (
  { action, isNew, next, state, submit, context }: FormViewProps & {
    readonly action: string
    readonly submit: string
    readonly isNew: boolean
    /** Where to go on to, when that was asked for. */
    readonly next?: string | undefined
  }
) => {
  const say = sayOf(context, "login")
  const typed = (state.values.get("email") ?? "") !== "" && state.problems["email"] === undefined
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
        {...(isNew ? { hint: sayOf(context, "password")("rules") } : {})}
      />
      <button type="submit" class="btn btn-primary w-100 mt-2">{submit}</button>
    </PostForm>
  )
}

const Aside = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="text-center text-secondary mt-3">{children}</p>
)

export const LoginView = (
  { isOpen, next, state, context }: FormViewProps & {
    /** Whether anybody may register. */
    readonly isOpen: boolean
    readonly next: string | undefined
  }
) => {
  const say = sayOf(context, "login")
  return (
    <>
      <Sheet title={say("login.title")} lead={say("login.lead")}>
        <EntryForm
          context={context}
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
            {say("login.new")} <a href="/register">{context.say("action.register")}</a>
          </Aside>
        )
        : null}
    </>
  )
}

export const RegisterView = ({ state, context }: FormViewProps) => {
  const say = sayOf(context, "login")
  return (
    <>
      <Sheet title={say("register.title")} lead={say("register.lead")}>
        <EntryForm context={context} state={state} action="/register" submit={say("register.submit")} isNew />
      </Sheet>
      <Aside>
        {say("register.known")} <a href="/login">{context.say("action.login")}</a>
      </Aside>
    </>
  )
}

export const RegistrationClosedView = ({ context }: { readonly context: PageContext }) => {
  const say = sayOf(context, "login")
  return (
    <Sheet title={say("closed.title")} lead={say("closed.text")}>
      <a class="btn btn-primary w-100" href="/login">{context.say("action.login")}</a>
    </Sheet>
  )
}

export const SetupView = ({ action, state, context }: FormViewProps & { readonly action: string }) => {
  const say = sayOf(context, "login")
  return (
    <Sheet title={say("setup.title")} lead={say("setup.lead")}>
      <EntryForm context={context} state={state} action={action} submit={say("setup.submit")} isNew />
    </Sheet>
  )
}

export const SetupInvalidView = ({ context }: { readonly context: PageContext }) => {
  const say = sayOf(context, "login")
  return (
    <Sheet title={say("setup.invalid.title")} lead={say("setup.invalid.text")}>
      <pre class="copyable-text" tabIndex={0}><code>npx realms user create --role root --email …</code></pre>
      <a class="btn btn-primary w-100 mt-3" href="/login">{context.say("action.login")}</a>
    </Sheet>
  )
}
