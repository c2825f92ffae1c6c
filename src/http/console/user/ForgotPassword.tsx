/**
 * `/forgot`: a link for a new password, by mail. The answer is the same, and as soon, whether or not the address has an account. Without a
 * mail server the page says whom to ask.
 */
import { Effect } from "effect"
import { EmailAddresses } from "../../../identity/EmailAddresses.ts"
import { MAILED_LINK_HOURS } from "../../../identity/PasswordLinks.ts"
import { emptyForm, type FormState, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import { emailInput, endPage, sheetPage } from "../kit/EntryPages.tsx"
import { FormAlert, InputForm } from "../kit/Forms.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { refuseBusy } from "../text/SharedTexts.ts"
import { mailsOf } from "./MailParts.ts"

const formPage = (context: PageContext, state: FormState) => {
  const say = sayOf(context, "forgot")
  return sheetPage({
    title: say("title"),
    lead: say("lead"),
    children: (
      <InputForm
        context={context}
        action="/forgot"
        state={state}
        inputs={[emailInput(context, { autofocus: true })]}
        look="btn-primary w-100 mt-2"
        submit={say("submit")}
      >
        <FormAlert state={state} />
      </InputForm>
    ),
    below: <a href="/login">{context.say("action.login")}</a>
  })
}

const offPage = (context: PageContext, status: number) => {
  const say = sayOf(context, "forgot")
  return endPage(context, { title: say("title"), lead: say("noMail"), status })
}

const show = Effect.fnUntraced(function*(context: PageContext) {
  if (context.user !== undefined) return redirect("/account")
  return (yield* (yield* EmailAddresses).configured) ? formPage(context, emptyForm) : offPage(context, 200)
})

const send = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams) {
  const say = sayOf(context, "forgot")
  const emails = yield* EmailAddresses
  if (!(yield* emails.configured)) return offPage(context, 403)
  const mail = (yield* mailsOf(context)).password
  yield* emails.forgot({ email: fields.get("email") ?? "", address: context.address, mail }).pipe(
    Effect.catchTags({
      InvalidEmail: refusing({ email: say("email.invalid") }),
      TooManyAttempts: refuseBusy(context)
    })
  )
  return endPage(context, { title: say("sent.title"), lead: say("sent.text", { count: MAILED_LINK_HOURS }) })
})

export const ForgotPasswordRoutes = routes(
  visitorPage("/forgot", show),
  visitorForm("/forgot", { run: send, again: (context, state) => Effect.succeed(formPage(context, state)) })
)
