/**
 * `/account`: a user's own account, the change of its password, and the end of its other sessions.
 */
import { Effect, Layer, Redacted } from "effect"
import { Login } from "../../../../identity/Login.ts"
import { LoginSessions } from "../../../../identity/LoginSessions.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { passwordProblem, refuseBusy } from "../../text/PasswordText.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { accountText } from "./AccountText.ts"
import { AccountView } from "./AccountView.tsx"

const showAccount = (visit: UserVisit, state: FormState) =>
  Effect.gen(function*() {
    const sessions = yield* (yield* LoginSessions).list(visit.user.id, visit.session.token)
    return page(sayOf(visit, accountText)("title"), AccountView({ visit, sessions, state }))
  })

const accountPage = userPage("/account", (visit) => showAccount(visit, emptyForm))

const passwordForm = userForm("/account/password", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      yield* (yield* Login).changePassword({
        userId: visit.user.id,
        current: Redacted.make(fields.get("current") ?? ""),
        next: Redacted.make(fields.get("next") ?? ""),
        keepToken: visit.session.token,
        address: visit.address
      })
      return redirect("/account?done=password")
    }).pipe(
      Effect.catchTags({
        WrongPassword: () => Effect.fail(refuse({ current: sayOf(visit, accountText)("password.wrong") })),
        PasswordRefused: (error) => Effect.fail(refuse({ next: passwordProblem(visit, error) })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(visit, error))
      })
    ),
  again: (visit, fields, problems) => showAccount(visit, { values: fields, problems })
})

const sessionsForm = userForm("/account/sessions", {
  run: (visit) =>
    Effect.gen(function*() {
      yield* (yield* LoginSessions).closeOthers(visit.user.id, visit.session.token)
      return redirect("/account?done=sessions")
    })
})

export const AccountRoutes = Layer.mergeAll(accountPage, passwordForm, sessionsForm)
