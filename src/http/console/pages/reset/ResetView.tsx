/**
 * A new password by a link: the form, that it is done, and that the link is none.
 */
import type { FormState } from "../../Answer.ts"
import { passwordText } from "../../text/PasswordText.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Sheet } from "../../ui/Sheet.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { resetText } from "./ResetText.ts"

interface VisitProps {
  readonly visit: Visit
}

export const ResetView = (
  { email, state, visit }: VisitProps & { readonly email: string; readonly state: FormState }
) => {
  const say = sayOf(visit, resetText)
  return (
    <Sheet title={say("title")} lead={<span class="break-anywhere">{say("lead", { email })}</span>}>
      <PostForm visit={visit} action={visit.pathname}>
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
          hint={sayOf(visit, passwordText)("rules")}
          autocomplete="new-password"
          required
          autofocus
        />
        <button type="submit" class="btn btn-primary w-100 mt-2">{say("submit")}</button>
      </PostForm>
    </Sheet>
  )
}

export const ResetDoneView = ({ visit }: VisitProps) => {
  const say = sayOf(visit, resetText)
  return (
    <Sheet title={say("done.title")} lead={say("done.text")}>
      <a class="btn btn-primary w-100" href="/login">{visit.say("action.login")}</a>
    </Sheet>
  )
}

export const ResetInvalidView = ({ visit }: VisitProps) => {
  const say = sayOf(visit, resetText)
  return (
    <Sheet title={say("invalid.title")} lead={say("invalid.text")}>
      <a class="btn w-100" href="/login">{visit.say("action.login")}</a>
    </Sheet>
  )
}
