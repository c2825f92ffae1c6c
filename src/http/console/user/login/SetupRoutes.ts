/**
 * `/setup/{token}`: the one-time page on which the first administrator is made.
 */
import { Effect, Layer, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { Login } from "../../../../identity/Login.ts"
import { SetupLinks } from "../../../../identity/SetupLinks.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { passwordProblem } from "../../text/PasswordText.ts"
import { entrantOf } from "./LoginRoutes.ts"
import { SetupInvalidView, SetupView } from "./LoginView.tsx"

const setupToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

const showInvalid = (context: PageContext) =>
  page(sayOf(context, "login")("setup.invalid.title"), SetupInvalidView({ context }), { bare: true, status: 404 })

/** The form, as long as its link is good. */
const showSetup = (context: PageContext, state: FormState) =>
  Effect.gen(function*() {
    const token = yield* setupToken
    if (!(yield* (yield* SetupLinks).isValid(token))) return showInvalid(context)
    const view = SetupView({ context, state, action: context.pathname })
    return page(sayOf(context, "login")("setup.title"), view, { bare: true })
  })

const setupPage = visitorPage("/setup/:token", (context) => showSetup(context, emptyForm))

const setupForm = visitorForm("/setup/:token", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const token = yield* setupToken
      const session = yield* (yield* Login).redeemSetup({ ...entrantOf(context, fields), token })
      return redirect("/", { session })
    }).pipe(
      Effect.catchTags({
        SetupLinkInvalid: () => Effect.succeed(showInvalid(context)),
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(context, "login")("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(context, "login")("setup.taken") })),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(context, error) }))
      })
    ),
  again: (context, fields, problems) => showSetup(context, { values: fields, problems })
})

export const SetupRoutes = Layer.mergeAll(setupPage, setupForm)
