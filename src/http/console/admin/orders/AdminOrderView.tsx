/**
 * One order as root sees it: what was ordered by whom, what can be done, what went back, and what happened.
 */
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import type { RefundRequest } from "../../../../orders/Refunds.ts"
import { orderText } from "../../text/OrderText.ts"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { methodName, orderName, StateBadge, TermsLines } from "../../ui/OrderParts.tsx"
import { Badge, Card, DataTable, Moment, PageHeading, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
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
    case "refund-done":
      return <Notice kind="success">{say("done.refunded")}</Notice>
    case "refund-failed":
      return <Notice kind="danger">{say("done.refund_failed")}</Notice>
    case "refund-unknown":
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
        ? <a class="btn btn-primary" href={`/admin/orders/${order.id}/complete`}>{say("complete")}</a>
        : null}
      {order.state === "pending"
        ? <a class="btn" href={`/admin/orders/${order.id}/cancel`}>{say("cancel")}</a>
        : null}
      {refundable !== undefined && refundable.leftMinor > 0n
        ? <a class="btn" href={`/admin/orders/${order.id}/refund`}>{say("refund")}</a>
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
        <dd>{sayOrder("days", { count: order.terms.duration_days })}</dd>
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

const refundTones: Readonly<Record<RefundRequest["state"], Tone>> = {
  requested: "blue",
  done: "green",
  failed: "red",
  unknown: "yellow"
}

const refundState = (visit: UserVisit, state: RefundRequest["state"]): string => {
  const say = sayOf(visit, adminOrdersText)
  return ({
    requested: say("refund.requested"),
    done: say("refund.done"),
    failed: say("refund.failed"),
    unknown: say("refund.unknown")
  })[state]
}

const RefundActions = (
  { isStripe, refund, visit }: {
    readonly visit: UserVisit
    readonly refund: RefundRequest
    readonly isStripe: boolean
  }
) => {
  const say = sayOf(visit, adminOrdersText)
  if (refund.state !== "requested" && refund.state !== "unknown") return null
  const path = `/admin/orders/${refund.orderId}/refunds/${refund.id}`
  return (
    <div class="btn-list mt-2">
      {isStripe
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

const RefundsCard = ({ record: { attempts, refunds }, visit }: RecordProps) => {
  const say = sayOf(visit, adminOrdersText)
  if (refunds.length === 0) return null
  const attemptOf = (refund: RefundRequest) => attempts.find(({ id }) => id === refund.attemptId)
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
          <span class="nowrap">{minorText(visit, refund.amountMinor, attemptOf(refund)?.currency ?? null)}</span>,
          <>
            <Badge tone={refundTones[refund.state]}>{refundState(visit, refund.state)}</Badge>
            {refund.problem === "" ? null : <div class="text-secondary small break-anywhere">{refund.problem}</div>}
            <RefundActions visit={visit} refund={refund} isStripe={attemptOf(refund)?.provider === "stripe"} />
          </>,
          <span class="break-anywhere">{refund.note}</span>,
          <span class="nowrap">
            <Moment visit={visit} at={refund.createdAt} />
          </span>
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
      <OrderTimeline {...props} />
    </>
  )
}
