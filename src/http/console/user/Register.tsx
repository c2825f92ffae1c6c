/**
 * `/register`, and `/invite/{token}` for those who came by an invitation: a new account, if the settings of registration allow it. Once
 * mail works it is made at `/register/{token}`, where a mail leads to.
 */
import { Effect, Option } from "effect"
import { Invites } from "../../../identity/Invites.ts"
import { Login } from "../../../identity/Login.ts"
import { MailDispatch } from "../../../identity/MailDispatch.ts"
import { MailedRegistration } from "../../../identity/MailedRegistration.ts"
import { Settings } from "../../../settings/Settings.ts"
import { emptyForm, type FormState, type Page, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import {
  emailInput,
  endPage,
  entrantOf,
  entrantRefusals,
  EntryForm,
  linkedPasswordPage,
  linkToken,
  sheetPage
} from "../kit/EntryPages.tsx"
import { FormAlert, InputForm } from "../kit/Forms.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { termsPath } from "../SiteFiles.ts"
import { refuseBusy, refusePassword } from "../text/SharedTexts.ts"
import { mailsOf } from "./MailParts.ts"

const closedPage = (context: PageContext, status: number): Page => {
  const say = sayOf(context, "login")
  return endPage(context, { title: say("closed.title"), lead: say("closed.text"), status })
}

const byInvitePage = (context: PageContext, status: number): Page => {
  const say = sayOf(context, "login")
  return endPage(context, { title: say("byInvite.title"), lead: say("byInvite.text"), status })
}

const inviteInvalid = (context: PageContext): Page => {
  const say = sayOf(context, "login")
  return endPage(context, { title: say("invite.invalid.title"), lead: say("invite.invalid.text"), status: 404 })
}

/** What somebody agrees to by registering, where there is anything. */
const Agreement = ({ terms, context }: { readonly context: PageContext; readonly terms: string | undefined }) => {
  const say = sayOf(context, "login")
  return terms === undefined ? null : (
    <p class="text-secondary small mt-3 mb-0">
      {say("register.agree")} <a href={terms} target="_blank" rel="noopener noreferrer">{say("register.terms")}</a>
      {say("register.stop")}
    </p>
  )
}

interface FormProps {
  readonly context: PageContext
  readonly state: FormState
  readonly action: string
  /** Whom the invitation is for. */
  readonly email?: string | undefined
}

/** Once mail works, the password is chosen where the mail leads to. */
const AddressForm = ({ action, email, hint, state, context }: FormProps & { readonly hint: string | undefined }) => (
  <InputForm
    context={context}
    action={action}
    state={state}
    inputs={[emailInput(context, { hint, autofocus: true, ...(email === undefined ? {} : { initial: email }) })]}
    look="btn-primary w-100 mt-2"
    submit={sayOf(context, "login")("register.send")}
  >
    <FormAlert state={state} />
  </InputForm>
)

const registerSheet = Effect.fnUntraced(function*({ context, ...form }: FormProps) {
  const say = sayOf(context, "login")
  const { registration, site } = (yield* Settings).current()
  const isMailed = yield* (yield* MailDispatch).configured
  const domains = registration.emailDomains.join(", ")
  const hint = domains === "" || form.email !== undefined ? undefined : say("register.domains", { domains })
  return sheetPage({
    title: say("register.title"),
    lead: isMailed ? say("register.mailed") : say("register.lead"),
    children: (
      <>
        {isMailed
          ? <AddressForm context={context} {...form} hint={hint} />
          : <EntryForm context={context} {...form} emailHint={hint} submit={say("register.submit")} isNew />}
        <Agreement context={context} terms={termsPath(site)} />
      </>
    ),
    below: [say("register.known"), " ", <a href="/login">{context.say("action.login")}</a>]
  })
})

const registerAgain = (context: PageContext, state: FormState) => registerSheet({ context, state, action: "/register" })

const show = Effect.fnUntraced(function*(context: PageContext) {
  if (context.user !== undefined) return redirect("/")
  const { registration } = (yield* Settings).current()
  if (registration.mode === "closed") return closedPage(context, 200)
  return registration.mode === "invite" ? byInvitePage(context, 200) : yield* registerAgain(context, emptyForm)
})

/** Sends the mail that leads on; the answer is the same for everybody. */
const askByMail = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams, invite?: Invited) {
  const say = sayOf(context, "login")
  const { known, registration: confirm } = yield* mailsOf(context)
  const asked = { email: fields.get("email") ?? "", invite, address: context.address, mails: { confirm, known } }
  yield* (yield* MailedRegistration).ask(asked)
  return endPage(context, { title: say("register.sent.title"), lead: say("register.sent.text") })
})

