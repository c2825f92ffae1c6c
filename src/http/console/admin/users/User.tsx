/**
 * `/admin/users/{id}`: one user. Money, what they may do and what can be done to them; their ledger, plans, keys and sessions below.
 */
import { Effect } from "effect"
import { AccountOverview, type AccountView } from "../../../../accounts/AccountOverview.ts"
import { type LedgerItem, LedgerList } from "../../../../accounts/LedgerList.ts"
import type { SpendingApiKey } from "../../../../identity/ApiKey.ts"
import { deviceOf } from "../../../../identity/Device.ts"
import { KeyList } from "../../../../identity/KeyList.ts"
import { isStaff } from "../../../../identity/Roles.ts"
import type { UserDetails } from "../../../../identity/UserAdmin.ts"
import { type SubscriptionItem, SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { ButtonForm, EnabledAction, headedPage, switchOf } from "../../kit/Forms.tsx"
import { keyColumns, keyName, KeySpent } from "../../kit/Keys.tsx"
import { debtText, entryName } from "../../kit/Ledger.tsx"
import { type ItemColumn, type Listed, readListed, textColumn, timeColumn } from "../../kit/List.tsx"
import { ListCard, type ListCardProps } from "../../kit/ListCard.tsx"
import { AdminLink, FactsCard, Figures, Moment, Small, StateBadge, type States, Usd } from "../../kit/Parts.tsx"
import { RateFacts } from "../../kit/RateLimits.tsx"
import { mayOpen, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { roleNames } from "../../text/SharedTexts.ts"
import type { TextKey } from "../../text/Texts.ts"
import { theUser, UserActionRoutes } from "./UserActions.tsx"
import { UserBadges } from "./Users.tsx"

const LIST_SIZE = 20

interface UserProps {
  readonly context: UserContext
  readonly user: UserDetails
  readonly account: AccountView
  readonly entries: Listed<LedgerItem>
  readonly subscriptions: Listed<SubscriptionItem>
  readonly keys: Listed<SpendingApiKey>
}

const pathOf = ({ id }: UserDetails): string => `/admin/users/${id}`

const Actions = ({ account, user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const path = pathOf(user)
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

const Money = ({ account: { heldMicros, openCalls, owedMicros, usdMicros }, user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const { count, date, usd } = context.formats
  const { id, lastSeenAt, orders } = user
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
          value: count(orders),
          hint: <a href={`/admin/orders?user=${id}`}>{say("orders.show")}</a>
        },
        lastSeenAt === null
          ? { label: say("lastSeen"), value: "–", hint: say("notSignedIn") }
          : { label: say("lastSeen"), value: date(lastSeenAt) }
      ]}
    />
  )
}

const actorName = (context: PageContext, { actor }: LedgerItem) => {
  const say = sayOf(context, "user")
  if (actor === "system") return say("by.system")
  if (actor === "cli") return say("by.cli")
  const user = /^user:(\d+)$/.exec(actor)?.[1]
  return user === undefined ? actor : <a href={`/admin/users/${user}`}>{actor}</a>
}

const ledgerColumns = (context: PageContext): ReadonlyArray<ItemColumn<LedgerItem>> => {
  const say = sayOf(context, "user")
  return [
    {
      title: sayOf(context, "ledger")("entry"),
      cell: ({ createdAt, kind, note }) => (
        <>
          <div>{entryName(context, kind)}</div>
          <Small>
            <Moment context={context} at={createdAt} />
          </Small>
          {note === "" ? null : <div class="small break-anywhere">{note}</div>}
        </>
      )
    },
    { title: say("ledger.by"), wide: true, cell: (entry) => actorName(context, entry) },
    {
      title: say("amount"),
      number: true,
      cell: ({ amountMicros, owedMicros }) => (
        <>
          <span class="nowrap">{context.formats.usd(amountMicros)}</span>
          <Small>{debtText(context, owedMicros)}</Small>
        </>
      )
    }
  ]
}

const states: States<SubscriptionItem["state"], TextKey<"user">> = {
  coming: ["blue", "coming"],
  running: ["green", "running"],
  suspended: ["yellow", "state.suspended"],
  over: ["secondary", "state.over"]
}

const originText = (context: PageContext, { note, orderId }: SubscriptionItem): string => {
  const say = sayOf(context, "user")
  if (orderId !== null) return say("orderNumber", { id: orderId.toString() })
  return note === null ? "" : say("granted", { note })
}

const subscriptionColumns = ({ user, context }: UserProps): ReadonlyArray<ItemColumn<SubscriptionItem>> => {
  const say = sayOf(context, "user")
  const endLink = ({ id, planName }: SubscriptionItem) => (
    <AdminLink
      context={context}
      class="btn btn-sm btn-ghost-danger"
      href={`${pathOf(user)}/subscriptions/${id}/end`}
      aria-label={say("end.label", { plan: planName })}
    >
      {say("end")}
    </AdminLink>
  )
  return [
    {
      title: say("plan"),
      cell: (item) => (
        <>
          <div class="break-anywhere">{item.planName}</div>
          <Small>{originText(context, item)}</Small>
        </>
      )
    },
    { title: say("state"), cell: ({ state }) => <StateBadge say={say} states={states} state={state} /> },
    {
      title: say("period"),
      wide: true,
      cell: ({ endsAt, startsAt }) => (
        <span class="small">
          <Moment context={context} at={startsAt} /> – <Moment context={context} at={endsAt} />
        </span>
      )
    },
    { title: say("action"), number: true, cell: (item) => item.state === "over" ? null : endLink(item) }
  ]
}

const passwordText = ({ user: { hasPassword, passwordLinkUntil: until }, context }: UserProps) => {
  const say = sayOf(context, "user")
  return (
    <>
      <div>{say(hasPassword ? "set" : "password.none")}</div>
      <Small>{until === null ? undefined : say("password.link", { at: context.formats.time(until) })}</Small>
    </>
  )
}

/** What one administrator may do to another user; to themselves, almost nothing. */
const AccessActions = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const path = pathOf(user)
  const isSelf = user.id === context.user.id
  const isDisabled = user.disabledAt !== null
  return (
    <>
      <div class="btn-list">
        {isDisabled ? null : isStaff(user.role)
          ? <a class="btn" href={`${path}/password-link`}>{say("link")}</a>
          : <ButtonForm context={context} action={`${path}/password-link`} button={say("link")} />}
        {isSelf || (isDisabled && user.role === "user")
          ? null
          : <a class="btn" href={`${path}/role`}>{say("changeRole")}</a>}
        {isSelf || !user.hasSecondFactor
          ? null
          : <a class="btn" href={`${path}/second-factor`}>{say("resetSecondFactor")}</a>}
        <a class="btn" href={`${path}/group`}>{say("changeGroup")}</a>
        <a class="btn" href={`${path}/limits`}>{say("changeLimits")}</a>
        {isSelf ? null : isDisabled && isStaff(user.role)
          ? <a class="btn" href={switchOf(path).enable}>{say("enable")}</a>
          : <EnabledAction context={context} paths={switchOf(path)} row={user} say={say} />}
      </div>
      {isSelf ? <p class="text-secondary small mt-3 mb-0">{say("self")}</p> : null}
    </>
  )
}

