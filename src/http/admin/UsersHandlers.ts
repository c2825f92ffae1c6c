/**
 * Answers `/api/admin/users` by the same use cases as the pages.
 */
import { Effect, Option, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdjustmentRefused, Adjustments } from "../../accounts/Adjustments.ts"
import { DebtWaivers, type WaiverRefused } from "../../accounts/DebtWaivers.ts"
import { LedgerList } from "../../accounts/LedgerList.ts"
import type { UserId } from "../../domain/Ids.ts"
import { formatUsd } from "../../domain/Money.ts"
import { PasswordLinks } from "../../identity/PasswordLinks.ts"
import { UserAdmin } from "../../identity/UserAdmin.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { type GrantRefused, Grants } from "../../subscriptions/Grants.ts"
import { SubscriptionList } from "../../subscriptions/SubscriptionList.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, type ApiRefused, orApiAnswer, orApiUnavailable, refusedField } from "./ApiError.ts"
import { rangeOf } from "./ApiSchema.ts"

const noUser = new ApiNotFound({ message: "There is no such user." })

const conflict = (error: { readonly message: string }) => Effect.fail(new ApiConflict({ message: error.message }))

/** How changes of users are refused. */
const changeRefusals = { UserNotFound: () => Effect.fail(noUser), OwnUser: conflict, LastRoot: conflict }

const adjustmentFields = { amount: "amount_micros", note: "note", key: "idempotency_key" } as const

const refusedAdjustment = (error: AdjustmentRefused | WaiverRefused) =>
  refusedField(adjustmentFields[error.reason], error.message)

const grantFields = { plan: "plan_code", note: "note", key: "idempotency_key" } as const

const refusedGrant = (error: GrantRefused): ApiRefused | ApiNotFound =>
  error.reason === "user" ? noUser : refusedField(grantFields[error.reason], error.message)

export const UsersHandlers = HttpApiBuilder.group(
  AdminApi,
  "users",
  Effect.fn(function*(handlers) {
    const users = yield* UserAdmin
    const adjustments = yield* Adjustments
    const waivers = yield* DebtWaivers
    const grants = yield* Grants
    const ledger = yield* LedgerList
    const subscriptions = yield* SubscriptionList
    const links = yield* PasswordLinks
    const address = yield* PublicAddress

    const view = Effect.fnUntraced(function*(id: UserId) {
      const found = yield* users.view(id)
      return Option.isNone(found) ? yield* noUser : found.value
    })

    return handlers.handleAll({
      listUsers: ({ query }) =>
        users.search({ ...rangeOf(query), text: query.q, role: query.role, state: query.state }).pipe(
          Effect.map((items) => ({ items })),
          orApiUnavailable
        ),
      createUser: Effect.fnUntraced(
        function*({ payload }) {
          const made = yield* users.create(yield* CurrentAdmin, {
            email: payload.email,
            role: payload.role ?? "user"
          })
          return { ...made, usdMicros: 0n, owedMicros: 0n, lastSeenAt: null }
        },
        Effect.catchTags({
          InvalidEmail: () => Effect.fail(refusedField("email", "is not an e-mail address")),
          EmailTaken: conflict,
          PasswordRefused: (error) => Effect.fail(refusedField("password", error.message))
        }),
        orApiUnavailable
      ),
      getUser: ({ params }) => orApiUnavailable(view(params.id)),
      disableUser: Effect.fnUntraced(
        function*({ params }) {
          yield* users.disable(yield* CurrentAdmin, params.id)
          return yield* view(params.id)
        },
        Effect.catchTags(changeRefusals),
        orApiUnavailable
      ),
      enableUser: Effect.fnUntraced(
        function*({ params }) {
          yield* users.enable(yield* CurrentAdmin, params.id)
          return yield* view(params.id)
        },
        Effect.catchTag("UserNotFound", () => Effect.fail(noUser)),
        orApiUnavailable
      ),
      setUserRole: Effect.fnUntraced(
        function*({ params, payload }) {
          yield* users.setRole(yield* CurrentAdmin, params.id, payload.role)
          return yield* view(params.id)
        },
        Effect.catchTags({ ...changeRefusals, UserDisabled: conflict }),
        orApiUnavailable
      ),
      createPasswordLink: Effect.fnUntraced(
        function*({ params }) {
          const { expiresAt, token } = yield* links.issue(yield* CurrentAdmin, params.id)
          return { url: `${address.url()}/reset/${Redacted.value(token)}`, expiresAt }
        },
        Effect.catchTags({ UserNotFound: changeRefusals.UserNotFound, UserDisabled: conflict }),
        orApiUnavailable
      ),
      listLedger: Effect.fnUntraced(
        function*({ params, query }) {
          yield* view(params.id)
          return { items: yield* ledger.page(params.id, rangeOf(query)) }
        },
        orApiUnavailable
      ),
      adjustBalance: Effect.fnUntraced(
        function*({ params, payload }) {
          return yield* adjustments.adjust(yield* CurrentAdmin, { userId: params.id, ...payload })
        },
        Effect.catchTags({
          AdjustmentRefused: (error) => Effect.fail(refusedAdjustment(error)),
          AdjustmentReused: conflict,
          DebitRefused: ({ availableMicros }) =>
            Effect.fail(refusedField("amount_micros", `the balance is ${formatUsd(availableMicros)} USD`)),
          UnknownAccount: () => Effect.fail(noUser)
        }),
        orApiAnswer
      ),
      waiveDebt: Effect.fnUntraced(
        function*({ params, payload }) {
          return yield* waivers.waive(yield* CurrentAdmin, { userId: params.id, ...payload })
        },
        Effect.catchTags({
          WaiverRefused: (error) => Effect.fail(refusedAdjustment(error)),
          WaiverReused: conflict,
          DebtExceeded: ({ owedMicros }) =>
            Effect.fail(refusedField("amount_micros", `the debt is ${formatUsd(owedMicros)} USD`)),
          UnknownAccount: () => Effect.fail(noUser)
        }),
        orApiAnswer
      ),
      listSubscriptions: Effect.fnUntraced(
        function*({ params, query }) {
          yield* view(params.id)
          return { items: yield* subscriptions.page(params.id, rangeOf(query)) }
        },
        orApiUnavailable
      ),
      grantSubscription: Effect.fnUntraced(
        function*({ params, payload }) {
          return { id: yield* grants.grant(yield* CurrentAdmin, { userId: params.id, ...payload }) }
        },
        Effect.catchTags({
          GrantRefused: (error) => Effect.fail(refusedGrant(error)),
          GrantReused: conflict
        }),
        orApiAnswer
      ),
      endSubscription: Effect.fnUntraced(
        function*({ params, payload }) {
          yield* grants.end(yield* CurrentAdmin, {
            userId: params.id,
            subscriptionId: params.subscription_id,
            note: payload.note
          })
        },
        Effect.catchTags({
          GrantRefused: (error) => Effect.fail(refusedGrant(error)),
          SubscriptionNotFound: () => Effect.fail(new ApiNotFound({ message: "The user has no such subscription." })),
          SubscriptionOver: () => Effect.fail(new ApiConflict({ message: "The subscription is over already." }))
        }),
        orApiUnavailable
      )
    })
  })
)
