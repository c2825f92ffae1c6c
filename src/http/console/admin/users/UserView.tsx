/**
 * One user: money, what they may do, and what can be done to them; their ledger, plans, keys and sessions below.
 */
import type { AccountView } from "../../../../accounts/AccountOverview.ts"
import type { LedgerItem } from "../../../../accounts/LedgerList.ts"
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import type { UserDetails } from "../../../../identity/UserAdmin.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { roleNames } from "../../text/RoleText.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Figure, Moment, PageHeading } from "../../ui/Parts.tsx"
import { LedgerCard, type Listed, SubscriptionsCard } from "./UserLists.tsx"
import { UserBadges } from "./UsersView.tsx"

interface UserProps {
  readonly context: UserContext
  readonly user: UserDetails
}

const Done = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "user")
  const texts: ReadonlyMap<string, string> = new Map([
    ["created", say("done.created")],
    ["adjusted", say("done.adjusted")],
    ["waived", say("done.waived")],
    ["granted", say("done.granted")],
    ["ended", say("done.ended")],
    ["disabled", say("done.disabled")],
    ["enabled", say("done.enabled")],
    ["role", say("done.role")]
  ])
  const text = texts.get(context.query.get("done") ?? "")
  return text === undefined ? null : <Notice kind="success">{text}</Notice>
}

const Figures = ({ account, user, context }: UserProps & { readonly account: AccountView }) => {
  const say = sayOf(context, "user")
  const { formats } = context
  return (
    <div class="row row-cards mb-3">
      <div class="col-6 col-lg-3">
        <Figure
          label={say("balance")}
          value={formats.usd(account.usdMicros)}
          hint={account.owedMicros === 0n
            ? undefined
            : <span class="text-danger">{say("balance.owed", { amount: formats.usd(account.owedMicros) })}</span>}
        />
      </div>
      <div class="col-6 col-lg-3">
        <Figure
          label={say("held")}
          value={formats.usd(account.heldMicros)}
          hint={account.openCalls === 0 ? undefined : say("held.calls", { count: account.openCalls })}
        />
      </div>
      <div class="col-6 col-lg-3">
        <Figure
          label={say("orders")}
          value={formats.count(user.orders)}
          hint={<a href={`/admin/orders?user=${user.id}`}>{say("orders.show")}</a>}
        />
      </div>
      <div class="col-6 col-lg-3">
        <Figure
          label={say("lastSeen")}
          value={user.lastSeenAt === null ? "–" : formats.date(user.lastSeenAt)}
          hint={user.lastSeenAt === null ? say("notSignedIn") : undefined}
        />
      </div>
    </div>
  )
}

const PasswordFacts = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  return (
    <>
      <div>{say(user.hasPassword ? "password.set" : "password.none")}</div>
      {user.passwordLinkUntil === null
        ? null
        : (
          <div class="text-secondary small">
            {say("password.link", { at: context.formats.time(user.passwordLinkUntil) })}
          </div>
        )}
    </>
  )
}

