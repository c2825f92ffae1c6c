/**
 * `/setup/{token}`: the one-time page on which the first administrator is made.
 */
import { Effect, Layer, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { Login } from "../../../../identity/Login.ts"
import { SetupLinks } from "../../../../identity/SetupLinks.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { passwordProblem } from "../../text/PasswordText.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { entrantOf } from "./LoginRoutes.ts"
import { loginText } from "./LoginText.ts"
import { SetupInvalidView, SetupView } from "./LoginView.tsx"

const setupToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

const showInvalid = (visit: Visit) =>
  page(sayOf(visit, loginText)("setup.invalid.title"), SetupInvalidView({ visit }), { bare: true, status: 404 })

/** The form, as long as its link is good. */
const showSetup = (visit: Visit, state: FormState) =>
  Effect.gen(function*() {
    const token = yield* setupToken
    if (!(yield* (yield* SetupLinks).isValid(token))) return showInvalid(visit)
    const view = SetupView({ visit, state, action: visit.pathname })
    return page(sayOf(visit, loginText)("setup.title"), view, { bare: true })
  })

const setupPage = visitorPage("/setup/:token", (visit) => showSetup(visit, emptyForm))

const setupForm = visitorForm("/setup/:token", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const token = yield* setupToken
      const session = yield* (yield* Login).redeemSetup({ ...entrantOf(visit, fields), token })
      return redirect("/", { session })
    }).pipe(
      Effect.catchTags({
        SetupLinkInvalid: () => Effect.succeed(showInvalid(visit)),
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(visit, loginText)("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(visit, loginText)("setup.taken") })),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(visit, error) }))
      })
    ),
  again: (visit, fields, problems) => showSetup(visit, { values: fields, problems })
})

export const SetupRoutes = Layer.mergeAll(setupPage, setupForm)
