/**
 * `/admin/confirmations`: what waits for a second person. A second person confirms or rejects it here; its requester can only withdraw it.
 */
import { Effect } from "effect"
import { Confirmations } from "../../../../confirmations/Confirmations.ts"
import { type FormState, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { pathId } from "../../Params.ts"
import { confirmationsPage } from "./ConfirmationsView.tsx"
import { confirmationPage } from "./ConfirmationView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const isAll = context.query.get("view") === "all"
  const state = isAll ? undefined : "pending"
  const confirmations = yield* Confirmations
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => confirmations.list({ state, ...range }))
  return confirmationsPage(context, isAll, found)
})

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const confirmation = yield* (yield* Confirmations).find(yield* pathId("id"))
  return confirmationPage({ context, confirmation, state })
})

const confirmerOf = (context: UserContext) => ({ ...actorOf(context), userId: context.user.id })

const confirm = pageForm({
  show,
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).confirm(confirmerOf(context), id)
      return redirect(`/admin/confirmations/${id}?done=confirmed`)
    }).pipe(
      Effect.catchTag(
        "ActionRefused",
        ({ reason }) => refuse({ form: sayOf(context, "confirmations")("impossible", { why: reason }) }, 409)
      )
    )
})

const reject = pageForm({
  show,
  run: Effect.fnUntraced(function*(context, fields) {
    const id = yield* pathId("id")
    yield* (yield* Confirmations).reject(confirmerOf(context), id, fields.get("note") ?? "")
    return redirect(`/admin/confirmations/${id}?done=rejected`)
  })
})

export const ConfirmationsRoutes = routes(
  adminPage("/admin/confirmations", list),
  adminPage("/admin/confirmations/:id", confirm.page),
  adminForm("/admin/confirmations/:id/confirm", confirm.form),
  adminForm("/admin/confirmations/:id/reject", reject.form)
)
