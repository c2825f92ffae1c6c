/**
 * `/setup/{token}`: the one-time page on which the first administrator is made.
 */
import { Effect, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { Login } from "../../../../identity/Login.ts"
import { SetupLinks } from "../../../../identity/SetupLinks.ts"
import { again, emptyForm, redirect } from "../../Answer.ts"
import { routes, visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { entrantOf, entrantRefusals } from "./LoginRoutes.ts"
import { setupInvalidSheet, setupSheet } from "./LoginView.tsx"

const setupToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

/** The form, as long as its link is good. */
const show = Effect.fnUntraced(function*(context: PageContext, state = emptyForm) {
  const isValid = yield* (yield* SetupLinks).isValid(yield* setupToken)
  return isValid ? setupSheet(context, state) : setupInvalidSheet(context)
})

const create = (context: PageContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const token = yield* setupToken
    const session = yield* (yield* Login).redeemSetup({ ...entrantOf(context, fields), token })
    return redirect("/", { session })
  }).pipe(
    Effect.catchTags({
      ...entrantRefusals(context, sayOf(context, "login")("setup.taken")),
      SetupLinkInvalid: () => Effect.succeed(setupInvalidSheet(context))
    })
  )

export const SetupRoutes = routes(
  visitorPage("/setup/:token", show),
  visitorForm("/setup/:token", { run: create, again: again(show) })
)
