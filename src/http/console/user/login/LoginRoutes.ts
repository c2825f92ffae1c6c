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
import { type PageContext, sayOf } from "../../PageContext.ts"
import { passwordProblem, refuseBusy } from "../../text/PasswordText.ts"
import { LoginView, RegisterView, RegistrationClosedView } from "./LoginView.tsx"

/** What a form of these pages says of who sends it. */
export const entrantOf = (context: PageContext, fields: URLSearchParams) => ({
  email: fields.get("email") ?? "",
  password: Redacted.make(fields.get("password") ?? ""),
  address: context.address,
  userAgent: context.userAgent
})

const isOpen = Effect.map(Settings, (settings) => settings.current().registration.mode === "open")

const nextOf = (fields: URLSearchParams): string | undefined => localPath(fields.get("next"))

const showLogin = (context: PageContext, fields: URLSearchParams, state: FormState) =>
  Effect.map(isOpen, (open) =>
    page(
      sayOf(context, "login")("login.title"),
      LoginView({ context, state, isOpen: open, next: nextOf(fields) }),
      { bare: true }
    ))

const showRegister = (context: PageContext, state: FormState) =>
  page(sayOf(context, "login")("register.title"), RegisterView({ context, state }), { bare: true })

const showClosed = (context: PageContext, status: number) =>
  page(sayOf(context, "login")("closed.title"), RegistrationClosedView({ context }), { bare: true, status })

const loginPage = visitorPage("/login", (context) =>
  context.user === undefined
    ? showLogin(context, context.query, emptyForm)
    : Effect.succeed(redirect(nextOf(context.query) ?? "/")))

const loginForm = visitorForm("/login", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const session = yield* (yield* Login).login(entrantOf(context, fields))
      return redirect(nextOf(fields) ?? "/", { session })
    }).pipe(
      Effect.catchTags({
        LoginRefused: () => Effect.fail(refuse({ form: sayOf(context, "login")("login.refused") })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(context, error))
      })
    ),
  again: (context, fields, problems) => showLogin(context, fields, { values: fields, problems })
})

const registerPage = visitorPage("/register", (context) =>
  context.user === undefined
    ? Effect.map(isOpen, (open) => open ? showRegister(context, emptyForm) : showClosed(context, 200))
    : Effect.succeed(redirect("/")))

const registerForm = visitorForm("/register", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const session = yield* (yield* Login).register(entrantOf(context, fields))
      return redirect("/", { session })
    }).pipe(
      Effect.catchTags({
        RegistrationClosed: () => Effect.succeed(showClosed(context, 403)),
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(context, "login")("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(context, "login")("register.taken") })),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(context, error) })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(context, error))
      })
    ),
  again: (context, fields, problems) => Effect.succeed(showRegister(context, { values: fields, problems }))
})

const logoutForm = visitorForm("/logout", {
  run: (context) =>
    Effect.gen(function*() {
      if (context.session !== undefined) yield* (yield* LoginSessions).close(context.session.token)
      return redirect("/login", { session: null })
    })
})

export const LoginRoutes = Layer.mergeAll(loginPage, loginForm, registerPage, registerForm, logoutForm)
