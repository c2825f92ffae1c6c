/**
 * The list of users with its filter, and the form of a new one.
 */
import { roles } from "../../../../identity/Roles.ts"
import type { UserSummary } from "../../../../identity/UserAdmin.ts"
import type { User } from "../../../../identity/Users.ts"
import type { FormState } from "../../Answer.ts"
import { roleNames } from "../../text/RoleText.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { FilterChoice, FilterText } from "../../ui/FilterParts.tsx"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { RoleSelect } from "./RoleSelect.tsx"
import { usersPath, type UsersQuery } from "./UsersQuery.ts"
import { usersText } from "./UsersText.ts"

/** Administrator, disabled, or nothing to say. */
export const UserBadges = (
  { isPlain = true, user, visit }: {
    readonly visit: Visit
    readonly user: Pick<User, "role" | "disabledAt">
    /** Says that a user is active, too. */
    readonly isPlain?: boolean
  }
) => {
  const say = sayOf(visit, usersText)
  return (
    <span class="badges-list d-inline-flex">
      {user.role === "user" ? null : <Badge tone="purple">{roleNames(visit)[user.role]}</Badge>}
      {user.disabledAt !== null
        ? <Badge tone="red">{say("state.disabled")}</Badge>
        : isPlain
        ? <Badge tone="green">{say("state.active")}</Badge>
        : null}
    </span>
  )
}

const Filter = ({ query: { search }, visit }: { readonly visit: Visit; readonly query: UsersQuery }) => {
  const say = sayOf(visit, usersText)
  return (
    <form method="get" action="/admin/users" class="card-body border-bottom row g-2 align-items-end m-0">
      <FilterText name="q" label={say("search")} value={search.text ?? ""} />
      <FilterChoice
        name="role"
        label={say("role")}
        all={say("all")}
        chosen={search.role}
        options={roles.map((role) => [role, roleNames(visit)[role]] as const)}
      />
      <FilterChoice
        name="state"
        label={say("state")}
        all={say("all")}
        chosen={search.state}
        options={[["active", say("state.active")], ["disabled", say("state.disabled")]]}
      />
      <div class="col-12 col-sm-auto">
        <button class="btn w-100" type="submit">{say("filter")}</button>
      </div>
    </form>
  )
}

const Day = ({ at, visit }: { readonly visit: Visit; readonly at: Date }) => (
  <time class="nowrap" dateTime={at.toISOString()} title={visit.formats.time(at)}>{visit.formats.date(at)}</time>
)

const UsersTable = ({ users, visit }: { readonly visit: Visit; readonly users: ReadonlyArray<UserSummary> }) => {
  const say = sayOf(visit, usersText)
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("user") },
        { title: say("state"), wide: true },
        { title: say("balance"), number: true },
        { title: say("seen"), wide: true },
        { title: say("created"), wide: true }
      ]}
      rows={users.map((user) => [
        <>
          <a class="break-anywhere" href={`/admin/users/${user.id}`}>{user.email}</a>{" "}
          <span class="text-secondary nowrap">#{user.id.toString()}</span>
          <div class="d-md-none">
            <UserBadges visit={visit} user={user} isPlain={false} />
          </div>
        </>,
        <UserBadges visit={visit} user={user} />,
        <span class="nowrap">{visit.formats.usd(user.usdMicros - user.owedMicros)}</span>,
        user.lastSeenAt === null
          ? <span class="text-secondary">{say("never")}</span>
          : <Day visit={visit} at={user.lastSeenAt} />,
        <Day visit={visit} at={user.createdAt} />
      ])}
    />
  )
}

export const UsersView = (
  { hasOlder, query, users, visit }: {
    readonly visit: Visit
    readonly query: UsersQuery
    readonly users: ReadonlyArray<UserSummary>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(visit, usersText)
  const last = users.at(-1)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <AdminLink visit={visit} class="btn btn-primary" href="/admin/users/new">
          <Icon name="plus" />
          {say("new")}
        </AdminLink>
      </PageHeading>
      <Card>
        <Filter visit={visit} query={query} />
        {users.length === 0
          ? <Nothing icon="users" title={say("none")} />
          : <UsersTable visit={visit} users={users} />}
        <Pager
          newest={query.search.before === undefined
            ? undefined
            : { href: usersPath(query), text: say("newest") }}
          older={hasOlder && last !== undefined
            ? { href: usersPath(query, { before: last.id.toString() }), text: say("older") }
            : undefined}
        />
      </Card>
    </>
  )
}

export const NewUserView = ({ state, visit }: { readonly visit: Visit; readonly state: FormState }) => {
  const say = sayOf(visit, usersText)
  const role = state.values.get("role") ?? "user"
  return (
    <>
      <PageHeading title={say("new")} lead={say("new.lead")} />
      <Card>
        <PostForm visit={visit} action="/admin/users" class="card-body">
          <FormAlert state={state} />
          <Field
            state={state}
            name="email"
            type="email"
            label={say("email")}
            autocomplete="off"
            maxlength={254}
            required
            autofocus
          />
          <RoleSelect visit={visit} label={say("role")} chosen={role} />
          <div class="btn-list mt-4">
            <button type="submit" class="btn btn-primary">{say("new")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/users">{visit.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}
