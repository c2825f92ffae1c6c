/**
 * `/api/admin/me` and `/api/admin/keys`: who the request is from, and the keys that programs sign in with here.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { ApiKeyId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { AdminKey as AdminKeyRow } from "../../identity/AdminKeys.ts"
import { ApiNotFound, ApiRefused } from "./ApiError.ts"
import { ApiMoment, created, documented, itemsOf, NoContent } from "./ApiSchema.ts"

const Me = Json({
  userId: IdJson,
  email: Schema.String,
  name: Schema.String,
  csrfToken: Schema.NullOr(Schema.String)
}, { name: "actor" }).pipe(documented("Me"))

const AdminKey = Json({
  ...AdminKeyRow.fields,
  id: IdJson,
  userId: IdJson,
  createdAt: MomentJson,
  expiresAt: Schema.NullOr(MomentJson),
  revokedAt: Schema.NullOr(MomentJson),
  lastUsedAt: Schema.NullOr(MomentJson)
}).pipe(documented("AdminKey"))

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

export class KeysApi extends HttpApiGroup.make("keys").add(
  get("me", "/me", { success: Me }),
  get("listKeys", "/keys", { success: itemsOf(AdminKey) }),
  post("createKey", "/keys", { payload: NewAdminKey, success: CreatedAdminKey.pipe(created), error: ApiRefused }),
  post("revokeKey", "/keys/:id/revoke", { params: { id: idJson(ApiKeyId) }, success: NoContent, error: ApiNotFound })
).annotateMerge(OpenApi.annotations({ title: "Keys", description: "Keys of this API." })) {}
