/**
 * `/api/admin/me` and `/api/admin/keys`: who the request is from, and the keys that programs sign in with here.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ApiKeyId } from "../../domain/Ids.ts"
import { ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiId, ApiMoment, idIn } from "./ApiSchema.ts"

const Me = Schema.Struct({
  user_id: ApiId,
  email: Schema.String,
  actor: Schema.String,
  csrf_token: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Me" })

const AdminKey = Schema.Struct({
  id: ApiId,
  user_id: ApiId,
  email: Schema.String,
  name: Schema.String,
  hint: Schema.String,
  created_at: ApiMoment,
  expires_at: Schema.NullOr(ApiMoment),
  revoked_at: Schema.NullOr(ApiMoment),
  last_used_at: Schema.NullOr(ApiMoment)
}).annotate({ identifier: "AdminKey" })

const NewAdminKey = Schema.Struct({
  name: Schema.String,
  /** ISO 8601; absent: it does not expire. */
  expires_at: Schema.optionalKey(ApiMoment)
}).annotate({ identifier: "NewAdminKey" })

/** The key is in this answer and nowhere else. */
const CreatedAdminKey = Schema.Struct({ id: ApiId, key: Schema.String }).annotate({ identifier: "CreatedAdminKey" })

export class KeysApi extends HttpApiGroup.make("keys").add(
  HttpApiEndpoint.get("me", "/me", { success: Me, error: ApiUnavailable }),
  HttpApiEndpoint.get("listKeys", "/keys", {
    success: Schema.Struct({ items: Schema.Array(AdminKey) }),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.post("createKey", "/keys", {
    payload: NewAdminKey,
    success: CreatedAdminKey.pipe(HttpApiSchema.status(201)),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.post("revokeKey", "/keys/:id/revoke", {
    params: { id: idIn(ApiKeyId) },
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({ title: "Keys", description: "Keys of this API." })) {}