/** Enabling takes nothing away, so it is not asked twice. */
const StateAction = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  return user.disabledAt === null
    ? <a class="btn btn-ghost-danger" href={`/admin/users/${user.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm context={context} action={`/admin/users/${user.id}/enable`}>
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const AccessCard = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const isSelf = user.id === context.user.id
  const isManager = mayOpen(context, `/admin/users/${user.id}/role`, "POST")
  const isDisabled = user.disabledAt !== null
  return (
    <Card title={say("access")} class="mb-3">
      <div class="card-body">
        <dl class="facts mb-3">
          <dt>{say("role")}</dt>
          <dd>{roleNames(context)[user.role]}</dd>
          <dt>{say("password")}</dt>
          <dd>
            <PasswordFacts context={context} user={user} />
          </dd>
          {user.adminKeys === 0n ? null : (
            <>
              <dt>{say("adminKeys")}</dt>
              <dd>{context.formats.count(user.adminKeys)}</dd>
            </>
          )}
        </dl>
        {isManager
          ? (
            <div class="btn-list">
              {isDisabled ? null : (
                <PostForm context={context} action={`/admin/users/${user.id}/password-link`}>
                  <button type="submit" class="btn">{say("link")}</button>
                </PostForm>
              )}
              {isSelf || (isDisabled && user.role === "user")
                ? null
                : <a class="btn" href={`/admin/users/${user.id}/role`}>{say("changeRole")}</a>}
              {isSelf ? null : <StateAction context={context} user={user} />}
            </div>
          )
          : null}
        {isSelf && isManager ? <p class="text-secondary small mt-3 mb-0">{say("self")}</p> : null}
      </div>
    </Card>
  )
}

const isLive = ({ expiresAt, revokedAt }: ListedApiKey, now: Date): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > now)

const KeysCard = ({ keys, context }: { readonly context: UserContext; readonly keys: ReadonlyArray<ListedApiKey> }) => {
  const say = sayOf(context, "user")
  return (
    <Card title={say("apiKeys")} class="mb-3">
      {keys.length === 0 ? <div class="card-body text-secondary">{say("keys.none")}</div> : (
        <DataTable
          caption={say("apiKeys")}
          columns={[{ title: say("key") }, { title: say("state") }, { title: say("lastUsed"), wide: true }]}
          rows={keys.map((key) => [
            <>
              <div class="key-name">{key.name === "" ? "–" : key.name}</div>
              <code class="nowrap">{key.hint}</code>
            </>,
            isLive(key, context.now)
              ? <Badge tone="green">{say("active")}</Badge>
              : <Badge tone="secondary">{say("key.over")}</Badge>,
            key.lastUsedAt === null ? say("key.never") : <Moment context={context} at={key.lastUsedAt} />
          ])}
        />
      )}
    </Card>
  )
}

const SessionsCard = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  return (
    <Card title={say("sessions")} class="mb-3">
      {user.sessions.length === 0 ? <div class="card-body text-secondary">{say("sessions.none")}</div> : (
        <DataTable
          caption={say("sessions")}
          columns={[{ title: say("lastSeen") }, { title: say("device"), wide: true }, {
            title: say("address")
          }]}
          rows={user.sessions.map((session) => [
            <Moment context={context} at={session.lastSeenAt} />,
            <span class="break-anywhere small">{session.userAgent}</span>,
            <span class="break-anywhere">{session.address}</span>
          ])}
        />
      )}
    </Card>
  )
}

export const UserView = (
  { account, entries, keys, subscriptions, user, context }: UserProps & {
    readonly account: AccountView
    readonly entries: Listed<LedgerItem>
    readonly subscriptions: Listed<SubscriptionItem>
    readonly keys: ReadonlyArray<ListedApiKey>
  }
) => {
  const say = sayOf(context, "user")
  const lead = (
    <>
      {say("lead", { id: user.id.toString(), at: context.formats.date(user.createdAt) })}
      {user.disabledAt === null ? null : `, ${say("disabledSince", { at: context.formats.time(user.disabledAt) })}`}
      {" "}
      <UserBadges context={context} user={user} />
    </>
  )
  return (
    <>
      <PageHeading title={user.email} lead={lead} />
      <div class="btn-list mb-3">
        <AdminLink context={context} class="btn btn-primary" href={`/admin/users/${user.id}/adjust`}>
          {say("adjustBalance")}
        </AdminLink>
        {account.owedMicros === 0n
          ? null
          : <AdminLink context={context} class="btn" href={`/admin/users/${user.id}/waive`}>{say("waive")}</AdminLink>}
        <AdminLink context={context} class="btn" href={`/admin/users/${user.id}/grant`}>{say("grant")}</AdminLink>
        <a class="btn" href={`/admin/usage?user=${user.id}`}>{say("usage.show")}</a>
        <AdminLink context={context} class="btn" href={`/admin/audit?target=user%3A${user.id}`}>
          {say("audit.show")}
        </AdminLink>
      </div>
      <Done context={context} />
      <Figures context={context} user={user} account={account} />
      <div class="row">
        <div class="col-lg-8">
          <LedgerCard context={context} userId={user.id} entries={entries} />
          <SubscriptionsCard context={context} userId={user.id} subscriptions={subscriptions} />
        </div>
        <div class="col-lg-4">
          <AccessCard context={context} user={user} />
          <KeysCard context={context} keys={keys} />
          <SessionsCard context={context} user={user} />
        </div>
      </div>
    </>
  )
}
