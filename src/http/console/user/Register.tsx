/**
 * `/register`, and `/invite/{token}` for those who came by an invitation: a new account, if the settings of registration allow it.
 */
import { Effect, Option } from "effect"
import { Invites } from "../../../identity/Invites.ts"
import { Login } from "../../../identity/Login.ts"
import { Settings } from "../../../settings/Settings.ts"
import { emptyForm, type FormState, type Page, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import { endPage, entrantOf, entrantRefusals, EntryForm, linkToken, sheetPage } from "../kit/EntryPages.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { termsPath } from "../SiteFiles.ts"
import { refuseBusy } from "../text/SharedTexts.ts"

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

const registerSheet = Effect.fnUntraced(function*({ context, ...form }: FormProps) {
  const say = sayOf(context, "login")
  const { registration, site } = (yield* Settings).current()
  const domains = registration.emailDomains.join(", ")
  const hint = domains === "" || form.email !== undefined ? undefined : say("register.domains", { domains })
  return sheetPage({
    title: say("register.title"),
    lead: say("register.lead"),
    children: (
      <>
        <EntryForm context={context} {...form} emailHint={hint} submit={say("register.submit")} isNew />
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

/** Registers, by the invitation of the address where there is one. */
const register = (context: PageContext, fields: URLSearchParams, invite?: Invited) => {
  const say = sayOf(context, "login")
  return Login.use((login) => login.register({ ...entrantOf(context, fields), invite })).pipe(
    Effect.map((session) => redirect("/", { session })),
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

export const RegisterRoutes = routes(
  visitorPage("/register", show),
  visitorForm("/register", { run: register, again: registerAgain }),
  visitorPage("/invite/:token", showInvited),
  visitorForm("/invite/:token", {
    run: (context, fields) => Effect.flatMap(linkToken, (token) => register(context, fields, token)),
    again: showInvited
  })
)