/** Whose prices the user has whatever pays, and where from. */
const groupText = ({ user: { groupCode, redeemedGroupCode }, context }: UserProps) => {
  const say = sayOf(context, "user")
  const code = groupCode ?? redeemedGroupCode
  if (code === null) return say("group.none")
  return (
    <>
      <code>{code}</code>
      <Small>{say(groupCode === null ? "group.redeemed" : "group.own")}</Small>
    </>
  )
}

const AccessCard = (props: UserProps) => {
  const { user, context } = props
  const say = sayOf(context, "user")
  return (
    <FactsCard
      title={say("access")}
      facts={[
        [say("role"), roleNames(context)[user.role]],
        [say("password"), passwordText(props)],
        [say("emailVerified"), user.emailVerifiedAt === null ? say("no") : context.formats.date(user.emailVerifiedAt)],
        [say("secondFactor"), say(user.hasSecondFactor ? "set" : "notSet")],
        [say("group"), groupText(props)],
        [say("callLimits"), <RateFacts context={context} limits={user} none={say("limits.none")} />],
        user.adminKeys === 0n ? null : [say("adminKeys"), context.formats.count(user.adminKeys)]
      ]}
      footer={mayOpen(context, `${pathOf(user)}/role`, "POST") ? <AccessActions {...props} /> : null}
    />
  )
}

