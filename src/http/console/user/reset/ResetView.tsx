/**
 * A new password by a link: the form, that it is done, and that the link is none.
 */
import type { FormState } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Sheet } from "../../ui/Sheet.tsx"

interface ContextProps {
  readonly context: PageContext
}

export const ResetView = (
  { email, state, context }: ContextProps & { readonly email: string; readonly state: FormState }
) => {
  const say = sayOf(context, "reset")
  return (
    <Sheet title={say("title")} lead={<span class="break-anywhere">{say("lead", { email })}</span>}>
      <PostForm context={context} action={context.pathname}>
        <FormAlert state={state} />
        <div class="mb-3">
          <label class="form-label" for="reset-email">{say("email")}</label>
          <input class="form-control" type="email" id="reset-email" value={email} autocomplete="username" readonly />
        </div>
        <Field
          state={state}
          name="password"
          type="password"
          label={say("password")}
          hint={sayOf(context, "password")("rules")}
          autocomplete="new-password"
          required
          autofocus
        />
        <button type="submit" class="btn btn-primary w-100 mt-2">{say("submit")}</button>
      </PostForm>
    </Sheet>
  )
}

export const ResetDoneView = ({ context }: ContextProps) => {
  const say = sayOf(context, "reset")
  return (
    <Sheet title={say("done.title")} lead={say("done.text")}>
      <a class="btn btn-primary w-100" href="/login">{context.say("action.login")}</a>
    </Sheet>
  )
}

export const ResetInvalidView = ({ context }: ContextProps) => {
  const say = sayOf(context, "reset")
  return (
    <Sheet title={say("invalid.title")} lead={say("invalid.text")}>
      <a class="btn w-100" href="/login">{context.say("action.login")}</a>
    </Sheet>
  )
}
