/**
 * `/reset/{token}`: the one-time page on which a user sets a new password without the old one.
 */
import { Effect, Layer, Option, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { emptyForm, type FormState, page, refuse } from "../../Answer.ts"
import { visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { passwordProblem } from "../../text/PasswordText.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { resetText } from "./ResetText.ts"
import { ResetDoneView, ResetInvalidView, ResetView } from "./ResetView.tsx"

const resetToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

const showInvalid = (visit: Visit) =>
  page(sayOf(visit, resetText)("invalid.title"), ResetInvalidView({ visit }), { bare: true, status: 404 })

/** The form, as long as its link is good. */
const showReset = (visit: Visit, state: FormState) =>
  Effect.gen(function*() {
    const email = yield* (yield* PasswordLinks).find(yield* resetToken)
    if (Option.isNone(email)) return showInvalid(visit)
    const view = ResetView({ visit, state, email: email.value })
    return page(sayOf(visit, resetText)("title"), view, { bare: true })
  })

const resetPage = visitorPage("/reset/:token", (visit) => showReset(visit, emptyForm))

const resetForm = visitorForm("/reset/:token", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const password = Redacted.make(fields.get("password") ?? "")
      yield* (yield* PasswordLinks).redeem(yield* resetToken, password, visit.address)
      return page(sayOf(visit, resetText)("done.title"), ResetDoneView({ visit }), { bare: true })
    }).pipe(
      Effect.catchTags({
        PasswordLinkInvalid: () => Effect.succeed(showInvalid(visit)),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(visit, error) }))
      })
    ),
  again: (visit, fields, problems) => showReset(visit, { values: fields, problems })
})

export const ResetRoutes = Layer.mergeAll(resetPage, resetForm)
