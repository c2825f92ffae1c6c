/**
 * The list of users with its filter, and the form of a new one.
 */
import { roles } from "../../../../identity/Roles.ts"
import type { UserSummary } from "../../../../identity/UserAdmin.ts"
import type { User } from "../../../../identity/Users.ts"
import type { FormState } from "../../Answer.ts"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { List } from "../../kit/List.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { roleNames } from "../../text/RoleText.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, PageHeading } from "../../ui/Parts.tsx"
import { RoleSelect } from "./RoleSelect.tsx"
import type { UsersQuery } from "./UsersQuery.ts"

/** Administrator, disabled, or nothing to say. */
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

export const UsersView = (
  { hasOlder, query: { search }, users, context }: {
    readonly context: PageContext
    readonly query: UsersQuery
    readonly users: ReadonlyArray<UserSummary>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(context, "users")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <AdminLink context={context} class="btn btn-primary" href="/admin/users/new">
          <Icon name="plus" />
          {say("new")}
        </AdminLink>
      </PageHeading>
      <List
        context={context}
        path="/admin/users"
        caption={say("title")}
        items={users}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ id }) => id }}
        filter={[
          { is: "text", name: "q", label: say("search"), value: search.text },
          {
            is: "choice",
            name: "role",
            label: say("role"),
            value: search.role,
            options: roles.map((role) => [role, roleNames(context)[role]] as const)
          },
          {
            is: "choice",
            name: "state",
            label: say("state"),
            value: search.state,
            options: [["active", say("state.active")], ["disabled", say("state.disabled")]]
          }
        ]}
        empty={{ icon: "users", title: say("none") }}
        columns={[
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
          {
            title: say("balance"),
            number: true,
            cell: ({ owedMicros, usdMicros }) => (
              <span class="nowrap">{context.formats.usd(usdMicros - owedMicros)}</span>
            )
          },
          {
            title: say("lastSeen"),
            wide: true,
            cell: ({ lastSeenAt }) => lastSeenAt === null
              ? <span class="text-secondary">{say("notSignedIn")}</span>
              : <Day context={context} at={lastSeenAt} />
          },
          { title: say("created"), wide: true, cell: ({ createdAt }) => <Day context={context} at={createdAt} /> }
        ]}
      />
    </>
  )
}

export const NewUserView = ({ state, context }: { readonly context: PageContext; readonly state: FormState }) => {
  const say = sayOf(context, "users")
  return (
    <FormPage
      context={context}
      state={state}
      title={say("new")}
      lead={say("new.lead")}
      action="/admin/users"
      submit={say("new")}
      back="/admin/users"
    >
      <Inputs
        state={state}
        inputs={[{
          is: "email",
          name: "email",
          label: say("email"),
          maxlength: 254,
          required: true,
          autofocus: true
        }]}
      />
      <RoleSelect context={context} label={say("role")} chosen={state.values.get("role") ?? "user"} />
    </FormPage>
  )
}
