/**
 * `/admin/users`: the list of users, and making one.
 */
import { Effect, Layer } from "effect"
import { isRole } from "../../../../identity/Roles.ts"
import { UserAdmin } from "../../../../identity/UserAdmin.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { passwordProblem } from "../../text/PasswordText.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { readUsersQuery } from "./UsersQuery.ts"
import { usersText } from "./UsersText.ts"
import { NewUserView, UsersView } from "./UsersView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(visit: UserVisit) {
  const query = readUsersQuery(visit)
  const found = yield* (yield* UserAdmin).search({ ...query.search, limit: PAGE_SIZE + 1 })
  const users = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(visit, usersText)("title"),
    UsersView({ visit, query, users, hasOlder: found.length > PAGE_SIZE })
  )
})

const showNew = (visit: UserVisit, state: FormState) =>
  Effect.succeed(page(sayOf(visit, usersText)("new"), NewUserView({ visit, state })))

const createForm = adminForm("/admin/users", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const say = sayOf(visit, usersText)
      const role = fields.get("role")
      if (!isRole(role)) return yield* refuse({ form: say("role.problem") })
      const user = yield* (yield* UserAdmin).create(actorOf(visit), { email: fields.get("email") ?? "", role })
      return redirect(`/admin/users/${user.id}?done=created`)
    }).pipe(
      Effect.catchTags({
        InvalidEmail: () => Effect.fail(refuse({ email: sayOf(visit, usersText)("email.invalid") })),
        EmailTaken: () => Effect.fail(refuse({ email: sayOf(visit, usersText)("email.taken") })),
        PasswordRefused: (error) => Effect.fail(refuse({ form: passwordProblem(visit, error) }))
      })
    ),
  again: (visit, fields, problems) => showNew(visit, { values: fields, problems })
})

export const UsersRoutes = Layer.mergeAll(
  adminPage("/admin/users", list),
  adminPage("/admin/users/new", (visit) => showNew(visit, emptyForm)),
  createForm
)
