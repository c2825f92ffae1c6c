/**
 * One order as root sees it: what was ordered by whom, what can be done, what went back, and what happened.
 */
import type { OrderId } from "../../../../domain/Ids.ts"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import { askedOf } from "../../../../orders/DisputeFold.ts"
import type { Dispute } from "../../../../orders/DisputeStore.ts"
import { isUnanswered, type Refund } from "../../../../orders/Refunds.ts"
import { mayOpen, sayOf, type UserContext } from "../../PageContext.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { methodName, orderName, StateBadge, TermsLines } from "../../ui/OrderParts.tsx"
import { Badge, Card, DataTable, Moment, PageHeading, type Tone } from "../../ui/Parts.tsx"
import { minorText } from "../payments/EventParts.tsx"
import { OrderTimeline } from "./OrderTimeline.tsx"

interface RecordProps {
  readonly context: UserContext
  readonly record: OrderRecord
}

const Done = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "adminOrders")
  switch (context.query.get("done")) {
    case "completed":
      return <Notice kind="success">{say("done.completed")}</Notice>
    case "cancelled":
      return <Notice kind="success">{say("done.cancelled")}</Notice>
    case "refund-succeeded":
    case "refund-pending":
    case "refund-requires_action":
      return <Notice kind="success">{say("done.refunded")}</Notice>
    case "refund-failed":
    case "refund-canceled":
      return <Notice kind="danger">{say("done.refund_failed")}</Notice>
    case "refund-unanswered":
      return <Notice kind="warning">{say("done.refund_unknown")}</Notice>
    case "settled":
      return <Notice kind="success">{say("done.settled")}</Notice>
    default:
      return null
  }
}

/** Money can be said to have come for what is not fulfilled. */
export const isCompletable = ({ order: { state } }: OrderRecord): boolean =>
  state === "pending" || state === "cancelled" || state === "expired"

