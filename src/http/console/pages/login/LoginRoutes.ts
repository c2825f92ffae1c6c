/**
 * `/login`, `/register` and `/logout`: coming in and going out. Whoever has come in goes on to the page of this site that
 * they had asked for, and to no other place.
 */
import { Effect, Layer, Redacted } from "effect"
import { Login } from "../../../../identity/Login.ts"
import { LoginSessions } from "../../../../identity/LoginSessions.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { localPath } from "../../LocalPath.ts"
import { passwordProblem, refuseBusy } from "../../text/PasswordText.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { loginText } from "./LoginText.ts"
import { LoginView, RegisterView, RegistrationClosedView } from "./LoginView.tsx"

/** What a form of these pages says of who sends it. */
export const entrantOf = (visit: Visit, fields: URLSearchParams) => ({
  email: fields.get("email") ?? "",
  password: Redacted.make(fields.get("password") ?? ""),
  address: visit.address,
  userAgent: visit.userAgent
})

const isOpen = Effect.map(Settings, (settings) => settings.current().registration.mode === "open")

const nextOf = (fields: URLSearchParams): string | undefined => localPath(fields.get("next"))

const showLogin = (visit: Visit, fields: URLSearchParams, state: FormState) =>
  Effect.map(isOpen, (open) =>
    page(
      sayOf(visit, loginText)("login.title"),
      LoginView({ visit, state, isOpen: open, next: nextOf(fields) }),
      { bare: true }
    ))

const showRegister = (visit: Visit, state: FormState) =>
  page(sayOf(visit, loginText)("register.title"), RegisterView({ visit, state }), { bare: true })

const showClosed = (visit: Visit, status: number) =>
  page(sayOf(visit, loginText)("closed.title"), RegistrationClosedView({ visit }), { bare: true, status })

const loginPage = visitorPage("/login", (visit) =>
  visit.user === undefined
    ? showLogin(visit, visit.query, emptyForm)
    : Effect.succeed(redirect(nextOf(visit.query) ?? "/")))

const loginForm = visitorForm("/login", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const session = yield* (yield* Login).login(entrantOf(visit, fields))
      return redirect(nextOf(fields) ?? "/", { session })
    }).pipe(
      Effect.catchTags({
        LoginRefused: () => Effect.fail(refuse({ form: sayOf(visit, loginText)("login.refused") })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(visit, error))
      })
    ),
  again: (visit, fields, problems) => showLogin(visit, fields, { values: fields, problems })
})

const registerPage = visitorPage("/register", (visit) =>
  visit.user === undefined
    ? Effect.map(isOpen, (open) => open ? showRegister(visit, emptyForm) : showClosed(visit, 200))
    : Effect.succeed(redirect("/")))

const registerForm = visitorForm("/register", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const session = yield* (yield* Login).register(entrantOf(visit, fields))
      return redirect("/", { session })
    }).pipe(
      Effect.catchTags({
        RegistrationClosed: () => Effect.succeed(showClosed(visit, 403)),
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(visit, loginText)("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(visit, loginText)("register.taken") })),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(visit, error) })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(visit, error))
      })
    ),
  again: (visit, fields, problems) => Effect.succeed(showRegister(visit, { values: fields, problems }))
})

const logoutForm = visitorForm("/logout", {
  run: (visit) =>
    Effect.gen(function*() {
      if (visit.session !== undefined) yield* (yield* LoginSessions).close(visit.session.token)
      return redirect("/login", { session: null })
    })
})

export const LoginRoutes = Layer.mergeAll(loginPage, loginForm, registerPage, registerForm, logoutForm)
