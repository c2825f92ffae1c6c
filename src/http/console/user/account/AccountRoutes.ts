/**
 * `/account`: a user's own account, the change of its password, and the end of its other sessions.
 */
import { Effect, Redacted } from "effect"
import { Login } from "../../../../identity/Login.ts"
import { LoginSessions } from "../../../../identity/LoginSessions.ts"
import { again, emptyForm, page, redirect, refusing } from "../../Answer.ts"
import { routes, userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { refuseBusy, refusePassword } from "../../text/PasswordText.ts"
import { AccountView } from "./AccountView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const sessions = yield* (yield* LoginSessions).list(context.user.id, context.session.token)
  return page(sayOf(context, "account")("title"), AccountView({ context, sessions, state }))
})

const changePassword = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  yield* (yield* Login).changePassword({
    userId: context.user.id,
    current: Redacted.make(fields.get("current") ?? ""),
    next: Redacted.make(fields.get("next") ?? ""),
    keepToken: context.session.token,
    address: context.address
  }).pipe(
    Effect.catchTags({
      WrongPassword: refusing({ current: sayOf(context, "account")("password.wrong") }),
      PasswordRefused: refusePassword(context, "next"),
      TooManyAttempts: refuseBusy(context)
    })
  )
  return redirect("/account?done=password")
})

const closeSessions = Effect.fnUntraced(function*({ session, user }: UserContext) {
  yield* (yield* LoginSessions).closeOthers(user.id, session.token)
  return redirect("/account?done=sessions")
})

export const AccountRoutes = routes(
  userPage("/account", show),
  userForm("/account/password", { run: changePassword, again: again(show) }),
  userForm("/account/sessions", { run: closeSessions })
)
