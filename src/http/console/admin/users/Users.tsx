/**
 * `/admin/users`: the list of users, as a page and as a file, and making one.
 */
import { Effect } from "effect"
import { isRole, isStaff, roles } from "../../../../identity/Roles.ts"
import { cursorAfter, cursorIn, UserAdmin, userSorts, type UserSummary } from "../../../../identity/UserAdmin.ts"
import type { User } from "../../../../identity/Users.ts"
import { userColumns } from "../../../../identity/UserCsv.ts"
import { redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { csvAnswer, inTurns } from "../../Csv.ts"
import { askPage } from "../../kit/Forms.tsx"
import { Icon } from "../../kit/Icon.tsx"
import { amountColumn, byId, dayColumn, type ItemColumn, readListPage } from "../../kit/List.tsx"
import { AdminLink, Badge, Usd } from "../../kit/Parts.tsx"
import { proveStaff, staffInputs, staffPasskey } from "../../kit/ProofForms.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { refusePassword, roleNames } from "../../text/SharedTexts.ts"
import { roleChoice } from "./UserActions.tsx"

/** The role of those who have one, and whether they are disabled. */
export const UserBadges = (
  { isPlain = true, user, context }: {
    readonly context: PageContext
    readonly user: Pick<User, "role" | "disabledAt">
    /** Says that a user is active, too. */
    readonly isPlain?: boolean
  }
) => {
  const say = sayOf(context, "users")
  return (
    <span class="badges-list d-inline-flex">
      {user.role === "user" ? null : <Badge tone="purple">{roleNames(context)[user.role]}</Badge>}
      {user.disabledAt !== null
        ? <Badge tone="red">{say("state.disabled")}</Badge>
        : isPlain
        ? <Badge tone="green">{say("state.active")}</Badge>
        : null}
    </span>
  )
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<UserSummary>> => {
  const say = sayOf(context, "users")
  const never = <span class="text-secondary">{say("notSignedIn")}</span>
  return [
    {
      title: say("user"),
      cell: (user) => (
        <>
          <a class="break-anywhere" href={`/admin/users/${user.id}`}>{user.email}</a>{" "}
          <span class="text-secondary nowrap">#{user.id.toString()}</span>
          <div class="d-md-none">
            <UserBadges context={context} user={user} isPlain={false} />
          </div>
        </>
      )
    },
    { title: say("state"), wide: true, cell: (user) => <UserBadges context={context} user={user} /> },
    amountColumn(
      say("balance"),
      ({ owedMicros, usdMicros }) => <Usd context={context} micros={usdMicros - owedMicros} />
    ),
    { ...amountColumn(say("spent"), ({ spentMicros }: UserSummary) => context.formats.usd(spentMicros)), wide: true },
    dayColumn(context, say("lastCall"), ({ lastCallAt }) => lastCallAt, say("never")),
    dayColumn(context, say("lastSeen"), ({ lastSeenAt }) => lastSeenAt, never),
    dayColumn(context, say("created"), ({ createdAt }) => createdAt)
  ]
}

const readFilter = ({ query }: UserContext) => ({
  text: searchText(query, "q"),
  role: oneOf(roles, query.get("role")),
  state: oneOf(["active", "disabled"], query.get("state"))
})

const list = Effect.fnUntraced(function*(context: UserContext) {
  const { query } = context
  const say = sayOf(context, "users")
  const names = roleNames(context)
  const { role, state, text } = readFilter(context)
  const sort = oneOf(userSorts, query.get("sort"))
  const after = sort === undefined ? undefined : cursorIn(query.get("after"))
  const sortTexts = { balance: say("sort.balance"), spend: say("sort.spend"), call: say("sort.call") }
  const sortNames = userSorts.map((one) => [one, sortTexts[one]] as const)
  const download = new URLSearchParams({ q: text ?? "", role: role ?? "", state: state ?? "" }).toString()
  const states = [["active", say("state.active")], ["disabled", say("state.disabled")]] as const
  const users = yield* UserAdmin
  return yield* readListPage({
    context,
    read: (range) => users.search({ text, role, state, sort, after, ...range }),
    path: "/admin/users",
    title: say("title"),
    lead: say("lead"),
    actions: (
      <div class="btn-list">
        <a class="btn" href={`/admin/users/users.csv?${download}`} download>{say("export")}</a>
        <AdminLink context={context} class="btn btn-primary" href="/admin/users/new">
          <Icon name="plus" />
          {say("new")}
        </AdminLink>
      </div>
    ),
    filter: [
      { is: "text", name: "q", label: say("search"), value: text },
      { is: "choice", name: "role", label: say("role"), value: role, options: roles.map((one) => [one, names[one]]) },
      { is: "choice", name: "state", label: say("state"), value: state, options: states },
      {
        is: "choice",
        name: "sort",
        label: say("sort"),
        value: sort,
        all: say("sort.newest"),
        options: sortNames
      }
    ],
    ...sort === undefined ? { cursor: byId } : {
      cursor: { name: "after", of: (user: UserSummary) => cursorAfter(sort, user) },
      order: "first" as const
    },
    columns: columnsOf(context),
    empty: { icon: "users", title: say("none") }
  })
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const rows = (yield* UserAdmin).rows(readFilter(context))
  return csvAnswer("realms-users.csv", userColumns, yield* inTurns(context.user.id, rows))
})

const create = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const say = sayOf(context, "users")
    return askPage({
      context,
      state,
      title: say("new"),
      lead: say("new.lead"),
      action: "/admin/users",
      submit: say("new"),
      back: "/admin/users",
      inputs: [
        { is: "email", name: "email", label: say("email"), maxlength: 254, required: true, autofocus: true },
        roleChoice(context, "user"),
        ...staffInputs(context, { hint: say("proof.hint"), required: false })
      ],
      children: yield* staffPasskey(context)
    })
  }),
  run: (context, fields) => {
    const say = sayOf(context, "users")
    return Effect.gen(function*() {
      const role = fields.get("role")
      if (!isRole(role)) return yield* refuse({ role: say("role.problem") })
      if (isStaff(role)) yield* proveStaff(context, fields)
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
  adminPage("/admin/users/users.csv", csv),
  adminPage("/admin/users/new", create.page),
  adminForm("/admin/users", create.form)
)
