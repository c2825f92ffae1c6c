/**
 * `/login`, `/login/passkey`, `/logout`, and the one-time pages `/setup/{token}`, on which the first administrator is made, and
 * `/reset/{token}`, on which a user sets a new password without the old one. Who has signed in goes on to the page that they had asked
 * for, if it is on this site.
 */
import { Effect, Redacted } from "effect"
import { Login } from "../../../identity/Login.ts"
import { LoginSessions } from "../../../identity/LoginSessions.ts"
import { MailDispatch } from "../../../identity/MailDispatch.ts"
import { PasskeyLogin } from "../../../identity/PasskeyLogin.ts"
import { Passkeys } from "../../../identity/Passkeys.ts"
import { PasswordLinks } from "../../../identity/PasswordLinks.ts"
import { SignInProviders } from "../../../identity/SignInProviders.ts"
import { SetupLinks } from "../../../identity/SetupLinks.ts"
import { Settings } from "../../../settings/Settings.ts"
import { emptyForm, type FormState, type Page, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import {
  endPage,
  entrantOf,
  entrantRefusals,
  EntryForm,
  linkedPasswordPage,
  linkToken,
  sheetPage
} from "../kit/EntryPages.tsx"
import { Hidden, PostForm } from "../kit/Forms.tsx"
import { PasskeyButton } from "../kit/PasskeyButton.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { localPath } from "../Params.ts"
import { refuseBusy, refusePassword } from "../text/SharedTexts.ts"
import { LOGIN_CODE_PATH } from "./LoginCode.tsx"
import { SignInLinks } from "./SignInWith.tsx"

const isOpen = Effect.map(Settings, (settings) => settings.current().registration.mode === "open")

const nextOf = (fields: URLSearchParams): string | undefined => localPath(fields.get("next"))

const showLogin = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams, state: FormState) {
  const say = sayOf(context, "login")
  const form = { context, state, action: "/login", submit: say("login.submit"), next: nextOf(fields) }
  const register = [say("login.new"), " ", <a href="/register">{context.say("action.register")}</a>]
  const options = yield* (yield* Passkeys).request({ purpose: "login", visitor: context.secret.value })
  return sheetPage({
    title: say("login.title"),
    lead: say("login.lead"),
    children: (
      <>
        <EntryForm {...form} />
        <SignInLinks context={context} offered={(yield* SignInProviders).offered()} />
        {options === undefined ? null : (
          <PostForm context={context} action="/login/passkey" class="mt-3">
            <Hidden fields={{ next: form.next }} />
            <PasskeyButton
              context={context}
              does="get"
              options={options}
              text={sayOf(context, "passkeys")("signIn")}
              look="w-100"
            />
          </PostForm>
        )}
      </>
    ),
    below: (
      <>
        {(yield* isOpen) ? <span class="d-block">{register}</span> : null}
        {(yield* (yield* MailDispatch).configured) ? <a class="d-block mt-2" href="/forgot">{say("forgot")}</a> : null}
      </>
    )
  })
})

const loginPage = visitorPage("/login", (context) =>
  context.user === undefined
    ? showLogin(context, context.query, emptyForm)
    : Effect.succeed(redirect(nextOf(context.query) ?? "/")))

const loginForm = visitorForm("/login", {
  run: Effect.fnUntraced(function*(context, fields) {
    const result = yield* (yield* Login).login(entrantOf(context, fields)).pipe(
      Effect.catchTags({
        LoginRefused: refusing({ form: sayOf(context, "login")("login.refused") }),
        TooManyAttempts: refuseBusy(context)
      })
    )
    const next = nextOf(fields)
    if (result._tag === "LoggedIn") return redirect(next ?? "/", { session: result.session })
    const query = next === undefined ? "" : `?${new URLSearchParams({ next })}`
    return redirect(`${LOGIN_CODE_PATH}${query}`, { pending: result.pending })
  }),
  again: (context, state) => showLogin(context, state.values, state)
})

const passkeyForm = visitorForm("/login/passkey", {
  run: Effect.fnUntraced(function*(context, fields) {
    const { address, language, secret, userAgent } = context
    const answer = { json: fields.get("passkey") ?? "", visitor: secret.value }
    const session = yield* (yield* PasskeyLogin).login({ answer, address, userAgent, language }).pipe(
      Effect.catchTags({
        LoginRefused: refusing({ form: sayOf(context, "passkeys")("login.refused") }),
        TooManyAttempts: refuseBusy(context)
      })
    )
    return redirect(nextOf(fields) ?? "/", { session })
  }),
  again: (context, state) => showLogin(context, state.values, state)
})

const logoutForm = visitorForm("/logout", {
  run: Effect.fnUntraced(function*({ session }) {
    if (session !== undefined) yield* (yield* LoginSessions).close(session.token)
    return redirect("/login", { session: null })
  })
})

const setupInvalid = (context: PageContext): Page => {
  const say = sayOf(context, "login")
  return endPage(context, {
    title: say("setup.invalid.title"),
    lead: say("setup.invalid.text"),
    children: (
      <pre class="copyable-text mb-3" tabIndex={0}><code>npx realms user create --role root --email …</code></pre>
    ),
    status: 404
  })
}

/** The form, as long as its link is good. */
const showSetup = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  const say = sayOf(context, "login")
  if (!(yield* (yield* SetupLinks).isValid(yield* linkToken))) return setupInvalid(context)
  const form = { context, state, action: context.pathname, submit: say("setup.submit") }
  return sheetPage({ title: say("setup.title"), lead: say("setup.lead"), children: <EntryForm {...form} isNew /> })
})

const createFirst = (context: PageContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const token = yield* linkToken
    const session = yield* (yield* Login).redeemSetup({ ...entrantOf(context, fields), token })
    return redirect("/admin", { session })
  }).pipe(
    Effect.catchTags({
      ...entrantRefusals(context, sayOf(context, "login")("setup.taken")),
      SetupLinkInvalid: () => Effect.succeed(setupInvalid(context))
    })
  )

const resetInvalid = (context: PageContext): Page => {
  const say = sayOf(context, "reset")
  return endPage(context, { title: say("invalid.title"), lead: say("invalid.text"), status: 404 })
}

/** The form, as long as its link is good. */
const showReset = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  const say = sayOf(context, "reset")
  return linkedPasswordPage({
    context,
    state,
    email: yield* (yield* PasswordLinks).find(yield* linkToken),
    title: say("title"),
    lead: (email) => say("lead", { email }),
    label: say("password"),
    submit: say("submit"),
    invalid: resetInvalid(context)
  })
})

const setPassword = (context: PageContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const password = Redacted.make(fields.get("password") ?? "")
    yield* (yield* PasswordLinks).redeem(yield* linkToken, password, context.address)
    const say = sayOf(context, "reset")
    return endPage(context, { title: say("done.title"), lead: say("done.text") })
  }).pipe(
    Effect.catchTags({
      PasswordLinkInvalid: () => Effect.succeed(resetInvalid(context)),
      PasswordRefused: refusePassword(context, "password")
    })
  )

export const LoginRoutes = routes(
  loginPage,
  loginForm,
  passkeyForm,
  logoutForm,
  visitorPage("/setup/:token", showSetup),
  visitorForm("/setup/:token", { run: createFirst, again: showSetup }),
  visitorPage("/reset/:token", showReset),
  visitorForm("/reset/:token", { run: setPassword, again: showReset })
)
