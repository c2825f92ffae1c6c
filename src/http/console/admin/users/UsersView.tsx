/**
 * The list of users with its filter, and the form of a new one.
 */
import { roles } from "../../../../identity/Roles.ts"
import type { UserSearch, UserSummary } from "../../../../identity/UserAdmin.ts"
import type { User } from "../../../../identity/Users.ts"
import type { FormState, Page } from "../../Answer.ts"
import { askPage } from "../../kit/Forms.tsx"
import { Icon } from "../../kit/Icon.tsx"
import { amountColumn, byId, type ItemColumn, type Listed, listPage } from "../../kit/List.tsx"
import { AdminLink, Badge, Usd } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { roleNames } from "../../text/SharedTexts.ts"
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

const Day = ({ at, context }: { readonly context: PageContext; readonly at: Date }) => (
  <time class="nowrap" dateTime={at.toISOString()} title={context.formats.time(at)}>{context.formats.date(at)}</time>
)

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<UserSummary>> => {
  const say = sayOf(context, "users")
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
    {
      title: say("lastSeen"),
      wide: true,
      cell: ({ lastSeenAt }) =>
        lastSeenAt === null
          ? <span class="text-secondary">{say("notSignedIn")}</span>
          : <Day context={context} at={lastSeenAt} />
    },
    { title: say("created"), wide: true, cell: ({ createdAt }) => <Day context={context} at={createdAt} /> }
  ]
}

export const usersPage = (
  context: PageContext,
  { role, state, text }: Pick<UserSearch, "role" | "state" | "text">,
  users: Listed<UserSummary>
): Page => {
  const say = sayOf(context, "users")
  const states = [["active", say("state.active")], ["disabled", say("state.disabled")]] as const
  const names = roleNames(context)
  return listPage({
    context,
    path: "/admin/users",
    title: say("title"),
    lead: say("lead"),
    actions: (
      <AdminLink context={context} class="btn btn-primary" href="/admin/users/new">
        <Icon name="plus" />
        {say("new")}
      </AdminLink>
    ),
    filter: [
      { is: "text", name: "q", label: say("search"), value: text },
      { is: "choice", name: "role", label: say("role"), value: role, options: roles.map((one) => [one, names[one]]) },
      { is: "choice", name: "state", label: say("state"), value: state, options: states }
    ],
    ...users,
    cursor: byId,
    columns: columnsOf(context),
    empty: { icon: "users", title: say("none") }
  })
}

export const newUserPage = (context: PageContext, state: FormState): Page => {
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
      roleChoice(context, "user")
    ]
  })
}
