/**
 * Answers `/api/admin/confirmations` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { Confirmations } from "../../confirmations/Confirmations.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"

export const ConfirmationsHandlers = answersOf(
  "confirmations",
  Effect.gen(function*() {
    const confirmations = yield* Confirmations
    return {
      listConfirmations: ({ query: { state, ...range } }) => listed(confirmations.list({ ...rangeOf(range), state })),
      getConfirmation: ({ params }) => confirmations.find(params.id),
      confirm: ({ params }) => Effect.flatMap(CurrentAdmin, (admin) => confirmations.confirm(admin, params.id)),
      reject: ({ params, payload: { note = "" } }) =>
        Effect.flatMap(CurrentAdmin, (admin) => confirmations.reject(admin, params.id, note))
    }
  })
)
