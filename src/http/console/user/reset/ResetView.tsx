/**
 * A new password by a link: the form, that it is done, and that the link is not valid.
 */
import type { FormState, Page } from "../../Answer.ts"
import { Inputs } from "../../kit/Inputs.tsx"
import { loginSheet, sheetPage } from "../../kit/SheetPage.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FormAlert, PostForm } from "../../ui/Forms.tsx"

export const resetSheet = (context: PageContext, email: string, state: FormState): Page => {
  const say = sayOf(context, "reset")
  const hint = sayOf(context, "password")("rules")
  return sheetPage({
    title: say("title"),
    lead: <span class="break-anywhere">{say("lead", { email })}</span>,
    children: (
      <PostForm context={context} action={context.pathname}>
        <FormAlert state={state} />
        <div class="mb-3">
          <label class="form-label" for="reset-email">{say("email")}</label>
          <input class="form-control" type="email" id="reset-email" value={email} autocomplete="username" readonly />
        </div>
        <Inputs
          state={state}
          inputs={[{ is: "secret", name: "password", label: say("password"), hint, required: true, autofocus: true }]}
        />
        <button type="submit" class="btn btn-primary w-100 mt-2">{say("submit")}</button>
      </PostForm>
    )
  })
}

export const resetDoneSheet = (context: PageContext): Page => {
  const say = sayOf(context, "reset")
  return loginSheet(context, { title: say("done.title"), lead: say("done.text") })
}

export const resetInvalidSheet = (context: PageContext): Page => {
  const say = sayOf(context, "reset")
  return loginSheet(context, { title: say("invalid.title"), lead: say("invalid.text"), status: 404 })
}