const Actions = ({ record, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  const { order, refundable } = record
  return (
    <div class="btn-list">
      {isCompletable(record)
        ? (
          <AdminLink context={context} class="btn btn-primary" href={`/admin/orders/${order.id}/complete`}>
            {say("markAsPaid")}
          </AdminLink>
        )
        : null}
      {order.state === "pending"
        ? <AdminLink context={context} class="btn" href={`/admin/orders/${order.id}/cancel`}>{say("cancel")}</AdminLink>
        : null}
      {refundable !== undefined && refundable.leftMinor > 0n
        ? <AdminLink context={context} class="btn" href={`/admin/orders/${order.id}/refund`}>{say("refund")}</AdminLink>
        : null}
    </div>
  )
}

const Payment = ({ record: { attempts }, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  const paid = attempts.find(({ state }) => state === "paid")
  if (paid === undefined) return null
  return (
    <>
      <dt>{say("paidWith")}</dt>
      <dd>
        {methodName(context, paid.provider, paid.method)}, {minorText(context, paid.amountMinor, paid.currency)}
      </dd>
      <dt>{say("payment")}</dt>
      <dd>
        <code class="break-anywhere">{paid.payment}</code>
      </dd>
      {paid.debitedMicros === 0n ? null : (
        <>
          <dt>{say("taken")}</dt>
          <dd>{context.formats.usd(paid.debitedMicros)}</dd>
        </>
      )}
    </>
  )
}

const What = ({ record: { creditUsdPerCny, order }, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  const sayOrder = sayOf(context, "order")
  return order.terms === null
    ? (
      <>
        <dt>{sayOrder("credit")}</dt>
        <dd>{context.formats.usd(order.creditMicros)}</dd>
        <dt>{say("rate")}</dt>
        <dd>{say("rate.text", { rate: creditUsdPerCny ?? "–" })}</dd>
      </>
    )
    : (
      <>
        <dt>{say("period")}</dt>
        <dd>{sayOrder("days", { count: order.terms.durationDays })}</dd>
        <dt>{say("limits")}</dt>
        <dd>
          <TermsLines context={context} terms={order.terms} />
        </dd>
      </>
    )
}

const Details = (props: RecordProps) => {
  const { record: { email, order }, context } = props
  const say = sayOf(context, "adminOrders")
  const sayOrder = sayOf(context, "order")
  return (
    <Card title={say("details")} class="mb-3">
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{sayOrder("what")}</dt>
          <dd>{orderName(context, order)}</dd>
          <dt>{say("buyer")}</dt>
          <dd>
            <a class="break-anywhere" href={`/admin/users/${order.userId}`}>{email}</a>
          </dd>
          <dt>{sayOrder("amount")}</dt>
          <dd>
            <strong>{context.formats.cny(order.amountFen)}</strong>
          </dd>
          <What {...props} />
          <dt>{sayOrder("placed")}</dt>
          <dd>
            <Moment context={context} at={order.createdAt} />
          </dd>
          {order.state === "pending"
            ? (
              <>
                <dt>{say("expires")}</dt>
                <dd>
                  <Moment context={context} at={order.expiresAt} />
                </dd>
              </>
            )
            : null}
          {order.settledAt === null ? null : (
            <>
              <dt>{say("paid")}</dt>
              <dd>
                <Moment context={context} at={order.settledAt} />
              </dd>
            </>
          )}
          <Payment {...props} />
        </dl>
      </div>
    </Card>
  )
}

const refundTones: Readonly<Record<Refund["state"], Tone>> = {
  pending: "blue",
  requires_action: "yellow",
  succeeded: "green",
  failed: "red",
  canceled: "red"
}

const RefundBadge = ({ refund, context }: { readonly context: UserContext; readonly refund: Refund }) => {
  const say = sayOf(context, "adminOrders")
  if (isUnanswered(refund) && refund.problem !== "") return <Badge tone="yellow">{say("refund.unanswered")}</Badge>
  const names = {
    pending: say("refund.pending"),
    requires_action: say("refund.requires_action"),
    succeeded: say("refund.succeeded"),
    failed: say("refund.failed"),
    canceled: say("cancelled")
  }
  return <Badge tone={refundTones[refund.state]}>{names[refund.state]}</Badge>
}

const RefundActions = (
  { orderId, refund, context }: {
    readonly context: UserContext
    readonly refund: Refund
    readonly orderId: OrderId
  }
) => {
  const say = sayOf(context, "adminOrders")
  if (!isUnanswered(refund)) return null
  const path = `/admin/orders/${orderId}/refunds/${refund.id}`
  if (!mayOpen(context, path, "POST")) return null
  return (
    <div class="btn-list mt-2">
      {refund.provider === "stripe"
        ? (
          <PostForm context={context} action={`${path}/retry`}>
            <button type="submit" class="btn btn-sm">{say("refund.retry")}</button>
          </PostForm>
        )
        : null}
      <a class="btn btn-sm" href={path}>{say("refund.settle")}</a>
    </div>
  )
}

const RefundsCard = ({ record: { order, refunds }, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  if (refunds.length === 0) return null
  return (
    <Card title={say("refunds")} class="mb-3">
      <DataTable
        caption={say("refunds")}
        columns={[
          { title: say("amount"), number: true },
          { title: say("state") },
          { title: say("note"), wide: true },
          { title: say("requested"), wide: true }
        ]}
        rows={refunds.map((refund) => [
          <span class="nowrap">{minorText(context, refund.amountMinor, refund.currency)}</span>,
          <>
            <RefundBadge context={context} refund={refund} />
            {refund.problem === "" ? null : <div class="text-secondary small break-anywhere">{refund.problem}</div>}
            <RefundActions context={context} refund={refund} orderId={order.id} />
          </>,
          refund.key === null
            ? <span class="text-secondary">{say("refund.outside")}</span>
            : <span class="break-anywhere">{refund.note}</span>,
          <span class="nowrap">
            <Moment context={context} at={refund.createdAt} />
          </span>
        ])}
      />
    </Card>
  )
}

/** The words of a provider for people: `product_not_received` as `product not received`. */
const words = (text: string): string => text.replaceAll("_", " ")

const DisputesCard = ({ record: { disputes }, context }: RecordProps) => {
  const say = sayOf(context, "adminOrders")
  if (disputes.length === 0) return null
  const isOpen = ({ status }: Dispute) => askedOf(status) === "answer"
  return (
    <Card title={say("disputes")} class="mb-3">
      <DataTable
        caption={say("disputes")}
        columns={[
          { title: say("dispute.amount"), number: true },
          { title: say("dispute.taken"), number: true },
          { title: say("state") }
        ]}
        rows={disputes.map((dispute) => [
          <span class="nowrap">{minorText(context, dispute.amountMinor, dispute.currency)}</span>,
          <span class="nowrap">{minorText(context, dispute.takenMinor, dispute.currency)}</span>,
          <>
            <Badge tone={isOpen(dispute) ? "red" : "secondary"}>{words(dispute.status)}</Badge>
            <div class="text-secondary small break-anywhere">{words(dispute.reason)}</div>
            {dispute.dueAt === null || !isOpen(dispute)
              ? null
              : (
                <div class="small">
                  {say("dispute.due")}: <Moment context={context} at={dispute.dueAt} />
                </div>
              )}
            <code class="small break-anywhere">{dispute.dispute}</code>
          </>
        ])}
      />
    </Card>
  )
}

export const AdminOrderView = (props: RecordProps) => {
  const { record: { order }, context } = props
  const say = sayOf(context, "adminOrders")
  return (
    <>
      <PageHeading
        title={say("orderNumber", { id: order.id.toString() })}
        lead={<StateBadge context={context} state={order.state} />}
      >
        <Actions {...props} />
      </PageHeading>
      <Done context={context} />
      <Details {...props} />
      <RefundsCard {...props} />
      <DisputesCard {...props} />
      <OrderTimeline {...props} />
    </>
  )
}
