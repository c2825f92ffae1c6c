/**
 * Answers `/api/admin/users` by the same use cases as the pages.
 */
import { Effect, Option, Redacted } from "effect"
import { Adjustments } from "../../accounts/Adjustments.ts"
import { DebtWaivers } from "../../accounts/DebtWaivers.ts"
import { LedgerList } from "../../accounts/LedgerList.ts"
import type { UserId } from "../../domain/Ids.ts"
import { UserNotFound } from "../../identity/IdentityError.ts"
import { PasswordLinks } from "../../identity/PasswordLinks.ts"
import { UserAdmin } from "../../identity/UserAdmin.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { Grants } from "../../subscriptions/Grants.ts"
import { SubscriptionList } from "../../subscriptions/SubscriptionList.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeOf } from "./ApiSchema.ts"

export const UsersHandlers = answersOf(
  "users",
  Effect.gen(function*() {
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
      return Option.isNone(found) ? yield* new UserNotFound({ userId: id }) : found.value
    })

    return {
      listUsers: ({ query: { q, role, state, ...range } }) =>
        listed(users.search({ ...rangeOf(range), text: q, role, state })),
      createUser: Effect.fnUntraced(function*({ payload: { email, role = "user" } }) {
        const made = yield* users.create(yield* CurrentAdmin, { email, role })
        return { ...made, usdMicros: 0n, owedMicros: 0n, lastSeenAt: null }
      }),
      getUser: ({ params }) => view(params.id),
      disableUser: Effect.fnUntraced(function*({ params }) {
        yield* users.disable(yield* CurrentAdmin, params.id)
        return yield* view(params.id)
      }),
      enableUser: Effect.fnUntraced(function*({ params }) {
        yield* users.enable(yield* CurrentAdmin, params.id)
        return yield* view(params.id)
      }),
      setUserRole: Effect.fnUntraced(function*({ params, payload }) {
        yield* users.setRole(yield* CurrentAdmin, params.id, payload.role)
        return yield* view(params.id)
      }),
      createPasswordLink: Effect.fnUntraced(function*({ params }) {
        const { expiresAt, token } = yield* links.issue(yield* CurrentAdmin, params.id)
        return { url: `${address.url()}/reset/${Redacted.value(token)}`, expiresAt }
      }),
      listLedger: ({ params, query }) =>
        listed(Effect.andThen(view(params.id), ledger.page(params.id, rangeOf(query)))),
      adjustBalance: Effect.fnUntraced(function*({ params, payload }) {
        return yield* adjustments.adjust(yield* CurrentAdmin, { userId: params.id, ...payload })
      }),
      waiveDebt: Effect.fnUntraced(function*({ params, payload }) {
        return yield* waivers.waive(yield* CurrentAdmin, { userId: params.id, ...payload })
      }),
      listSubscriptions: ({ params, query }) =>
        listed(Effect.andThen(view(params.id), subscriptions.page(params.id, rangeOf(query)))),
      grantSubscription: Effect.fnUntraced(function*({ params, payload }) {
        return { id: yield* grants.grant(yield* CurrentAdmin, { userId: params.id, ...payload }) }
      }),
      endSubscription: Effect.fnUntraced(function*({ params: { id, subscription_id }, payload: { note } }) {
        yield* grants.end(yield* CurrentAdmin, { userId: id, subscriptionId: subscription_id, note })
      })
    }
  })
)
