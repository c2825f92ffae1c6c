/**
 * Answers `/api/admin/me` and `/api/admin/keys` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { AdminKeys } from "../../identity/AdminKeys.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { dateOf, refusedField } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"

const refusals = {
  name: refusedField("name", "has 1 to 100 characters"),
  expiry: refusedField("expires_at", "is a moment to come"),
  many: refusedField("name", "there are too many keys: revoke one first")
}

export const KeysHandlers = answersOf(
  "keys",
  Effect.gen(function*() {
    const keys = yield* AdminKeys
    return {
      me: () => CurrentAdmin,
      listKeys: () => listed(keys.list),
      createKey: Effect.fnUntraced(
        function*({ payload }) {
          const expiresAt = yield* dateOf("expires_at", payload.expiresAt)
          return yield* keys.create(yield* CurrentAdmin, { name: payload.name, expiresAt: expiresAt ?? null })
        },
        Effect.catchTag("AdminKeyRefused", ({ reason }) => Effect.fail(refusals[reason]))
      ),
      revokeKey: ({ params }) => Effect.flatMap(CurrentAdmin, (admin) => keys.revoke(admin, params.id))
    }
  })
)
