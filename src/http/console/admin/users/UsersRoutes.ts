/**
 * `/admin/users`: the list of users, and making one.
 */
import { Effect } from "effect"
import { isRole, roles } from "../../../../identity/Roles.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { oneOf, searchText } from "../../Params.ts"
import { refusePassword } from "../../text/SharedTexts.ts"
import { newUserPage, usersPage } from "./UsersView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const { query } = context
  const filter = {
    text: searchText(query, "q"),
    role: oneOf(roles, query.get("role")),
    state: oneOf(["active", "disabled"], query.get("state"))
  }
  const users = yield* UserAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => users.search({ ...filter, ...range }))
  return usersPage(context, filter, found)
})

const create = pageForm({
  show: (context, state) => Effect.succeed(newUserPage(context, state)),
  run: (context, fields) => {
    const say = sayOf(context, "users")
    return Effect.gen(function*() {
      const role = fields.get("role")
      if (!isRole(role)) return yield* refuse({ role: say("role.problem") })
      const user = yield* (yield* UserAdmin).create(actorOf(context), { email: fields.get("email") ?? "", role })
      return redirect(`/admin/users/${user.id}?done=created`)
    }).pipe(
      Effect.catchTags({
        InvalidEmail: () => refuse({ email: say("email.invalid") }),
        EmailTaken: () => refuse({ email: say("email.taken") }),
        PasswordRefused: refusePassword(context, "form")
      })
    )
  }
})

export const UsersRoutes = routes(
  adminPage("/admin/users", list),
  adminPage("/admin/users/new", create.page),
  adminForm("/admin/users", create.form)
)
