/**
 * The ledger and the plans of one user, each page by page on the same page.
 */
import type { LedgerItem } from "../../../../accounts/LedgerList.ts"
import type { UserId } from "../../../../domain/Ids.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { ListCard, type Listed } from "../../kit/List.tsx"
import { AdminLink, Moment, StateBadge, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { sayKnown } from "../../text/Messages.ts"
import type { TextKey } from "../../text/Texts.ts"

interface ListProps<Item> {
  readonly context: PageContext
  readonly userId: UserId
  readonly listed: Listed<Item>
}

/** Other parts of the house may write kinds of their own. */
const kinds: ReadonlyMap<string, TextKey<"user">> = new Map([
  ["topup", "topUp"],
  ["adjustment", "kind.adjustment"],
  ["recovery", "kind.recovery"],
  ["waiver", "kind.waiver"],
  ["refund", "refund"],
  ["refund_returned", "kind.refund_returned"],
  ["dispute", "kind.dispute"],
  ["dispute_returned", "kind.dispute_returned"],
  ["payment_credit", "kind.payment_credit"],
  ["correction", "kind.correction"],
  ["redemption", "kind.redemption"]
])

const ActorName = ({ actor, context }: { readonly context: PageContext; readonly actor: string }) => {
  const say = sayOf(context, "user")
  if (actor === "system") return <>{say("by.system")}</>
  if (actor === "cli") return <>{say("by.cli")}</>
  const user = /^user:(\d+)$/.exec(actor)?.[1]
  return user === undefined ? <>{actor}</> : <a href={`/admin/users/${user}`}>{actor}</a>
}

/** What a credit did not pay, or a waiver took off the debt. */
const owedText = (context: PageContext, owedMicros: bigint): string =>
  owedMicros > 0n
    ? sayOf(context, "user")("ledger.owed", { amount: context.formats.usd(owedMicros) })
    : sayOf(context, "user")("ledger.waived", { amount: context.formats.usd(-owedMicros) })

export const LedgerCard = ({ listed, userId, context }: ListProps<LedgerItem>) => {
  const say = sayOf(context, "user")
  return (
    <ListCard
      context={context}
      path={`/admin/users/${userId}`}
      name="entries"
      title={say("ledger")}
      empty={say("ledger.none")}
      {...listed}
      columns={[
        {
          title: say("ledger.entry"),
          cell: ({ createdAt, kind, note }) => (
            <>
              <div>{sayKnown(say, kinds, kind)}</div>
              <div class="text-secondary small">
                <Moment context={context} at={createdAt} />
              </div>
              {note === "" ? null : <div class="small break-anywhere">{note}</div>}
            </>
          )
        },
        { title: say("ledger.by"), wide: true, cell: ({ actor }) => <ActorName context={context} actor={actor} /> },
        {
          title: say("amount"),
          number: true,
          cell: ({ amountMicros, owedMicros }) => (
            <>
              <span class="nowrap">{context.formats.usd(amountMicros)}</span>
              {owedMicros === 0n ? null : <div class="text-secondary small">{owedText(context, owedMicros)}</div>}
            </>
          )
        }
      ]}
    />
  )
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

export const SubscriptionsCard = ({ listed, userId, context }: ListProps<SubscriptionItem>) => {
  const say = sayOf(context, "user")
  const path = `/admin/users/${userId}`
  return (
    <ListCard
      context={context}
      path={path}
      name="subscriptions"
      title={say("subscriptions")}
      empty={say("noPlansYet")}
      {...listed}
      columns={[
        {
          title: say("plan"),
          cell: (item) => (
            <>
              <div class="break-anywhere">{item.planName}</div>
              <div class="text-secondary small break-anywhere">{originText(context, item)}</div>
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
        {
          title: say("action"),
          number: true,
          cell: ({ id, planName, state }) =>
            state === "over" ? null : (
              <AdminLink
                context={context}
                class="btn btn-sm btn-ghost-danger"
                href={`${path}/subscriptions/${id}/end`}
                aria-label={say("end.label", { plan: planName })}
              >
                {say("end")}
              </AdminLink>
            )
        }
      ]}
    />
  )
}
