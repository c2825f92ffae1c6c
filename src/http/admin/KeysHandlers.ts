/**
 * Answers `/api/admin/me` and `/api/admin/keys` by the same use cases as the pages.
 */
import { DateTime, Effect, Option, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminKey, type AdminKeyRefused, AdminKeys } from "../../identity/AdminKeys.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf, momentOrNull } from "./ApiSchema.ts"

const keyJson = (key: AdminKey) => ({
  id: key.id.toString(),
  user_id: key.userId.toString(),
  email: key.email,
  name: key.name,
  hint: key.hint,
  created_at: momentOf(key.createdAt),
  expires_at: momentOrNull(key.expiresAt),
  revoked_at: momentOrNull(key.revokedAt),
  last_used_at: momentOrNull(key.lastUsedAt)
})

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
      me: () =>
        Effect.map(CurrentAdmin, (admin) => ({
          user_id: admin.userId.toString(),
          email: admin.email,
          actor: admin.name,
          csrf_token: admin.csrfToken
        })),
      listKeys: () => Effect.map(keys.list, (items) => ({ items: items.map(keyJson) })).pipe(orApiUnavailable),
      createKey: Effect.fnUntraced(
        function*({ payload }) {
          const expires = payload.expires_at === undefined
            ? null
            : Option.getOrUndefined(DateTime.make(payload.expires_at))
          if (expires === undefined) return yield* refusedField("expires_at", "is a moment in ISO 8601")
          const created = yield* keys.create(yield* CurrentAdmin, {
            name: payload.name,
            expiresAt: expires === null ? null : DateTime.toDateUtc(expires)
          })
          return { id: created.id.toString(), key: Redacted.value(created.key) }
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
