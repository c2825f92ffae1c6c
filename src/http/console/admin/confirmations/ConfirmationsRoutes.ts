/**
 * `/admin/confirmations`: what waits for a second person. A second person confirms or rejects it here; its requester can only withdraw it.
 */
import { Effect, Layer } from "effect"
import { type ActionRefused, Confirmations } from "../../../../confirmations/Confirmations.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { idOf, pathId } from "../../PathId.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { confirmationsText } from "./ConfirmationsText.ts"
import { ConfirmationsView } from "./ConfirmationsView.tsx"
import { ConfirmationView } from "./ConfirmationView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(visit: UserVisit) {
  const isAll = visit.query.get("view") === "all"
  const found = yield* (yield* Confirmations).list({
    state: isAll ? undefined : "pending",
    before: idOf(visit.query.get("before")),
    limit: PAGE_SIZE + 1
  })
  return page(
    sayOf(visit, confirmationsText)("title"),
    ConfirmationsView({ visit, isAll, found: found.slice(0, PAGE_SIZE), hasOlder: found.length > PAGE_SIZE })
  )
})

const notThere = () => Effect.fail(new PageNotFound())

const show = (visit: UserVisit, state: FormState) =>
  Effect.gen(function*() {
    const confirmation = yield* (yield* Confirmations).find(yield* pathId("id"))
    return page(
      sayOf(visit, confirmationsText)("one.title", { id: confirmation.id.toString() }),
      ConfirmationView({ visit, confirmation, state })
    )
  }).pipe(Effect.catchTag("ConfirmationNotFound", notThere))

const confirmerOf = (visit: UserVisit) => ({ ...actorOf(visit), userId: visit.user.id })

const confirmForm = adminForm("/admin/confirmations/:id/confirm", {
  run: (visit) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).confirm(confirmerOf(visit), id)
      return redirect(`/admin/confirmations/${id}?done=confirmed`)
    }).pipe(
      Effect.catchTags({
        ConfirmationNotFound: notThere,
        ActionRefused: ({ reason }: ActionRefused) =>
          Effect.fail(refuse({ form: sayOf(visit, confirmationsText)("impossible", { why: reason }) }, 409))
      })
    ),
  again: (visit, values, problems) => show(visit, { values, problems })
})

const rejectForm = adminForm("/admin/confirmations/:id/reject", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).reject(confirmerOf(visit), id, fields.get("note") ?? "")
      return redirect(`/admin/confirmations/${id}?done=rejected`)
    }).pipe(Effect.catchTag("ConfirmationNotFound", notThere)),
  again: (visit, values, problems) => show(visit, { values, problems })
})

export const ConfirmationsRoutes = Layer.mergeAll(
  adminPage("/admin/confirmations", list),
  adminPage("/admin/confirmations/:id", (visit) => show(visit, emptyForm)),
  confirmForm,
  rejectForm
)
