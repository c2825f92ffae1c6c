/**
 * `/api/admin/me` and `/api/admin/keys`: who the request is from, and the keys that programs sign in with here.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { ApiKeyId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { AdminKey as AdminKeyRow, AdminKeys } from "../../identity/AdminKeys.ts"
import { checkMayOpenAccess } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, ApiUnauthorized, dateOf, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { ApiMoment, created, documented, itemsOf, jsonFields, NoContent } from "./ApiSchema.ts"

const Me = Json({
  userId: IdJson,
  email: Schema.String,
  name: Schema.String,
  csrfToken: Schema.NullOr(Schema.String)
}, { name: "actor" }).pipe(documented("Me"))

const AdminKey = Json(jsonFields(AdminKeyRow.fields)).pipe(documented("AdminKey"))

const NewAdminKey = Json({
  name: Schema.String,
  /** ISO 8601; absent: it does not expire. */
  expiresAt: Schema.optionalKey(ApiMoment)
}).pipe(documented("NewAdminKey"))

/** The key is in this answer and nowhere else. */
const CreatedAdminKey = Json({ id: IdJson, key: Schema.RedactedFromValue(Schema.String) }).pipe(
  documented("CreatedAdminKey")
)

const { get, post } = HttpApiEndpoint

export class KeysApi extends area(
  "keys",
  "Keys",
  "Keys of this API."
).add(
  get("me", "/me", { success: Me }),
  get("listKeys", "/keys", { success: itemsOf(AdminKey) }),
  post("createKey", "/keys", { payload: NewAdminKey, success: CreatedAdminKey.pipe(created), error: ApiRefused }),
  post("revokeKey", "/keys/:id/revoke", { params: { id: idJson(ApiKeyId) }, success: NoContent, error: ApiNotFound })
) {}

const refusals = {
  name: refusedField("name", "has 1 to 100 characters"),
  expiry: refusedField("expires_at", "is a moment to come"),
  many: refusedField("name", "there are too many keys: revoke one first"),
  ended: new ApiUnauthorized({ message: "Your session, key or role has just ended. Sign in again." })
}

export const KeysHandlers = answersOf(KeysApi)(AdminKeys, (keys) => ({
  me: (_request, admin) => Effect.succeed(admin),
  listKeys: () => listed(keys.list),
  createKey: Effect.fnUntraced(
    function*({ payload }, admin) {
      yield* checkMayOpenAccess(admin)
      const expiresAt = yield* dateOf("expires_at", payload.expiresAt)
      return yield* keys.create(admin, { name: payload.name, expiresAt: expiresAt ?? null }, admin.entry)
    },
    Effect.catchTag("AdminKeyRefused", ({ reason }) => Effect.fail(refusals[reason]))
  ),
  revokeKey: ({ params }, admin) => keys.revoke(admin, params.id)
}))
