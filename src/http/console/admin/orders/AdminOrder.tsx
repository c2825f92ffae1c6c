/**
 * `/admin/orders/{id}`: one order as administrators see it. What was ordered by whom, what can be done, what went back, and what happened.
 */
import { Effect } from "effect"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import { askedOf } from "../../../../orders/DisputeFold.ts"
import type { Dispute } from "../../../../orders/DisputeStore.ts"
import { isCompletable } from "../../../../orders/Order.ts"
import { isUnanswered, type Refund } from "../../../../orders/Refunds.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { ButtonForm, headedPage } from "../../kit/Forms.tsx"
import { amountColumn, TableCard, timeColumn } from "../../kit/List.tsx"
import { methodName, OrderBadge, orderFacts } from "../../kit/Orders.tsx"
import { AdminLink, Badge, type Fact, FactsCard, Moment, Small, StateBadge, type States } from "../../kit/Parts.tsx"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { DisputeBadge, minorText, plainWords } from "../payments/EventParts.tsx"
import { OrderActionRoutes, theOrder } from "./OrderActions.tsx"
import { OrderTimeline } from "./OrderTimeline.tsx"

interface RecordProps {
  readonly context: UserContext
  readonly record: OrderRecord
}

const doneTexts = (context: UserContext) => {
  const say = sayOf(context, "adminOrders")
  const refunded = say("done.refunded")
  const refused = ["danger", say("done.refund_failed")] as const
  return {
    completed: say("done.completed"),
    cancelled: say("done.cancelled"),
    "refund-succeeded": refunded,
    "refund-pending": refunded,
    "refund-requires_action": refunded,
    "refund-failed": refused,
    "refund-canceled": refused,
    "refund-unanswered": ["warning", say("done.refund_unknown")],
    settled: say("done.settled")
  } as const
}

const Actions = ({ record, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  const { order, refundable } = record
  const actions = [
    ["complete", say("markAsPaid"), isCompletable(order.state), "btn btn-primary"],
    ["cancel", say("cancel"), order.state === "pending", "btn"],
    ["refund", say("refund"), refundable !== undefined && refundable.leftMinor > 0n, "btn"]
  ] as const
  return (
    <div class="btn-list">
      {actions.map(([action, text, isPossible, look]) =>
        isPossible
          ? (
            <AdminLink key={action} context={context} class={look} href={`/admin/orders/${order.id}/${action}`}>
              {text}
            </AdminLink>
          )
          : null
      )}
    </div>
  )
}

const payment = ({ record: { attempts }, context }: RecordProps): ReadonlyArray<Fact> => {
  const say = sayOf(context, "adminOrders")
  const paid = attempts.find(({ state }) => state === "paid")
  if (paid === undefined) return []
  const amount = minorText(context, paid.amountMinor, paid.currency)
  return [
    [say("paidWith"), `${methodName(context, paid.provider, paid.method)} · ${amount}`],
    [say("payment"), <code class="break-anywhere">{paid.payment}</code>],
    paid.debitedMicros === 0n ? null : [say("taken"), context.formats.usd(paid.debitedMicros)]
  ]
}

const Details = (props: RecordProps) => {
  const { record: { creditUsdPerCny, email, order }, context } = props
  const say = sayOf(context, "adminOrders")
  return (
    <FactsCard
      title={say("details")}
      facts={[
        [say("buyer"), <a class="break-anywhere" href={`/admin/users/${order.userId}`}>{email}</a>],
        ...orderFacts(context, order),
        order.terms === null ? [say("rate"), say("rate.text", { rate: creditUsdPerCny ?? "–" })] : null,
        order.state === "pending" ? [say("expires"), <Moment context={context} at={order.expiresAt} />] : null,
        order.settledAt === null ? null : [say("paid"), <Moment context={context} at={order.settledAt} />],
        ...payment(props)
      ]}
    />
  )
}

export const refundStates: States<Refund["state"], TextKey<"adminOrders">> = {
  pending: ["blue", "refund.pending"],
  requires_action: ["yellow", "refund.requires_action"],
  succeeded: ["green", "refund.succeeded"],
  failed: ["red", "refund.failed"],
  canceled: ["red", "cancelled"]
}

const RefundState = ({ record: { order }, refund, context }: RecordProps & { readonly refund: Refund }) => {
  const say = sayOf(context, "adminOrders")
  const path = `/admin/orders/${order.id}/refunds/${refund.id}`
  return (
    <>
      {isUnanswered(refund) && refund.problem !== ""
        ? <Badge tone="yellow">{say("refund.unanswered")}</Badge>
        : <StateBadge say={say} states={refundStates} state={refund.state} />}
      <Small>{refund.problem}</Small>
      {isUnanswered(refund) && mayOpen(context, path, "POST")
        ? (
          <div class="btn-list mt-2">
            {refund.provider === "stripe"
              ? <ButtonForm context={context} action={`${path}/retry`} look="btn-sm" button={say("refund.retry")} />
              : null}
            <a class="btn btn-sm" href={path}>{say("refund.settle")}</a>
          </div>
        )
        : null}
    </>
  )
}

const RefundsCard = (props: RecordProps) => {
  const { record: { refunds }, context } = props
  const say = sayOf(context, "adminOrders")
  return (
    <TableCard
      title={say("refunds")}
      items={refunds}
      columns={[
        amountColumn(say("amount"), (refund: Refund) => minorText(context, refund.amountMinor, refund.currency)),
        { title: say("state"), cell: (refund) => <RefundState {...props} refund={refund} /> },
        {
          title: say("note"),
          wide: true,
          cell: ({ key, note }) =>
            key === null
              ? <span class="text-secondary">{say("refund.outside")}</span>
              : <span class="break-anywhere">{note}</span>
        },
        timeColumn(context, say("requested"), ({ createdAt }: Refund) => createdAt)
      ]}
    />
  )
}

const DisputeState = (
  { dispute: { dispute, dueAt, reason, status }, context }: {
    readonly context: UserContext
    readonly dispute: Dispute
  }
) => {
  const isOpen = askedOf(status) === "answer"
  return (
    <>
      <DisputeBadge status={status} />
      <Small>{plainWords(reason)}</Small>
      {dueAt === null || !isOpen ? null : (
        <div class="small">
          {sayOf(context, "adminOrders")("dispute.due")}: <Moment context={context} at={dueAt} />
        </div>
      )}
      <code class="small break-anywhere">{dispute}</code>
    </>
  )
}

const DisputesCard = ({ record: { disputes }, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  const money = (minor: bigint, { currency }: Dispute) => minorText(context, minor, currency)
  return (
    <TableCard
      title={say("disputes")}
      items={disputes}
      columns={[
        amountColumn(say("dispute.amount"), (dispute: Dispute) => money(dispute.amountMinor, dispute)),
        amountColumn(say("dispute.taken"), (dispute: Dispute) => money(dispute.takenMinor, dispute)),
        { title: say("state"), cell: (dispute) => <DisputeState context={context} dispute={dispute} /> }
      ]}
    />
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const props = { context, record: yield* theOrder }
  const { order } = props.record
  return headedPage({
    context,
    title: context.say("orderNumber", { id: order.id.toString() }),
    lead: <OrderBadge context={context} state={order.state} />,
    actions: <Actions {...props} />,
    done: doneTexts(context),
    children: (
      <>
        <Details {...props} />
        <RefundsCard {...props} />
        <DisputesCard {...props} />
        <OrderTimeline {...props} />
      </>
    )
  })
})

export const OrderRoutes = routes(adminPage("/admin/orders/:id", show), OrderActionRoutes)
