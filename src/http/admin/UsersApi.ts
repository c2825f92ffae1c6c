/**
 * `/api/admin/users`: the users, what they have, and what an administrator does to them. What moves money carries a key of the
 * caller's choosing: sent again with the same key it answers what happened the first time.
 */
import { rateLimitFields } from "../../domain/CallLimits.ts"
import { Effect, Option, Redacted, Schema, SchemaTransformation } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { Adjustments } from "../../accounts/Adjustments.ts"
import { DebtWaivers } from "../../accounts/DebtWaivers.ts"
import { LedgerItem, LedgerList } from "../../accounts/LedgerList.ts"
import { AmountJson, IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { ApiKeyId, SubscriptionId, UserId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { SpendingApiKey } from "../../identity/ApiKey.ts"
import { ApiKeys } from "../../identity/ApiKeys.ts"
import { UserNotFound } from "../../identity/IdentityError.ts"
import { KeyList } from "../../identity/KeyList.ts"
import { PasswordLinks } from "../../identity/PasswordLinks.ts"
import { isStaff, Role } from "../../identity/Roles.ts"
import { SecondFactors } from "../../identity/SecondFactors.ts"
import { UserAdmin, UserSession, UserSummary as UserSummaryRow } from "../../identity/UserAdmin.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { Grants } from "../../subscriptions/Grants.ts"
import { SubscriptionItem, SubscriptionList } from "../../subscriptions/SubscriptionList.ts"
import { type Administrator, checkMayOpenAccess } from "./AdminAccess.ts"
import { ApiConflict, ApiNotFound, ApiRefused, changeErrors, confirmedErrors, editErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, jsonFields, NoContent, pageQuery, rangeOf } from "./ApiSchema.ts"

const summary = jsonFields(UserSummaryRow.fields)

const UserSummary = Json(summary).pipe(documented("UserSummary"))

/** How many there are, as a number. */
const Many = Schema.Int.pipe(
  Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform({ decode: BigInt, encode: Number }))
)

const User = Json({
  ...summary,
  hasPassword: Schema.Boolean,
  emailVerifiedAt: Schema.NullOr(MomentJson),
  hasSecondFactor: Schema.Boolean,
  passwordLinkUntil: Schema.NullOr(MomentJson),
  groupCode: Schema.NullOr(Schema.String),
  ...rateLimitFields,
  redeemedGroupCode: Schema.NullOr(Schema.String),
  sessions: Schema.Array(Json(jsonFields(UserSession.fields))),
  orders: Many,
  subscriptions: Many,
  adminKeys: Many
}).pipe(documented("User"))

const LedgerEntry = Json(jsonFields(LedgerItem.fields)).pipe(documented("LedgerEntry"))

const Subscription = Json(jsonFields(SubscriptionItem.fields)).pipe(documented("Subscription"))

const ApiKey = Json(jsonFields(SpendingApiKey.fields)).pipe(
  documented("ApiKey", {
    description:
      "A key for calls. `spent_of_limit_micros` is what was spent in the UTC day, week from Monday or month that runs now, " +
      "as `spend_limit_period` says; of a limit for `total`, ever."
  })
)

const NewUser = Schema.Struct({ email: Schema.String, role: Schema.optionalKey(Role) }).pipe(documented("NewUser"))

/** Why, and the key of this change alone. */
const reasoned = {
  note: Schema.String,
  key: Schema.String.annotate({
    description: "8 to 100 letters, digits and _ . : - of the caller's choosing, another one for every change."
  })
}

const Adjustment = Json({ amountMicros: AmountJson, ...reasoned }, { key: "idempotency_key" }).pipe(
  documented("Adjustment", { description: "A signed amount; a balance is taken down to zero and no further." })
)

/** What the account has and owes then. */
const account = { usdMicros: AmountJson, owedMicros: AmountJson, repeated: Schema.Boolean }

const Adjusted = Json(account).pipe(documented("Adjusted"))

const Waiver = Json({ amountMicros: AmountJson, ...reasoned }, { key: "idempotency_key" }).pipe(
  documented("Waiver", { description: "What of the debt is waived, above 0; the balance stays as it is." })
)

const Waived = Json(account).pipe(documented("Waived"))

const Grant = Json({ planCode: Schema.String, ...reasoned }, { key: "idempotency_key" }).pipe(
  documented("Grant")
)

/** The link is in this answer and nowhere else. */
const PasswordLink = Json({ url: Schema.String, expiresAt: MomentJson }).pipe(
  documented("PasswordLink")
)

const params = { id: idJson(UserId) }

const { get, post } = HttpApiEndpoint

export class UsersApi extends area(
  "users",
  "Users",
  "Users, their money and their plans."
).add(
  get("listUsers", "/users", {
    query: {
      ...pageQuery,
      q: Schema.optionalKey(Schema.String),
      role: Schema.optionalKey(Role),
      state: Schema.optionalKey(Schema.Literals(["active", "disabled"]))
    },
    success: itemsOf(UserSummary)
  }),
  post("createUser", "/users", {
    payload: NewUser,
    success: UserSummary.pipe(created),
    error: [ApiRefused, ApiConflict]
  }),
  get("getUser", "/users/:id", { params, success: User, error: ApiNotFound }),
  post("disableUser", "/users/:id/disable", { params, success: User, error: changeErrors }),
  post("enableUser", "/users/:id/enable", { params, success: User, error: ApiNotFound }),
  post("setUserRole", "/users/:id/role", {
    params,
    payload: Schema.Struct({ role: Role }).pipe(documented("RoleChange")),
    success: User,
    error: changeErrors
  }),
  post("setUserGroup", "/users/:id/group", {
    params,
    payload: Json({ groupCode: Schema.NullOr(Schema.String) }).pipe(documented("GroupChange")),
    success: User,
    error: editErrors
  }),
  post("setUserLimits", "/users/:id/limits", {
    params,
    payload: Json(rateLimitFields).pipe(
      documented("UserLimits", {
        description: "Limits of all the user's calls together. Null: that of a running plan, else that of the settings."
      })
    ),
    success: User,
    error: editErrors
  }),
  post("createPasswordLink", "/users/:id/password_link", {
    params,
    success: PasswordLink.pipe(created),
    error: changeErrors
  }),
  post("resetSecondFactor", "/users/:id/second_factor/reset", { params, success: User, error: changeErrors }),
  get("listLedger", "/users/:id/ledger", {
    params,
    query: pageQuery,
    success: itemsOf(LedgerEntry),
    error: ApiNotFound
  }),
  post("adjustBalance", "/users/:id/adjustments", {
    params,
    payload: Adjustment,
    success: Adjusted,
    error: confirmedErrors
  }),
  post("waiveDebt", "/users/:id/waive", { params, payload: Waiver, success: Waived, error: confirmedErrors }),
  get("listSubscriptions", "/users/:id/subscriptions", {
    params,
    query: pageQuery,
    success: itemsOf(Subscription),
    error: ApiNotFound
  }),
  get("listUserKeys", "/users/:id/keys", {
    params,
    query: pageQuery,
    success: itemsOf(ApiKey),
    error: ApiNotFound
  }),
  post("revokeUserKey", "/users/:id/keys/:key_id/revoke", {
    params: { ...params, key_id: idJson(ApiKeyId) },
    success: NoContent,
    error: ApiNotFound
  }),
  post("grantSubscription", "/users/:id/subscriptions", {
    params,
    payload: Grant,
    success: Schema.Struct({ id: IdJson }),
    error: confirmedErrors
  }),
  post("endSubscription", "/users/:id/subscriptions/:subscription_id/end", {
    params: { ...params, subscription_id: idJson(SubscriptionId) },
    payload: Schema.Struct({ note: Schema.String }).pipe(documented("SubscriptionEnd")),
    success: NoContent,
    error: editErrors
  })
) {}

export const UsersHandlers = answersOf(UsersApi)(
  Effect.all({
    users: UserAdmin,
    adjustments: Adjustments,
    waivers: DebtWaivers,
    grants: Grants,
    ledger: LedgerList,
    subscriptions: SubscriptionList,
    links: PasswordLinks,
    secondFactors: SecondFactors,
    keys: ApiKeys,
    keyList: KeyList,
    address: PublicAddress
  }),
  ({ address, adjustments, grants, keyList, keys, ledger, links, secondFactors, subscriptions, users, waivers }) => {
    const view = Effect.fnUntraced(function*(id: UserId) {
      const found = yield* users.view(id)
      return Option.isNone(found) ? yield* new UserNotFound({ userId: id }) : found.value
    })

    /** For what lets a user in: if they are staff, into the administration. */
    const checkStaff = (admin: Administrator, id: UserId) =>
      Effect.flatMap(view(id), ({ role }) => isStaff(role) ? checkMayOpenAccess(admin) : Effect.void)

    return {
      listUsers: ({ query: { q, role, state, ...range } }) =>
        listed(users.search({ ...rangeOf(range), text: q, role, state })),
      createUser: Effect.fnUntraced(function*({ payload: { email, role = "user" } }, admin) {
        if (isStaff(role)) yield* checkMayOpenAccess(admin)
        const made = yield* users.create(admin, { email, role })
        return { ...made, usdMicros: 0n, owedMicros: 0n, spentMicros: 0n, lastCallAt: null, lastSeenAt: null }
      }),
      getUser: ({ params }) => view(params.id),
      disableUser: ({ params }, admin) => Effect.andThen(users.disable(admin, params.id), view(params.id)),
      enableUser: ({ params }, admin) =>
        checkStaff(admin, params.id).pipe(
          Effect.andThen(users.enable(admin, params.id)),
          Effect.andThen(view(params.id))
        ),
      setUserRole: ({ params, payload }, admin) =>
        checkMayOpenAccess(admin).pipe(
          Effect.andThen(users.setRole(admin, params.id, payload.role)),
          Effect.andThen(view(params.id))
        ),
      setUserGroup: ({ params, payload }, admin) =>
        Effect.andThen(users.setGroup(admin, params.id, payload.groupCode), view(params.id)),
      setUserLimits: ({ params, payload }, admin) =>
        Effect.andThen(users.setLimits(admin, params.id, payload), view(params.id)),
      createPasswordLink: Effect.fnUntraced(function*({ params }, admin) {
        yield* checkStaff(admin, params.id)
        const { expiresAt, token } = yield* links.issue(admin, params.id)
        return { url: `${address.url()}/reset/${Redacted.value(token)}`, expiresAt }
      }),
      resetSecondFactor: ({ params }, admin) =>
        checkStaff(admin, params.id).pipe(
          Effect.andThen(secondFactors.reset(admin, params.id)),
          Effect.andThen(view(params.id))
        ),
      listLedger: ({ params, query }) =>
        listed(Effect.andThen(view(params.id), ledger.page(params.id, rangeOf(query)))),
      adjustBalance: ({ params, payload }, admin) => adjustments.adjust(admin, { userId: params.id, ...payload }),
      waiveDebt: ({ params, payload }, admin) => waivers.waive(admin, { userId: params.id, ...payload }),
      listSubscriptions: ({ params, query }) =>
        listed(Effect.andThen(view(params.id), subscriptions.page(params.id, rangeOf(query)))),
      listUserKeys: ({ params, query }) =>
        listed(Effect.andThen(view(params.id), keyList.page(params.id, rangeOf(query)))),
      revokeUserKey: ({ params: { id, key_id } }, admin) => keys.revokeOwn(id, key_id, admin),
      grantSubscription: ({ params, payload }, admin) =>
        Effect.map(grants.grant(admin, { userId: params.id, ...payload }), (id) => ({ id })),
      endSubscription: ({ params: { id, subscription_id }, payload: { note } }, admin) =>
        grants.end(admin, { userId: id, subscriptionId: subscription_id, note })
    }
  }
)
