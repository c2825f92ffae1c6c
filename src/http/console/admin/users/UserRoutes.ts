/**
 * `/admin/users/{id}`: one user, and what an administrator does to them. What takes something away is asked on a page of its own.
 */
import { Effect, Layer, Redacted } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { LedgerList } from "../../../../accounts/LedgerList.ts"
import { UserId } from "../../../../domain/Ids.ts"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { isRole } from "../../../../identity/Roles.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import { emptyForm, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { MoneyRoutes } from "./MoneyRoutes.ts"
import { theUser } from "./TheUser.ts"
import { DisableView, PasswordLinkView, RoleView } from "./UserActionView.tsx"
import type { Listed } from "./UserLists.tsx"
import { UserView } from "./UserView.tsx"

const LIST_SIZE = 20

const listedOf = <Item>(found: ReadonlyArray<Item>): Listed<Item> => ({
  items: found.slice(0, LIST_SIZE),
  hasOlder: found.length > LIST_SIZE
})

const show = Effect.fnUntraced(function*(context: UserContext) {
  const user = yield* theUser
  const rangeOf = (list: string) => ({ limit: LIST_SIZE + 1, before: idOf(context.query.get(list)) })
  const { account, entries, keys, subscriptions } = yield* Effect.all({
    account: (yield* AccountOverview).view(user.id),
    entries: (yield* LedgerList).page(user.id, rangeOf("entries")),
    subscriptions: (yield* SubscriptionList).page(user.id, rangeOf("subscriptions")),
    keys: (yield* ApiKeys).list(user.id)
  }, { concurrency: "unbounded" })
  const view = UserView({
    context,
    user,
    account,
    entries: listedOf(entries),
    subscriptions: listedOf(subscriptions),
    keys
  })
  return page(user.email, view)
})

const showDisable = (context: UserContext, state: FormState) =>
  Effect.map(theUser, (user) =>
    user.disabledAt === null
      ? page(sayOf(context, "userAction")("disable.title"), DisableView({ context, user, state }))
      : redirect(`/admin/users/${user.id}`))

const showRole = (context: UserContext, state: FormState) =>
  Effect.map(theUser, (user) => {
    const say = sayOf(context, "userAction")
    return page(say("role.title", { email: user.email }), RoleView({ context, user, state }))
  })

/** Why a user may not be disabled or demoted; for forms of their own pages. */
const refusals = (context: UserContext) => {
  const say = sayOf(context, "userAction")
  return {
    UserNotFound: () => Effect.fail(new PageNotFound()),
    OwnUser: () => Effect.fail(refuse({ form: say("own") })),
    LastRoot: () => Effect.fail(refuse({ form: say("last") }, 409))
  }
}

const disableForm = adminForm("/admin/users/:id/disable", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", UserId)
      yield* (yield* UserAdmin).disable(actorOf(context), id)
      return redirect(`/admin/users/${id}?done=disabled`)
    }).pipe(Effect.catchTags(refusals(context))),
  again: (context, values, problems) => showDisable(context, { values, problems })
})

const enableForm = adminForm("/admin/users/:id/enable", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", UserId)
      yield* (yield* UserAdmin).enable(actorOf(context), id)
      return redirect(`/admin/users/${id}?done=enabled`)
    }).pipe(Effect.catchTag("UserNotFound", () => Effect.fail(new PageNotFound())))
})

const roleForm = adminForm("/admin/users/:id/role", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", UserId)
      const role = fields.get("role")
      if (!isRole(role)) return yield* refuse({ form: context.say("form.malformed") })
      yield* (yield* UserAdmin).setRole(actorOf(context), id, role)
      return redirect(`/admin/users/${id}?done=role`)
    }).pipe(
      Effect.catchTags({
        ...refusals(context),
        UserDisabled: () => Effect.fail(refuse({ form: sayOf(context, "userAction")("isDisabled") }, 409))
      })
    ),
  again: (context, values, problems) => showRole(context, { values, problems })
})

/** The answer of this form is the only page that has the link. */
const linkForm = adminForm("/admin/users/:id/password-link", {
  run: (context) =>
    Effect.gen(function*() {
      const user = yield* theUser
      const { expiresAt, token } = yield* (yield* PasswordLinks).issue(actorOf(context), user.id)
      const url = `${(yield* PublicAddress).url()}/reset/${Redacted.value(token)}`
      return page(sayOf(context, "userAction")("link.title"), PasswordLinkView({ context, user, url, expiresAt }))
    }).pipe(
      Effect.catchTags({
        UserNotFound: () => Effect.fail(new PageNotFound()),
        UserDisabled: () => Effect.fail(refuse({ form: sayOf(context, "userAction")("isDisabled") }, 409))
      })
    )
})

export const UserRoutes = Layer.mergeAll(
  MoneyRoutes,
  adminPage("/admin/users/:id", show),
  adminPage("/admin/users/:id/disable", (context) => showDisable(context, emptyForm)),
  adminPage("/admin/users/:id/role", (context) => showRole(context, emptyForm)),
  disableForm,
  enableForm,
  roleForm,
  linkForm
)