const sessionColumns = (context: PageContext): ReadonlyArray<ItemColumn<UserDetails["sessions"][number]>> => {
  const say = sayOf(context, "user")
  return [
    { ...timeColumn(context, say("lastSeen"), ({ lastSeenAt }) => lastSeenAt), wide: false },
    {
      title: say("device"),
      wide: true,
      cell: ({ userAgent }) => <span title={userAgent}>{deviceOf(userAgent) ?? say("device.unknown")}</span>
    },
    textColumn(say("address"), ({ address }) => address)
  ]
}

const keyColumnsOf = ({ user, context }: UserProps): ReadonlyArray<ItemColumn<SpendingApiKey>> => {
  const say = sayOf(context, "user")
  const { name, state } = keyColumns<SpendingApiKey>(context, pathOf(user))
  const revokeLink = (key: SpendingApiKey) => (
    <AdminLink
      context={context}
      class="btn btn-sm btn-ghost-danger"
      href={`${pathOf(user)}/keys/${key.id}/revoke`}
      aria-label={say("revoke.label", { name: keyName(key) })}
    >
      {say("revoke")}
    </AdminLink>
  )
  return [
    name,
    state,
    { title: say("spent"), cell: (item) => <KeySpent context={context} item={item} /> },
    timeColumn(context, say("lastUsed"), ({ lastUsedAt }) => lastUsedAt, say("never")),
    { title: say("action"), number: true, cell: (key) => key.revokedAt === null ? revokeLink(key) : null }
  ]
}

const Details = (props: UserProps) => {
  const { entries, keys, subscriptions, user, context } = props
  const say = sayOf(context, "user")
  const listOf = <Item extends { readonly id: bigint }>(
    name: string,
    found: Pick<ListCardProps<Item>, "items" | "hasMore">,
    about: Pick<ListCardProps<Item>, "title" | "empty" | "columns">
  ) => <ListCard context={context} path={pathOf(user)} name={name} {...found} {...about} />
  const [ledger, plans] = [ledgerColumns(context), subscriptionColumns(props)]
  const noEntry = sayOf(context, "ledger")("none")
  return (
    <div class="row">
      <div class="col-lg-8">
        {listOf("entries", entries, { title: say("ledger"), empty: noEntry, columns: ledger })}
        {listOf("subscriptions", subscriptions, {
          title: say("subscriptions"),
          empty: say("noPlansYet"),
          columns: plans
        })}
        {listOf("keys", keys, { title: say("apiKeys"), empty: say("keys.none"), columns: keyColumnsOf(props) })}
      </div>
      <div class="col-lg-4">
        <AccessCard {...props} />
        {listOf("sessions", { items: user.sessions }, {
          title: say("sessions"),
          empty: say("sessions.none"),
          columns: sessionColumns(context)
        })}
      </div>
    </div>
  )
}

const leadOf = ({ user, context }: UserProps) => {
  const say = sayOf(context, "user")
  const { createdAt, disabledAt, id } = user
  return (
    <>
      {say("lead", { id: id.toString(), at: context.formats.date(createdAt) })}
      {disabledAt === null ? null : `, ${say("disabledSince", { at: context.formats.time(disabledAt) })}`}{" "}
      <UserBadges context={context} user={user} />
    </>
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const user = yield* theUser
  const ledger = yield* LedgerList
  const plans = yield* SubscriptionList
  const apiKeys = yield* KeyList
  const listed = (name: string) => ({ size: LIST_SIZE, name })
  const found = yield* Effect.all({
    account: (yield* AccountOverview).view(user.id),
    entries: readListed(context, listed("entries"), (range) => ledger.page(user.id, range)),
    subscriptions: readListed(context, listed("subscriptions"), (range) => plans.page(user.id, range)),
    keys: readListed(context, listed("keys"), (range) => apiKeys.page(user.id, range))
  }, { concurrency: "unbounded" })
  const props = { context, user, ...found }
  const say = sayOf(context, "user")
  return headedPage({
    context,
    title: user.email,
    lead: leadOf(props),
    done: {
      created: say("done.created"),
      adjusted: say("done.adjusted"),
      waived: say("done.waived"),
      granted: say("done.granted"),
      ended: say("done.ended"),
      key_revoked: say("done.revoked"),
      disabled: say("done.disabled"),
      enabled: say("done.enabled"),
      role: say("done.role"),
      second_factor: say("done.secondFactor"),
      group: say("done.group"),
      limits: say("done.limits")
    },
    children: (
      <>
        <Actions {...props} />
        <Money {...props} />
        <Details {...props} />
      </>
    )
  })
})

export const UserRoutes = routes(adminPage("/admin/users/:id", show), UserActionRoutes)
