/**
 * `/api/admin/users`: the users, what they have, and what an administrator does to them. What moves money carries a key of the
 * caller's choosing: sent again with the same key it answers what happened the first time.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { idJson } from "../../domain/Fields.ts"
import { SubscriptionId, UserId } from "../../domain/Ids.ts"
import { Role } from "../../identity/Roles.ts"
import { ApiAccepted, ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment, pageQuery } from "./ApiSchema.ts"

const summary = {
  id: ApiId,
  email: Schema.String,
  role: Role,
  created_at: ApiMoment,
  disabled_at: Schema.NullOr(ApiMoment),
  usd_micros: ApiAmount,
  owed_micros: ApiAmount,
  last_seen_at: Schema.NullOr(ApiMoment)
}

const UserSummary = Schema.Struct(summary).annotate({ identifier: "UserSummary" })

const User = Schema.Struct({
  ...summary,
  has_password: Schema.Boolean,
  password_link_until: Schema.NullOr(ApiMoment),
  sessions: Schema.Array(Schema.Struct({
    id: ApiId,
    address: Schema.String,
    user_agent: Schema.String,
    created_at: ApiMoment,
    last_seen_at: ApiMoment
  })),
  orders: Schema.Int,
  subscriptions: Schema.Int,
  admin_keys: Schema.Int
}).annotate({ identifier: "User" })

const LedgerEntry = Schema.Struct({
  id: ApiId,
  /** 1, 2, 3, … of each user. */
  seq: ApiId,
  kind: Schema.String,
  amount_micros: ApiAmount,
  owed_micros: ApiAmount,
  ref_type: Schema.String,
  ref_id: Schema.String,
  actor: Schema.String,
  note: Schema.String,
  /** The spendable balance and the debt after the entry; null where they were not written down yet. */
  usd_after_micros: Schema.NullOr(ApiAmount),
  owed_after_micros: Schema.NullOr(ApiAmount),
  created_at: ApiMoment
}).annotate({ identifier: "LedgerEntry" })

const Subscription = Schema.Struct({
  id: ApiId,
  plan_code: Schema.String,
  plan_name: Schema.String,
  state: Schema.Literals(["coming", "running", "suspended", "over"]),
  starts_at: ApiMoment,
  ends_at: ApiMoment,
  order_id: Schema.NullOr(ApiId),
  note: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Subscription" })

const NewUser = Schema.Struct({ email: Schema.String, role: Schema.optionalKey(Role) }).annotate({
  identifier: "NewUser"
})

const key = Schema.String.annotate({
  description: "8 to 100 letters, digits and _ . : - of the caller's choosing, another one for every change."
})

const Adjustment = Schema.Struct({ amount_micros: ApiAmount, note: Schema.String, idempotency_key: key }).annotate({
  identifier: "Adjustment",
  description: "A signed amount; a balance is taken down to zero and no further."
})

const Adjusted = Schema.Struct({
  usd_micros: ApiAmount,
  owed_micros: ApiAmount,
  repeated: Schema.Boolean
}).annotate({ identifier: "Adjusted" })

const Waiver = Schema.Struct({ amount_micros: ApiAmount, note: Schema.String, idempotency_key: key }).annotate({
  identifier: "Waiver",
  description: "What of the debt is waived, above 0; the balance stays as it is."
})

const Waived = Schema.Struct({
  usd_micros: ApiAmount,
  owed_micros: ApiAmount,
  repeated: Schema.Boolean
}).annotate({ identifier: "Waived" })

const Grant = Schema.Struct({ plan_code: Schema.String, note: Schema.String, idempotency_key: key }).annotate({
  identifier: "Grant"
})

/** The link is in this answer and nowhere else. */
const PasswordLink = Schema.Struct({ url: Schema.String, expires_at: ApiMoment }).annotate({
  identifier: "PasswordLink"
})

const params = { id: idJson(UserId) }

export class UsersApi extends HttpApiGroup.make("users").add(
  HttpApiEndpoint.get("listUsers", "/users", {
    query: {
      ...pageQuery,
      q: Schema.optionalKey(Schema.String),
      role: Schema.optionalKey(Role),
      state: Schema.optionalKey(Schema.Literals(["active", "disabled"]))
    },
    success: Schema.Struct({ items: Schema.Array(UserSummary) }),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.post("createUser", "/users", {
    payload: NewUser,
    success: UserSummary.pipe(HttpApiSchema.status(201)),
    error: [ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getUser", "/users/:id", { params, success: User, error: [ApiNotFound, ApiUnavailable] }),
  HttpApiEndpoint.post("disableUser", "/users/:id/disable", {
    params,
    success: User,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("enableUser", "/users/:id/enable", {
    params,
    success: User,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("setUserRole", "/users/:id/role", {
    params,
    payload: Schema.Struct({ role: Role }).annotate({ identifier: "RoleChange" }),
    success: User,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("createPasswordLink", "/users/:id/password_link", {
    params,
    success: PasswordLink.pipe(HttpApiSchema.status(201)),
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listLedger", "/users/:id/ledger", {
    params,
    query: pageQuery,
    success: Schema.Struct({ items: Schema.Array(LedgerEntry) }),
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("adjustBalance", "/users/:id/adjustments", {
    params,
    payload: Adjustment,
    success: Adjusted,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("waiveDebt", "/users/:id/waive", {
    params,
    payload: Waiver,
    success: Waived,
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listSubscriptions", "/users/:id/subscriptions", {
    params,
    query: pageQuery,
    success: Schema.Struct({ items: Schema.Array(Subscription) }),
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("grantSubscription", "/users/:id/subscriptions", {
    params,
    payload: Grant,
    success: Schema.Struct({ id: ApiId }),
    error: [ApiAccepted, ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("endSubscription", "/users/:id/subscriptions/:subscription_id/end", {
    params: { ...params, subscription_id: idJson(SubscriptionId) },
    payload: Schema.Struct({ note: Schema.String }).annotate({ identifier: "SubscriptionEnd" }),
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiRefused, ApiConflict, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({ title: "Users", description: "Users, their money and their plans." })) {}
