/**
 * Answers `/api/admin/confirmations` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Confirmations } from "../../confirmations/Confirmations.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, orApiUnavailable } from "./ApiError.ts"
import { rangeOf } from "./ApiSchema.ts"
import { conflictOf } from "./PaymentsHandlers.ts"

const notThere = () => Effect.fail(new ApiNotFound({ message: "There is no such confirmation." }))

export const ConfirmationsHandlers = HttpApiBuilder.group(
  AdminApi,
  "confirmations",
  Effect.fn(function*(handlers) {
    const confirmations = yield* Confirmations
    return handlers.handleAll({
      listConfirmations: ({ query: { state, ...range } }) =>
        Effect.map(confirmations.list({ ...rangeOf(range), state }), (items) => ({ items })).pipe(orApiUnavailable),
      getConfirmation: ({ params }) =>
        confirmations.find(params.id).pipe(Effect.catchTag("ConfirmationNotFound", notThere), orApiUnavailable),
      confirm: Effect.fnUntraced(
        function*({ params }) {
          return yield* confirmations.confirm(yield* CurrentAdmin, params.id)
        },
        Effect.catchTags({
          ConfirmationNotFound: notThere,
          ActionRefused: conflictOf,
          ConfirmationRefused: conflictOf
        }),
        orApiUnavailable
      ),
      reject: Effect.fnUntraced(
        function*({ params, payload }) {
          return yield* confirmations.reject(yield* CurrentAdmin, params.id, payload.note ?? "")
        },
        Effect.catchTags({ ConfirmationNotFound: notThere, ConfirmationRefused: conflictOf }),
        orApiUnavailable
      )
    })
  })
)
