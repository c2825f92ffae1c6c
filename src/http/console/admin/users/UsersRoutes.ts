/**
 * `/admin/users`: the list of users, and making one.
 */
import { Effect, Layer } from "effect"
import { isRole } from "../../../../identity/Roles.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { refusePassword } from "../../text/PasswordText.ts"
import { readUsersQuery } from "./UsersQuery.ts"
import { NewUserView, UsersView } from "./UsersView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const query = readUsersQuery(context)
  const found = yield* (yield* UserAdmin).search({ ...query.search, limit: PAGE_SIZE + 1 })
  const users = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(context, "users")("title"),
    UsersView({ context, query, users, hasOlder: found.length > PAGE_SIZE })
  )
})

const showNew = (context: UserContext, state: FormState) =>
  Effect.succeed(page(sayOf(context, "users")("new"), NewUserView({ context, state })))

const createForm = adminForm("/admin/users", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "users")
      const role = fields.get("role")
      if (!isRole(role)) return yield* refuse({ form: say("role.problem") })
      const user = yield* (yield* UserAdmin).create(actorOf(context), { email: fields.get("email") ?? "", role })
      return redirect(`/admin/users/${user.id}?done=created`)
    }).pipe(
      Effect.catchTags({
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(context, "users")("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(context, "users")("email.taken") })),
        PasswordRefused: refusePassword(context, "form")
      })
    ),
  again: (context, fields, problems) => showNew(context, { values: fields, problems })
})

export const UsersRoutes = Layer.mergeAll(
  adminPage("/admin/users", list),
  adminPage("/admin/users/new", (context) => showNew(context, emptyForm)),
  createForm
)
