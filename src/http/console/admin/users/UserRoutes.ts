/**
 * `/admin/users/{id}`: one user, and what an administrator does to them. What takes something away is asked on a page of its own.
 */
import { Effect, Redacted } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { LedgerList } from "../../../../accounts/LedgerList.ts"
import { UserId } from "../../../../domain/Ids.ts"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { isRole } from "../../../../identity/Roles.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import { redirect, refuse } from "../../Answer.ts"
import { adminForm, adminFormPage, adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { orNotFound } from "../../NotThere.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { pathId } from "../../Params.ts"
import { MoneyRoutes } from "./MoneyRoutes.ts"
import { theUser } from "./TheUser.ts"
import { disablePage, passwordLinkPage, rolePage } from "./UserActions.tsx"
import { userDetailsPage } from "./UserView.tsx"

const LIST_SIZE = 20

const show = Effect.fnUntraced(function*(context: UserContext) {
  const user = yield* theUser
  const ledger = yield* LedgerList
  const plans = yield* SubscriptionList
  const found = yield* Effect.all({
    account: (yield* AccountOverview).view(user.id),
    entries: readListed(context, { size: LIST_SIZE, name: "entries" }, (range) => ledger.page(user.id, range)),
    subscriptions: readListed(
      context,
      { size: LIST_SIZE, name: "subscriptions" },
      (range) => plans.page(user.id, range)
    ),
    keys: (yield* ApiKeys).list(user.id)
  }, { concurrency: "unbounded" })
  return userDetailsPage({ context, user, ...found })
})

/** Why a user may not be disabled or demoted. */
const refusals = (context: UserContext) => {
  const say = sayOf(context, "userAction")
  return {
    OwnUser: () => refuse({ form: say("own") }),
    LastRoot: () => refuse({ form: say("last") }, 409)
  }
}

const isDisabled = (context: UserContext) => () => refuse({ form: sayOf(context, "userAction")("isDisabled") }, 409)

const disable = pageForm({
  show: (context, state) =>
    Effect.map(
      theUser,
      (user) => user.disabledAt === null ? disablePage({ context, user, state }) : redirect(`/admin/users/${user.id}`)
    ),
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", UserId)
      yield* (yield* UserAdmin).disable(actorOf(context), id)
      return redirect(`/admin/users/${id}?done=disabled`)
    }).pipe(Effect.catchTags(refusals(context)))
})

const enable = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", UserId)
  yield* (yield* UserAdmin).enable(actorOf(context), id)
  return redirect(`/admin/users/${id}?done=enabled`)
}, orNotFound)

const role = pageForm({
  show: (context, state) => Effect.map(theUser, (user) => rolePage({ context, user, state })),
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", UserId)
      const wanted = fields.get("role")
      if (!isRole(wanted)) return yield* refuse({ form: context.say("form.malformed") })
      yield* (yield* UserAdmin).setRole(actorOf(context), id, wanted)
      return redirect(`/admin/users/${id}?done=role`)
    }).pipe(Effect.catchTags({ ...refusals(context), UserDisabled: isDisabled(context) }))
})

/** The answer of this form is the only page that has the link. */
const link = (context: UserContext) =>
  Effect.gen(function*() {
    const user = yield* theUser
    const { expiresAt, token } = yield* (yield* PasswordLinks).issue(actorOf(context), user.id)
    const url = `${(yield* PublicAddress).url()}/reset/${Redacted.value(token)}`
    return passwordLinkPage({ context, user, url, expiresAt })
  }).pipe(Effect.catchTag("UserDisabled", isDisabled(context)), orNotFound)

export const UserRoutes = routes(
  MoneyRoutes,
  adminPage("/admin/users/:id", show),
  adminFormPage("/admin/users/:id/disable", disable),
  adminForm("/admin/users/:id/enable", { run: enable }),
  adminFormPage("/admin/users/:id/role", role),
  adminForm("/admin/users/:id/password-link", { run: link })
)
