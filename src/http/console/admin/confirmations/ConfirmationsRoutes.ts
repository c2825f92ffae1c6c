/**
 * `/admin/confirmations`: what waits for a second person. A second person confirms or rejects it here; its requester can only withdraw it.
 */
import { Effect, Layer } from "effect"
import { type ActionRefused, Confirmations } from "../../../../confirmations/Confirmations.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { ConfirmationsView } from "./ConfirmationsView.tsx"
import { ConfirmationView } from "./ConfirmationView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const isAll = context.query.get("view") === "all"
  const found = yield* (yield* Confirmations).list({
    state: isAll ? undefined : "pending",
    before: idOf(context.query.get("before")),
    limit: PAGE_SIZE + 1
  })
  return page(
    sayOf(context, "confirmations")("title"),
    ConfirmationsView({ context, isAll, found: found.slice(0, PAGE_SIZE), hasOlder: found.length > PAGE_SIZE })
  )
})

const notThere = () => Effect.fail(new PageNotFound())

const show = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const confirmation = yield* (yield* Confirmations).find(yield* pathId("id"))
    return page(
      sayOf(context, "confirmations")("one.title", { id: confirmation.id.toString() }),
      ConfirmationView({ context, confirmation, state })
    )
  }).pipe(Effect.catchTag("ConfirmationNotFound", notThere))

const confirmerOf = (context: UserContext) => ({ ...actorOf(context), userId: context.user.id })

const confirmForm = adminForm("/admin/confirmations/:id/confirm", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).confirm(confirmerOf(context), id)
      return redirect(`/admin/confirmations/${id}?done=confirmed`)
    }).pipe(
      Effect.catchTags({
        ConfirmationNotFound: notThere,
        ActionRefused: ({ reason }: ActionRefused) =>
          Effect.fail(refuse({ form: sayOf(context, "confirmations")("impossible", { why: reason }) }, 409))
      })
    ),
  again: (context, values, problems) => show(context, { values, problems })
})

const rejectForm = adminForm("/admin/confirmations/:id/reject", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id")
      yield* (yield* Confirmations).reject(confirmerOf(context), id, fields.get("note") ?? "")
      return redirect(`/admin/confirmations/${id}?done=rejected`)
    }).pipe(Effect.catchTag("ConfirmationNotFound", notThere)),
  again: (context, values, problems) => show(context, { values, problems })
})

export const ConfirmationsRoutes = Layer.mergeAll(
  adminPage("/admin/confirmations", list),
  adminPage("/admin/confirmations/:id", (context) => show(context, emptyForm)),
  confirmForm,
  rejectForm
)
