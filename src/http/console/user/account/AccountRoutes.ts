/**
 * `/account`: a user's own account, the change of its password, and the end of its other sessions.
 */
import { Effect, Layer, Redacted } from "effect"
import { Login } from "../../../../identity/Login.ts"
import { LoginSessions } from "../../../../identity/LoginSessions.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { passwordProblem, refuseBusy } from "../../text/PasswordText.ts"
import { AccountView } from "./AccountView.tsx"

const showAccount = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const sessions = yield* (yield* LoginSessions).list(context.user.id, context.session.token)
    return page(sayOf(context, "account")("title"), AccountView({ context, sessions, state }))
  })

const accountPage = userPage("/account", (context) => showAccount(context, emptyForm))

const passwordForm = userForm("/account/password", {
  run: (context, fields) =>
    Effect.gen(function*() {
      yield* (yield* Login).changePassword({
        userId: context.user.id,
        current: Redacted.make(fields.get("current") ?? ""),
        next: Redacted.make(fields.get("next") ?? ""),
        keepToken: context.session.token,
        address: context.address
      })
      return redirect("/account?done=password")
    }).pipe(
      Effect.catchTags({
        WrongPassword: () => Effect.fail(refuse({ current: sayOf(context, "account")("password.wrong") })),
        PasswordRefused: (error) => Effect.fail(refuse({ next: passwordProblem(context, error) })),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(context, error))
      })
    ),
  again: (context, fields, problems) => showAccount(context, { values: fields, problems })
})

const sessionsForm = userForm("/account/sessions", {
  run: (context) =>
    Effect.gen(function*() {
      yield* (yield* LoginSessions).closeOthers(context.user.id, context.session.token)
      return redirect("/account?done=sessions")
    })
})

export const AccountRoutes = Layer.mergeAll(accountPage, passwordForm, sessionsForm)
