/**
 * One user: money, what they may do, and what can be done to them; their ledger, plans, keys and sessions below.
 */
import type { AccountView } from "../../../../accounts/AccountOverview.ts"
import type { LedgerItem } from "../../../../accounts/LedgerList.ts"
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import type { UserDetails } from "../../../../identity/UserAdmin.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { type Page, page } from "../../Answer.ts"
import { EnabledAction, PostForm, switchOf } from "../../kit/Forms.tsx"
import { ListCard, type Listed, timeColumn } from "../../kit/List.tsx"
import { AdminLink, Badge, Done, FactsCard, Figures, PageHeading, Usd } from "../../kit/Parts.tsx"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { roleNames } from "../../text/SharedTexts.ts"
import { LedgerCard, SubscriptionsCard } from "./UserLists.tsx"
import { UserBadges } from "./UsersView.tsx"

interface UserProps {
  readonly context: UserContext
  readonly user: UserDetails
}

type AccountProps = UserProps & { readonly account: AccountView }

const UserDone = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "user")
  return (
    <Done
      context={context}
      texts={{
        created: say("done.created"),
        adjusted: say("done.adjusted"),
        waived: say("done.waived"),
        granted: say("done.granted"),
        ended: say("done.ended"),
        disabled: say("done.disabled"),
        enabled: say("done.enabled"),
        role: say("done.role")
      }}
    />
  )
}

const Money = ({ account: { heldMicros, openCalls, owedMicros, usdMicros }, user, context }: AccountProps) => {
  const say = sayOf(context, "user")
  const { count, date, usd } = context.formats
  const owed = say("balance.owed", { amount: usd(owedMicros) })
  return (
    <Figures
      figures={[
        {
          label: say("balance"),
          value: <Usd context={context} micros={usdMicros} />,
          hint: owedMicros === 0n ? undefined : <span class="text-danger">{owed}</span>
        },
        {
          label: say("held"),
          value: <Usd context={context} micros={heldMicros} />,
          hint: openCalls === 0 ? undefined : say("held.calls", { count: openCalls })
        },
        {
          label: say("orders"),
          value: count(user.orders),
          hint: <a href={`/admin/orders?user=${user.id}`}>{say("orders.show")}</a>
        },
        {
          label: say("lastSeen"),
          value: user.lastSeenAt === null ? "–" : date(user.lastSeenAt),
          hint: user.lastSeenAt === null ? say("notSignedIn") : undefined
        }
      ]}
    />
  )
}

const PasswordText = ({ user: { hasPassword, passwordLinkUntil }, context }: UserProps) => {
  const say = sayOf(context, "user")
  return (
    <>
      <div>{say(hasPassword ? "set" : "password.none")}</div>
      {passwordLinkUntil === null ? null : (
        <div class="text-secondary small">
          {say("password.link", { at: context.formats.time(passwordLinkUntil) })}
        </div>
      )}
    </>
  )
}

/** What one administrator may do to another user; to themselves, almost nothing. */
const AccessActions = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const path = `/admin/users/${user.id}`
  const isSelf = user.id === context.user.id
  const isDisabled = user.disabledAt !== null
  return (
    <>
      <div class="btn-list">
        {isDisabled ? null : (
          <PostForm context={context} action={`${path}/password-link`}>
            <button type="submit" class="btn">{say("link")}</button>
          </PostForm>
        )}
        {isSelf || (isDisabled && user.role === "user")
          ? null
          : <a class="btn" href={`${path}/role`}>{say("changeRole")}</a>}
        {isSelf ? null : <EnabledAction context={context} paths={switchOf(path)} row={user} say={say} />}
      </div>
      {isSelf ? <p class="text-secondary small mt-3 mb-0">{say("self")}</p> : null}
    </>
  )
}

const AccessCard = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const isManager = mayOpen(context, `/admin/users/${user.id}/role`, "POST")
  return (
    <FactsCard
      title={say("access")}
      facts={[
        [say("role"), roleNames(context)[user.role]],
        [say("password"), <PasswordText context={context} user={user} />],
        user.adminKeys === 0n ? null : [say("adminKeys"), context.formats.count(user.adminKeys)]
      ]}
      footer={isManager ? <AccessActions context={context} user={user} /> : null}
    />
  )
}

