/**
 * `/login`, `/register` and `/logout`: signing in, registering and signing out. Afterwards a visitor goes on to
 * the page that they had asked for, if it is on this site.
 */
import { Effect, Redacted } from "effect"
import { Login } from "../../../../identity/Login.ts"
import { LoginSessions } from "../../../../identity/LoginSessions.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { emptyForm, type FormState, redirect, refusing } from "../../Answer.ts"
import { routes, visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { localPath } from "../../LocalPath.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { refuseBusy, refusePassword } from "../../text/PasswordText.ts"
import { closedSheet, loginSheetOf, registerSheet } from "./LoginView.tsx"

/** What a form of these pages says of its sender. */
export const entrantOf = (context: PageContext, fields: URLSearchParams) => ({
  email: fields.get("email") ?? "",
  password: Redacted.make(fields.get("password") ?? ""),
  address: context.address,
  userAgent: context.userAgent
})

/** Why there is no new account; `taken` says that the e-mail address has one. */
export const entrantRefusals = (context: PageContext, taken: string) => ({
  InvalidEmail: refusing({ email: sayOf(context, "login")("email.invalid") }),
  EmailTaken: refusing({ email: taken }),
  PasswordRefused: refusePassword(context, "password")
})

const isOpen = Effect.map(Settings, (settings) => settings.current().registration.mode === "open")

const nextOf = (fields: URLSearchParams): string | undefined => localPath(fields.get("next"))

const showLogin = (context: PageContext, fields: URLSearchParams, state: FormState) =>
  Effect.map(isOpen, (open) => loginSheetOf(context, { state, isOpen: open, next: nextOf(fields) }))

const loginPage = visitorPage("/login", (context) =>
  context.user === undefined
    ? showLogin(context, context.query, emptyForm)
    : Effect.succeed(redirect(nextOf(context.query) ?? "/")))

const loginForm = visitorForm("/login", {
  run: Effect.fnUntraced(function*(context, fields) {
    const session = yield* (yield* Login).login(entrantOf(context, fields)).pipe(
      Effect.catchTags({
        LoginRefused: refusing({ form: sayOf(context, "login")("login.refused") }),
        TooManyAttempts: refuseBusy(context)
      })
    )
    return redirect(nextOf(fields) ?? "/", { session })
  }),
  again: (context, values, problems) => showLogin(context, values, { values, problems })
})

const registerPage = visitorPage("/register", (context) =>
  context.user === undefined
    ? Effect.map(isOpen, (open) => open ? registerSheet(context, emptyForm) : closedSheet(context, 200))
    : Effect.succeed(redirect("/")))

const registerForm = visitorForm("/register", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const session = yield* (yield* Login).register(entrantOf(context, fields))
      return redirect("/", { session })
    }).pipe(
      Effect.catchTags({
        ...entrantRefusals(context, sayOf(context, "login")("register.taken")),
        RegistrationClosed: () => Effect.succeed(closedSheet(context, 403)),
        TooManyAttempts: refuseBusy(context)
      })
    ),
  again: (context, values, problems) => Effect.succeed(registerSheet(context, { values, problems }))
})

const logoutForm = visitorForm("/logout", {
  run: Effect.fnUntraced(function*({ session }) {
    if (session !== undefined) yield* (yield* LoginSessions).close(session.token)
    return redirect("/login", { session: null })
  })
})

export const LoginRoutes = routes(loginPage, loginForm, registerPage, registerForm, logoutForm)
