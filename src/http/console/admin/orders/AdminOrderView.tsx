/**
 * One order as root sees it: what was ordered by whom, what can be done, what went back, and what happened.
 */
import type { OrderId } from "../../../../domain/Ids.ts"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import { askedOf } from "../../../../orders/DisputeFold.ts"
import type { Dispute } from "../../../../orders/DisputeStore.ts"
import { isUnanswered, type Refund } from "../../../../orders/Refunds.ts"
import { orderText } from "../../text/OrderText.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { methodName, orderName, StateBadge, TermsLines } from "../../ui/OrderParts.tsx"
import { Badge, Card, DataTable, Moment, PageHeading, type Tone } from "../../ui/Parts.tsx"
import { mayVisit, sayOf, type UserVisit } from "../../Visit.ts"
import { minorText } from "../payments/EventParts.tsx"
import { adminOrdersText } from "./AdminOrdersText.ts"
import { OrderTimeline } from "./OrderTimeline.tsx"

interface RecordProps {
  readonly visit: UserVisit
  readonly record: OrderRecord
}

const Done = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, adminOrdersText)
  switch (visit.query.get("done")) {
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

const Actions = ({ record, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
  const { order, refundable } = record
  return (
    <div class="btn-list">
      {isCompletable(record)
        ? (
          <AdminLink visit={visit} class="btn btn-primary" href={`/admin/orders/${order.id}/complete`}>
            {say("complete")}
          </AdminLink>
        )
        : null}
      {order.state === "pending"
        ? <AdminLink visit={visit} class="btn" href={`/admin/orders/${order.id}/cancel`}>{say("cancel")}</AdminLink>
        : null}
      {refundable !== undefined && refundable.leftMinor > 0n
        ? <AdminLink visit={visit} class="btn" href={`/admin/orders/${order.id}/refund`}>{say("refund")}</AdminLink>
        : null}
    </div>
  )
}

const Payment = ({ record: { attempts }, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
  const paid = attempts.find(({ state }) => state === "paid")
  if (paid === undefined) return null
  return (
    <>
      <dt>{say("paidWith")}</dt>
      <dd>
        {methodName(visit, paid.provider, paid.method)}, {minorText(visit, paid.amountMinor, paid.currency)}
      </dd>
      <dt>{say("payment")}</dt>
      <dd>
        <code class="break-anywhere">{paid.payment}</code>
      </dd>
      {paid.debitedMicros === 0n ? null : (
        <>
          <dt>{say("taken")}</dt>
          <dd>{visit.formats.usd(paid.debitedMicros)}</dd>
        </>
      )}
    </>
  )
}

const What = ({ record: { creditUsdPerCny, order }, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
  const sayOrder = sayOf(visit, orderText)
  return order.terms === null
    ? (
      <>
        <dt>{sayOrder("credit")}</dt>
        <dd>{visit.formats.usd(order.creditMicros)}</dd>
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
          <TermsLines visit={visit} terms={order.terms} />
        </dd>
      </>
    )
}

const Details = (props: RecordProps) => {
  const { record: { email, order }, visit } = props
  const say = sayOf(visit, adminOrdersText)
  const sayOrder = sayOf(visit, orderText)
  return (
    <Card title={say("details")} class="mb-3">
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{sayOrder("what")}</dt>
          <dd>{orderName(visit, order)}</dd>
          <dt>{say("buyer")}</dt>
          <dd>
            <a class="break-anywhere" href={`/admin/users/${order.userId}`}>{email}</a>
          </dd>
          <dt>{sayOrder("amount")}</dt>
          <dd>
            <strong>{visit.formats.cny(order.amountFen)}</strong>
          </dd>
          <What {...props} />
          <dt>{sayOrder("placed")}</dt>
          <dd>
            <Moment visit={visit} at={order.createdAt} />
          </dd>
          {order.state === "pending"
            ? (
              <>
                <dt>{say("expires")}</dt>
                <dd>
                  <Moment visit={visit} at={order.expiresAt} />
                </dd>
              </>
            )
            : null}
          {order.settledAt === null ? null : (
            <>
              <dt>{say("paidAt")}</dt>
              <dd>
                <Moment visit={visit} at={order.settledAt} />
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

const RefundBadge = ({ refund, visit }: { readonly visit: UserVisit; readonly refund: Refund }) => {
  const say = sayOf(visit, adminOrdersText)
  if (isUnanswered(refund) && refund.problem !== "") return <Badge tone="yellow">{say("refund.unanswered")}</Badge>
  const names = {
    pending: say("refund.pending"),
    requires_action: say("refund.requires_action"),
    succeeded: say("refund.succeeded"),
    failed: say("refund.failed"),
    canceled: say("refund.canceled")
  }
  return <Badge tone={refundTones[refund.state]}>{names[refund.state]}</Badge>
}

const RefundActions = (
  { orderId, refund, visit }: {
    readonly visit: UserVisit
    readonly refund: Refund
    readonly orderId: OrderId
  }
) => {
  const say = sayOf(visit, adminOrdersText)
  if (!isUnanswered(refund)) return null
  const path = `/admin/orders/${orderId}/refunds/${refund.id}`
  if (!mayVisit(visit, path, "POST")) return null
  return (
    <div class="btn-list mt-2">
      {refund.provider === "stripe"
        ? (
          <PostForm visit={visit} action={`${path}/retry`}>
            <button type="submit" class="btn btn-sm">{say("refund.retry")}</button>
          </PostForm>
        )
        : null}
      <a class="btn btn-sm" href={path}>{say("refund.settle")}</a>
    </div>
  )
}

const RefundsCard = ({ record: { order, refunds }, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
  if (refunds.length === 0) return null
  return (
    <Card title={say("refunds")} class="mb-3">
      <DataTable
        caption={say("refunds")}
        columns={[
          { title: say("refund.amount"), number: true },
          { title: say("state") },
          { title: say("refund.note"), wide: true },
          { title: say("refund.at"), wide: true }
        ]}
        rows={refunds.map((refund) => [
          <span class="nowrap">{minorText(visit, refund.amountMinor, refund.currency)}</span>,
          <>
            <RefundBadge visit={visit} refund={refund} />
            {refund.problem === "" ? null : <div class="text-secondary small break-anywhere">{refund.problem}</div>}
            <RefundActions visit={visit} refund={refund} orderId={order.id} />
          </>,
          refund.key === null
            ? <span class="text-secondary">{say("refund.outside")}</span>
            : <span class="break-anywhere">{refund.note}</span>,
          <span class="nowrap">
            <Moment visit={visit} at={refund.createdAt} />
          </span>
        ])}
      />
    </Card>
  )
}

/** The words of a provider for people: `product_not_received` as `product not received`. */
const words = (text: string): string => text.replaceAll("_", " ")

const DisputesCard = ({ record: { disputes }, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
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
          <span class="nowrap">{minorText(visit, dispute.amountMinor, dispute.currency)}</span>,
          <span class="nowrap">{minorText(visit, dispute.takenMinor, dispute.currency)}</span>,
          <>
            <Badge tone={isOpen(dispute) ? "red" : "secondary"}>{words(dispute.status)}</Badge>
            <div class="text-secondary small break-anywhere">{words(dispute.reason)}</div>
            {dispute.dueAt === null || !isOpen(dispute)
              ? null
              : (
                <div class="small">
                  {say("dispute.due")}: <Moment visit={visit} at={dispute.dueAt} />
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
  const { record: { order }, visit } = props
  const say = sayOf(visit, adminOrdersText)
  return (
    <>
      <PageHeading
        title={say("order", { id: order.id.toString() })}
        lead={<StateBadge visit={visit} state={order.state} />}
      >
        <Actions {...props} />
      </PageHeading>
      <Done visit={visit} />
      <Details {...props} />
      <RefundsCard {...props} />
      <DisputesCard {...props} />
      <OrderTimeline {...props} />
    </>
  )
}
