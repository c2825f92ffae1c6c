/**
 * Answers `/api/admin/confirmations` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type Confirmation, Confirmations } from "../../confirmations/Confirmations.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, orApiUnavailable } from "./ApiError.ts"
import { momentOf, momentOrNull, rangeOf } from "./ApiSchema.ts"
import { conflictOf } from "./PaymentsHandlers.ts"

const confirmationJson = (one: Confirmation) => ({
  id: one.id.toString(),
  action: one.action,
  state: one.state,
  facts: one.facts,
  usd_micros: one.usdMicros?.toString() ?? null,
  fen: one.fen?.toString() ?? null,
  note: one.note,
  requested_by: one.requestedBy.toString(),
  requester: one.requester,
  requested_as: one.requestedAs,
  address: one.address,
  requested_at: momentOf(one.requestedAt),
  expires_at: momentOf(one.expiresAt),
  closed_by: one.closedBy?.toString() ?? null,
  closer: one.closer,
  closed_at: momentOrNull(one.closedAt),
  close_note: one.closeNote
})

const notThere = () => Effect.fail(new ApiNotFound({ message: "There is no such confirmation." }))

export const ConfirmationsHandlers = HttpApiBuilder.group(
  AdminApi,
  "confirmations",
  Effect.fn(function*(handlers) {
    const confirmations = yield* Confirmations
    return handlers.handleAll({
      listConfirmations: ({ query: { state, ...range } }) =>
        Effect.map(
          confirmations.list({ ...rangeOf(range), state }),
          (found) => ({ items: found.map(confirmationJson) })
        ).pipe(orApiUnavailable),
      getConfirmation: ({ params }) =>
        Effect.map(confirmations.find(BigInt(params.id)), confirmationJson).pipe(
          Effect.catchTag("ConfirmationNotFound", notThere),
          orApiUnavailable
        ),
      confirm: Effect.fnUntraced(
        function*({ params }) {
          return confirmationJson(yield* confirmations.confirm(yield* CurrentAdmin, BigInt(params.id)))
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
          const admin = yield* CurrentAdmin
          return confirmationJson(yield* confirmations.reject(admin, BigInt(params.id), payload.note ?? ""))
        },
        Effect.catchTags({ ConfirmationNotFound: notThere, ConfirmationRefused: conflictOf }),
        orApiUnavailable
      )
    })
  })
)