const isLive = ({ expiresAt, revokedAt }: ListedApiKey, now: Date): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > now)

const KeysCard = (
  { keys, user, context }: UserProps & { readonly keys: ReadonlyArray<ListedApiKey> }
) => {
  const say = sayOf(context, "user")
  return (
    <ListCard
      context={context}
      path={`/admin/users/${user.id}`}
      name="keys"
      title={say("apiKeys")}
      empty={say("keys.none")}
      items={keys}
      hasMore={false}
      columns={[
        {
          title: say("key"),
          cell: ({ hint, name }) => (
            <>
              <div class="key-name">{name === "" ? "–" : name}</div>
              <code class="nowrap">{hint}</code>
            </>
          )
        },
        {
          title: say("state"),
          cell: (key) =>
            isLive(key, context.now)
              ? <Badge tone="green">{say("active")}</Badge>
              : <Badge tone="secondary">{say("key.over")}</Badge>
        },
        timeColumn(context, say("lastUsed"), ({ lastUsedAt }: ListedApiKey) => lastUsedAt, say("never"))
      ]}
    />
  )
}

const SessionsCard = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  return (
    <ListCard
      context={context}
      path={`/admin/users/${user.id}`}
      name="sessions"
      title={say("sessions")}
      empty={say("sessions.none")}
      items={user.sessions}
      hasMore={false}
      columns={[
        {
          ...timeColumn(context, say("lastSeen"), ({ lastSeenAt }: UserDetails["sessions"][number]) => lastSeenAt),
          wide: false
        },
        {
          title: say("device"),
          wide: true,
          cell: ({ userAgent }) => <span class="break-anywhere small">{userAgent}</span>
        },
        { title: say("address"), cell: ({ address }) => <span class="break-anywhere">{address}</span> }
      ]}
    />
  )
}

const Actions = ({ account, user, context }: AccountProps) => {
  const say = sayOf(context, "user")
  const path = `/admin/users/${user.id}`
  const links = [
    [`${path}/adjust`, say("adjustBalance"), "btn btn-primary"],
    ...account.owedMicros === 0n ? [] : [[`${path}/waive`, say("waive")] as const],
    [`${path}/grant`, say("grant")],
    [`/admin/usage?user=${user.id}`, say("usage.show")],
    [`/admin/audit?target=user%3A${user.id}`, say("audit.show")]
  ] as const
  return (
    <div class="btn-list mb-3">
      {links.map(([href, text, look = "btn"]) => (
        <AdminLink key={href} context={context} class={look} href={href}>{text}</AdminLink>
      ))}
    </div>
  )
}

interface UserPageProps extends AccountProps {
  readonly entries: Listed<LedgerItem>
  readonly subscriptions: Listed<SubscriptionItem>
  readonly keys: ReadonlyArray<ListedApiKey>
}

export const userDetailsPage = ({ account, entries, keys, subscriptions, user, context }: UserPageProps): Page => {
  const say = sayOf(context, "user")
  const lead = (
    <>
      {say("lead", { id: user.id.toString(), at: context.formats.date(user.createdAt) })}
      {user.disabledAt === null ? null : `, ${say("disabledSince", { at: context.formats.time(user.disabledAt) })}`}
      {" "}
      <UserBadges context={context} user={user} />
    </>
  )
  return page(
    user.email,
    <>
      <PageHeading title={user.email} lead={lead} />
      <Actions context={context} user={user} account={account} />
      <UserDone context={context} />
      <Money context={context} user={user} account={account} />
      <div class="row">
        <div class="col-lg-8">
          <LedgerCard context={context} userId={user.id} listed={entries} />
          <SubscriptionsCard context={context} userId={user.id} listed={subscriptions} />
        </div>
        <div class="col-lg-4">
          <AccessCard context={context} user={user} />
          <KeysCard context={context} user={user} keys={keys} />
          <SessionsCard context={context} user={user} />
        </div>
      </div>
    </>
  )
}