const registerNow = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams, invite?: Invited) {
  const session = yield* (yield* Login).register({ ...entrantOf(context, fields), invite })
  return redirect("/", { session })
})

/** Registers, by the invitation of the address where there is one. */
const register = (context: PageContext, fields: URLSearchParams, invite?: Invited) => {
  const say = sayOf(context, "login")
  const registering = Effect.gen(function*() {
    return (yield* (yield* MailDispatch).configured)
      ? yield* askByMail(context, fields, invite)
      : yield* registerNow(context, fields, invite)
  })
  return registering.pipe(
    Effect.catchTags({
      ...entrantRefusals(context, say("register.taken")),
      RegistrationClosed: () => Effect.succeed(closedPage(context, 403)),
      InviteNeeded: () => Effect.succeed(byInvitePage(context, 403)),
      InviteInvalid: refusing({ form: say("invite.refused") }),
      EmailDomainRefused: ({ domains }) =>
        refusing({ email: say("register.domains", { domains: domains.join(", ") }) })(),
      TooManyAttempts: refuseBusy(context)
    })
  )
}

type Invited = Effect.Success<typeof linkToken>

/** The form, as long as its invitation is good. */
const showInvited = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  if ((yield* Settings).current().registration.mode === "closed") return closedPage(context, 200)
  const invited = yield* (yield* Invites).open(yield* linkToken)
  if (Option.isNone(invited)) return inviteInvalid(context)
  return yield* registerSheet({ context, state, action: context.pathname, email: invited.value ?? undefined })
})

const linkInvalid = (context: PageContext): Page => {
  const say = sayOf(context, "login")
  return endPage(context, { title: say("link.invalid.title"), lead: say("link.invalid.text"), status: 404 })
}

/** The password of the new account, as long as the link of the mail is good. */
const showPassword = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  const say = sayOf(context, "login")
  return linkedPasswordPage({
    context,
    state,
    email: yield* (yield* MailedRegistration).open(yield* linkToken),
    title: say("register.title"),
    lead: (email) => say("register.for", { email }),
    label: say("password"),
    submit: say("register.submit"),
    invalid: linkInvalid(context)
  })
})

const complete = (context: PageContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const { address, password, userAgent } = entrantOf(context, fields)
    const completion = { token: yield* linkToken, password, address, userAgent }
    const session = yield* (yield* MailedRegistration).complete(completion)
    return redirect("/", { session })
  }).pipe(
    Effect.catchTags({
      MailLinkInvalid: () => Effect.succeed(linkInvalid(context)),
      InviteInvalid: () => Effect.succeed(inviteInvalid(context)),
      RegistrationClosed: () => Effect.succeed(closedPage(context, 403)),
      PasswordRefused: refusePassword(context, "password")
    })
  )

export const RegisterRoutes = routes(
  visitorPage("/register", show),
  visitorForm("/register", { run: register, again: registerAgain }),
  visitorPage("/register/:token", showPassword),
  visitorForm("/register/:token", { run: complete, again: showPassword }),
  visitorPage("/invite/:token", showInvited),
  visitorForm("/invite/:token", {
    run: (context, fields) => Effect.flatMap(linkToken, (token) => register(context, fields, token)),
    again: showInvited
  })
)
