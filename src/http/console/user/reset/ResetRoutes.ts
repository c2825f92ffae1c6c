/**
 * `/reset/{token}`: the one-time page on which a user sets a new password without the old one.
 */
import { Effect, Layer, Option, Redacted } from "effect"
import { HttpRouter } from "effect/http"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { emptyForm, type FormState, page, refuse } from "../../Answer.ts"
import { visitorForm, visitorPage } from "../../ConsoleRoute.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { passwordProblem } from "../../text/PasswordText.ts"
import { ResetDoneView, ResetInvalidView, ResetView } from "./ResetView.tsx"

const resetToken = Effect.map(HttpRouter.params, ({ token }) => Redacted.make(token ?? ""))

const showInvalid = (context: PageContext) =>
  page(sayOf(context, "reset")("invalid.title"), ResetInvalidView({ context }), { bare: true, status: 404 })

/** The form, as long as its link is good. */
const showReset = (context: PageContext, state: FormState) =>
  Effect.gen(function*() {
    const email = yield* (yield* PasswordLinks).find(yield* resetToken)
    if (Option.isNone(email)) return showInvalid(context)
    const view = ResetView({ context, state, email: email.value })
    return page(sayOf(context, "reset")("title"), view, { bare: true })
  })

const resetPage = visitorPage("/reset/:token", (context) => showReset(context, emptyForm))

const resetForm = visitorForm("/reset/:token", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const password = Redacted.make(fields.get("password") ?? "")
      yield* (yield* PasswordLinks).redeem(yield* resetToken, password, context.address)
      return page(sayOf(context, "reset")("done.title"), ResetDoneView({ context }), { bare: true })
    }).pipe(
      Effect.catchTags({
        PasswordLinkInvalid: () => Effect.succeed(showInvalid(context)),
        PasswordRefused: (error) => Effect.fail(refuse({ password: passwordProblem(context, error) }))
      })
    ),
  again: (context, fields, problems) => showReset(context, { values: fields, problems })
})

export const ResetRoutes = Layer.mergeAll(resetPage, resetForm)
