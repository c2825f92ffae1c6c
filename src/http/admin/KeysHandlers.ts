/**
 * Answers `/api/admin/me` and `/api/admin/keys` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminKeyRefused, AdminKeys } from "../../identity/AdminKeys.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, dateOf, orApiUnavailable, refusedField } from "./ApiError.ts"

const refusal = ({ reason }: AdminKeyRefused) => {
  switch (reason) {
    case "name":
      return refusedField("name", "has 1 to 100 characters")
    case "expiry":
      return refusedField("expires_at", "is a moment to come")
    case "many":
      return refusedField("name", "there are too many keys: revoke one first")
  }
}

export const KeysHandlers = HttpApiBuilder.group(
  AdminApi,
  "keys",
  Effect.fn(function*(handlers) {
    const keys = yield* AdminKeys
    return handlers.handleAll({
      me: () => CurrentAdmin,
      listKeys: () => Effect.map(keys.list, (items) => ({ items })).pipe(orApiUnavailable),
      createKey: Effect.fnUntraced(
        function*({ payload }) {
          const expiresAt = yield* dateOf("expires_at", payload.expiresAt)
          return yield* keys.create(yield* CurrentAdmin, { name: payload.name, expiresAt: expiresAt ?? null })
        },
        Effect.catchTag("AdminKeyRefused", (error) => Effect.fail(refusal(error))),
        orApiUnavailable
      ),
      revokeKey: ({ params }) =>
        Effect.flatMap(CurrentAdmin, (admin) => keys.revoke(admin, params.id)).pipe(
          Effect.catchTag("ApiKeyNotFound", () => Effect.fail(new ApiNotFound({ message: "There is no such key." }))),
          orApiUnavailable
        )
    })
  })
)
