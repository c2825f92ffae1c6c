/**
 * `/reset/{token}`: the one-time page on which a user sets a new password without the old one.
 */
import { Effect, Option, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { again, emptyForm } from "../../Answer.ts"
import { routes, visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import type { PageContext } from "../../PageContext.ts"
import { refusePassword } from "../../text/PasswordText.ts"
import { resetDoneSheet, resetInvalidSheet, resetSheet } from "./ResetView.tsx"

const resetToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

/** The form, as long as its link is good. */
const show = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  const email = yield* (yield* PasswordLinks).find(yield* resetToken)
  return Option.isNone(email) ? resetInvalidSheet(context) : resetSheet(context, email.value, state)
})

const setPassword = (context: PageContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const password = Redacted.make(fields.get("password") ?? "")
    yield* (yield* PasswordLinks).redeem(yield* resetToken, password, context.address)
    return resetDoneSheet(context)
  }).pipe(
    Effect.catchTags({
      PasswordLinkInvalid: () => Effect.succeed(resetInvalidSheet(context)),
      PasswordRefused: refusePassword(context, "password")
    })
  )

export const ResetRoutes = routes(
  visitorPage("/reset/:token", show),
  visitorForm("/reset/:token", { run: setPassword, again: again(show) })
)
