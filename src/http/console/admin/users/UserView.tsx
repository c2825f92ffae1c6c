/**
 * One user: money, what they may do, and what can be done to them; their ledger, plans, keys and sessions below.
 */
import type { AccountView } from "../../../../accounts/AccountOverview.ts"
import type { LedgerItem } from "../../../../accounts/LedgerList.ts"
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import type { UserDetails } from "../../../../identity/UserAdmin.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { roleNames } from "../../text/RoleText.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { Badge, Card, DataTable, Figure, Moment, PageHeading } from "../../ui/Parts.tsx"
import { mayVisit, sayOf, type UserVisit } from "../../Visit.ts"
import { LedgerCard, type Listed, SubscriptionsCard } from "./UserLists.tsx"
import { UserBadges } from "./UsersView.tsx"
import { userText } from "./UserText.ts"

interface UserProps {
  readonly visit: UserVisit
  readonly user: UserDetails
}

const Done = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, userText)
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
  const text = texts.get(visit.query.get("done") ?? "")
  return text === undefined ? null : <Notice kind="success">{text}</Notice>
}

const Figures = ({ account, user, visit }: UserProps & { readonly account: AccountView }) => {
  const say = sayOf(visit, userText)
  const { formats } = visit
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
          label={say("seen")}
          value={user.lastSeenAt === null ? "–" : formats.date(user.lastSeenAt)}
          hint={user.lastSeenAt === null ? say("never") : undefined}
        />
      </div>
    </div>
  )
}

const PasswordFacts = ({ user, visit }: UserProps) => {
  const say = sayOf(visit, userText)
  return (
    <>
      <div>{say(user.hasPassword ? "password.set" : "password.none")}</div>
      {user.passwordLinkUntil === null
        ? null
        : (
          <div class="text-secondary small">
            {say("password.link", { at: visit.formats.time(user.passwordLinkUntil) })}
          </div>
        )}
    </>
  )
}

/** Enabling takes nothing away, so it is not asked twice. */
const StateAction = ({ user, visit }: UserProps) => {
  const say = sayOf(visit, userText)
  return user.disabledAt === null
    ? <a class="btn btn-ghost-danger" href={`/admin/users/${user.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm visit={visit} action={`/admin/users/${user.id}/enable`}>
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const AccessCard = ({ user, visit }: UserProps) => {
  const say = sayOf(visit, userText)
  const isSelf = user.id === visit.user.id
  const isManager = mayVisit(visit, `/admin/users/${user.id}/role`, "POST")
  const isDisabled = user.disabledAt !== null
  return (
    <Card title={say("access")} class="mb-3">
      <div class="card-body">
        <dl class="facts mb-3">
          <dt>{say("role")}</dt>
          <dd>{roleNames(visit)[user.role]}</dd>
          <dt>{say("password")}</dt>
          <dd>
            <PasswordFacts visit={visit} user={user} />
          </dd>
          {user.adminKeys === 0n ? null : (
            <>
              <dt>{say("adminKeys")}</dt>
              <dd>{visit.formats.count(user.adminKeys)}</dd>
            </>
          )}
        </dl>
        {isManager
          ? (
            <div class="btn-list">
              {isDisabled ? null : (
                <PostForm visit={visit} action={`/admin/users/${user.id}/password-link`}>
                  <button type="submit" class="btn">{say("link")}</button>
                </PostForm>
              )}
              {isSelf || (isDisabled && user.role === "user")
                ? null
                : <a class="btn" href={`/admin/users/${user.id}/role`}>{say("role.change")}</a>}
              {isSelf ? null : <StateAction visit={visit} user={user} />}
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

const KeysCard = ({ keys, visit }: { readonly visit: UserVisit; readonly keys: ReadonlyArray<ListedApiKey> }) => {
  const say = sayOf(visit, userText)
  return (
    <Card title={say("keys")} class="mb-3">
      {keys.length === 0 ? <div class="card-body text-secondary">{say("keys.none")}</div> : (
        <DataTable
          caption={say("keys")}
          columns={[{ title: say("key") }, { title: say("state") }, { title: say("key.used"), wide: true }]}
          rows={keys.map((key) => [
            <>
              <div class="key-name">{key.name === "" ? "–" : key.name}</div>
              <code class="nowrap">{key.hint}</code>
            </>,
            isLive(key, visit.now)
              ? <Badge tone="green">{say("key.active")}</Badge>
              : <Badge tone="secondary">{say("key.over")}</Badge>,
            key.lastUsedAt === null ? say("key.never") : <Moment visit={visit} at={key.lastUsedAt} />
          ])}
        />
      )}
    </Card>
  )
}

const SessionsCard = ({ user, visit }: UserProps) => {
  const say = sayOf(visit, userText)
  return (
    <Card title={say("sessions")} class="mb-3">
      {user.sessions.length === 0 ? <div class="card-body text-secondary">{say("sessions.none")}</div> : (
        <DataTable
          caption={say("sessions")}
          columns={[{ title: say("seen") }, { title: say("session.device"), wide: true }, {
            title: say("session.address")
          }]}
          rows={user.sessions.map((session) => [
            <Moment visit={visit} at={session.lastSeenAt} />,
            <span class="break-anywhere small">{session.userAgent}</span>,
            <span class="break-anywhere">{session.address}</span>
          ])}
        />
      )}
    </Card>
  )
}

export const UserView = (
  { account, entries, keys, subscriptions, user, visit }: UserProps & {
    readonly account: AccountView
    readonly entries: Listed<LedgerItem>
    readonly subscriptions: Listed<SubscriptionItem>
    readonly keys: ReadonlyArray<ListedApiKey>
  }
) => {
  const say = sayOf(visit, userText)
  const lead = (
    <>
      {say("lead", { id: user.id.toString(), at: visit.formats.date(user.createdAt) })}
      {user.disabledAt === null ? null : `, ${say("disabledSince", { at: visit.formats.time(user.disabledAt) })}`}{" "}
      <UserBadges visit={visit} user={user} />
    </>
  )
  return (
    <>
      <PageHeading title={user.email} lead={lead} />
      <div class="btn-list mb-3">
        <AdminLink visit={visit} class="btn btn-primary" href={`/admin/users/${user.id}/adjust`}>
          {say("adjust")}
        </AdminLink>
        {account.owedMicros === 0n
          ? null
          : <AdminLink visit={visit} class="btn" href={`/admin/users/${user.id}/waive`}>{say("waive")}</AdminLink>}
        <AdminLink visit={visit} class="btn" href={`/admin/users/${user.id}/grant`}>{say("grant")}</AdminLink>
        <a class="btn" href={`/admin/usage?user=${user.id}`}>{say("usage.show")}</a>
        <AdminLink visit={visit} class="btn" href={`/admin/audit?target=user%3A${user.id}`}>
          {say("audit.show")}
        </AdminLink>
      </div>
      <Done visit={visit} />
      <Figures visit={visit} user={user} account={account} />
      <div class="row">
        <div class="col-lg-8">
          <LedgerCard visit={visit} userId={user.id} entries={entries} />
          <SubscriptionsCard visit={visit} userId={user.id} subscriptions={subscriptions} />
        </div>
        <div class="col-lg-4">
          <AccessCard visit={visit} user={user} />
          <KeysCard visit={visit} keys={keys} />
          <SessionsCard visit={visit} user={user} />
        </div>
      </div>
    </>
  )
}
