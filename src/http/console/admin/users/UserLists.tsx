/**
 * The ledger and the plans of one user, each page by page on the same page.
 */
import type { LedgerItem } from "../../../../accounts/LedgerList.ts"
import type { UserId } from "../../../../domain/Ids.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Badge, Card, DataTable, Moment, type Tone } from "../../ui/Parts.tsx"

/** A page of a list. */
export interface Listed<Item> {
  readonly items: ReadonlyArray<Item>
  readonly hasOlder: boolean
}

/** The page with one of its lists gone on to `before`, and the other where it is. */
const pathOf = (context: PageContext, userId: UserId, list: string, before: string): string => {
  const query = new URLSearchParams(context.query)
  query.delete("done")
  if (before === "") query.delete(list)
  else query.set(list, before)
  return `/admin/users/${userId}${query.size === 0 ? "" : `?${query}`}#${list}`
}

const ListPager = (
  { last, list, userId, context }: {
    readonly context: PageContext
    readonly userId: UserId
    /** The name of the list in the query. */
    readonly list: string
    /** Where the next page begins; undefined on the last one. */
    readonly last: bigint | undefined
  }
) => {
  const say = sayOf(context, "user")
  return (
    <Pager
      newest={context.query.has(list) ? { href: pathOf(context, userId, list, ""), text: say("newest") } : undefined}
      older={last === undefined
        ? undefined
        : { href: pathOf(context, userId, list, last.toString()), text: say("older") }}
    />
  )
}

/** Other parts of the house may write kinds of their own. */
const kindName = (context: PageContext, kind: string): string => {
  const say = sayOf(context, "user")
  const names: ReadonlyMap<string, string> = new Map([
    ["topup", say("topUp")],
    ["adjustment", say("kind.adjustment")],
    ["recovery", say("kind.recovery")],
    ["waiver", say("kind.waiver")],
    ["refund", say("refund")],
    ["refund_returned", say("kind.refund_returned")],
    ["dispute", say("kind.dispute")],
    ["dispute_returned", say("kind.dispute_returned")],
    ["payment_credit", say("kind.payment_credit")],
    ["correction", say("kind.correction")],
    ["redemption", say("kind.redemption")]
  ])
  return names.get(kind) ?? kind
}

const ActorName = ({ actor, context }: { readonly context: PageContext; readonly actor: string }) => {
  const say = sayOf(context, "user")
  if (actor === "system") return <>{say("by.system")}</>
  if (actor === "cli") return <>{say("by.cli")}</>
  const user = /^user:(\d+)$/.exec(actor)?.[1]
  return user === undefined ? <>{actor}</> : <a href={`/admin/users/${user}`}>{actor}</a>
}

export const LedgerCard = (
  { entries, userId, context }: {
    readonly context: PageContext
    readonly userId: UserId
    readonly entries: Listed<LedgerItem>
  }
) => {
  const say = sayOf(context, "user")
  const { formats } = context
  return (
    <div id="entries">
      <Card title={say("ledger")} class="mb-3">
        {entries.items.length === 0 ? <div class="card-body text-secondary">{say("ledger.none")}</div> : (
          <DataTable
            caption={say("ledger")}
            columns={[{ title: say("ledger.entry") }, { title: say("ledger.by"), wide: true }, {
              title: say("amount"),
              number: true
            }]}
            rows={entries.items.map((entry) => [
              <>
                <div>{kindName(context, entry.kind)}</div>
                <div class="text-secondary small">
                  <Moment context={context} at={entry.createdAt} />
                </div>
                {entry.note === "" ? null : <div class="small break-anywhere">{entry.note}</div>}
              </>,
              <ActorName context={context} actor={entry.actor} />,
              <>
                <span class="nowrap">{formats.usd(entry.amountMicros)}</span>
                {entry.owedMicros === 0n ? null : (
                  <div class="text-secondary small">
                    {entry.owedMicros > 0n
                      ? say("ledger.owed", { amount: formats.usd(entry.owedMicros) })
                      : say("ledger.waived", { amount: formats.usd(-entry.owedMicros) })}
                  </div>
                )}
              </>
            ])}
          />
        )}
        <ListPager
          context={context}
          userId={userId}
          list="entries"
          last={entries.hasOlder ? entries.items.at(-1)?.id : undefined}
        />
      </Card>
    </div>
  )
}

const tones: Readonly<Record<SubscriptionItem["state"], Tone>> = {
  coming: "blue",
  running: "green",
  suspended: "yellow",
  over: "secondary"
}

const StateBadge = (
  { state, context }: { readonly context: PageContext; readonly state: SubscriptionItem["state"] }
) => {
  const say = sayOf(context, "user")
  const names = {
    coming: say("coming"),
    running: say("running"),
    suspended: say("state.suspended"),
    over: say("state.over")
  }
  return <Badge tone={tones[state]}>{names[state]}</Badge>
}

const originText = (context: PageContext, { note, orderId }: SubscriptionItem): string => {
  const say = sayOf(context, "user")
  if (orderId !== null) return say("bought", { id: orderId.toString() })
  return note === null ? "" : say("granted", { note })
}

export const SubscriptionsCard = (
  { subscriptions, userId, context }: {
    readonly context: PageContext
    readonly userId: UserId
    readonly subscriptions: Listed<SubscriptionItem>
  }
) => {
  const say = sayOf(context, "user")
  return (
    <div id="subscriptions">
      <Card title={say("subscriptions")} class="mb-3">
        {subscriptions.items.length === 0
          ? <div class="card-body text-secondary">{say("noPlansYet")}</div>
          : (
            <DataTable
              caption={say("subscriptions")}
              columns={[{ title: say("plan") }, { title: say("state") }, { title: say("period"), wide: true }, {
                title: say("action"),
                number: true
              }]}
              rows={subscriptions.items.map((item) => [
                <>
                  <div class="break-anywhere">{item.planName}</div>
                  <div class="text-secondary small break-anywhere">{originText(context, item)}</div>
                </>,
                <StateBadge context={context} state={item.state} />,
                <span class="small">
                  <Moment context={context} at={item.startsAt} /> – <Moment context={context} at={item.endsAt} />
                </span>,
                item.state === "over" ? null : (
                  <AdminLink
                    context={context}
                    class="btn btn-sm btn-ghost-danger"
                    href={`/admin/users/${userId}/subscriptions/${item.id}/end`}
                    aria-label={say("end.label", { plan: item.planName })}
                  >
                    {say("end")}
                  </AdminLink>
                )
              ])}
            />
          )}
        <ListPager
          context={context}
          userId={userId}
          list="subscriptions"
          last={subscriptions.hasOlder ? subscriptions.items.at(-1)?.id : undefined}
        />
      </Card>
    </div>
  )
}
