/**
 * A payment at a glance, for somebody who decides on it: what came in beside what was asked for, the difference, what the buyer has got
 * for it, and what else came in and was said.
 */
import type { ComponentChildren } from "preact"
import { differenceOf } from "../../../../events/EventActions.ts"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import type { PaymentReview } from "../../../../events/PaymentReviews.ts"
import { isFulfilled, type Order } from "../../../../orders/Order.ts"
import { givenMicros, type Payment } from "../../../../orders/Payments.ts"
import { amountColumn, TableCard, timeColumn } from "../../kit/List.tsx"
import { methodName, OrderBadge, orderName } from "../../kit/Orders.tsx"
import { type Fact, FactsCard, Figures, Moment, Small, StateBadge } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { refundStates } from "../orders/AdminOrder.tsx"
import { balanceText } from "./EffectText.ts"
import {
  DisputeBadge,
  factName,
  minorText,
  OutcomeBadge,
  paymentStates,
  plainWords,
  reasonFor,
  sourceName
} from "./EventParts.tsx"

export interface ReviewProps {
  readonly context: PageContext
  readonly review: PaymentReview
}

const Code = ({ text }: { readonly text: string | null }) =>
  text === null ? <>–</> : <code class="break-anywhere">{text}</code>

/** A payment's number, and where root sees it at Stripe. */
const PaymentId = ({ payment, provider, context }: {
  readonly context: PageContext
  readonly payment: string | null
  readonly provider: string
}) => (
  <>
    <Code text={payment} />
    {provider === "stripe" && payment !== null && /^pi_\w+$/.test(payment)
      ? (
        <a
          class="ms-2 text-decoration-underline"
          href={`https://dashboard.stripe.com/payments/${payment}`}
          target="_blank"
          rel="noreferrer"
        >
          {sayOf(context, "payments")("provider.page")}
        </a>
      )
      : null}
  </>
)

/** An order by its number, with its state. */
const OrderLink = ({ order: { id, state }, context }: {
  readonly context: PageContext
  readonly order: Pick<Order, "id" | "state">
}) => (
  <>
    <a href={`/admin/orders/${id}`}>{sayOf(context, "payments")("orderNumber", { id: id.toString() })}</a>{" "}
    <OrderBadge context={context} state={state} />
  </>
)

const gotText = ({ review: { asked, otherPayments, payment }, context }: ReviewProps): string => {
  const say = sayOf(context, "payments")
  const micros = givenMicros(payment === undefined ? otherPayments : [payment, ...otherPayments])
  const plan = asked !== undefined && asked.order.terms !== null && isFulfilled(asked.order.state)
    ? [orderName(context, asked.order)]
    : []
  const parts = [...plan, ...(micros > 0n ? [context.formats.usd(micros)] : [])]
  return parts.length === 0 ? say("got.nothing") : parts.join(", ")
}

const difference = ({ review, context }: ReviewProps): { readonly value: string; readonly hint: string } => {
  const say = sayOf(context, "payments")
  const found = differenceOf(review)
  switch (found?._tag) {
    case undefined:
      return { value: "–", hint: say("difference.unknown") }
    case "Currency":
      return {
        value: `${found.asked.toUpperCase()} ≠ ${found.paid.toUpperCase()}`,
        hint: say("difference.currency")
      }
    case "Amount": {
      const hint = found.minor === 0n ? "difference.none" : found.minor > 0n ? "difference.more" : "difference.less"
      const sign = found.minor > 0n ? "+" : ""
      return { value: `${sign}${minorText(context, found.minor, found.currency)}`, hint: say(hint) }
    }
  }
}

/** The four figures that a decision rests on. */
export const Glance = (props: ReviewProps) => {
  const { review: { asked, balance, event }, context } = props
  const say = sayOf(context, "payments")
  const { attempt, order } = asked ?? {}
  return (
    <Figures
      figures={[
        {
          label: say("came"),
          value: minorText(context, event.amountMinor, event.currency),
          hint: `${sourceName(context, event.provider)}, ${factName(context, event.fact)}`
        },
        {
          label: say("asked"),
          value: attempt === undefined ? "–" : minorText(context, attempt.amountMinor, attempt.currency),
          hint: order === undefined ? say("asked.nothing") : <OrderLink context={context} order={order} />
        },
        { label: say("difference"), ...difference(props) },
        {
          label: say("got"),
          value: gotText(props),
          hint: balance === undefined
            ? say("got.nobody")
            : say("balance.now", { amount: balanceText(context, balance) })
        }
      ]}
    />
  )
}

export const CameIn = ({ review: { event, payment }, context }: ReviewProps) => {
  const say = sayOf(context, "payments")
  const reason = reasonFor(context, event)
  const state = payment === undefined ? null : <StateBadge say={say} states={paymentStates} state={payment.state} />
  return (
    <FactsCard
      title={say("came")}
      facts={[
        reason === "" ? null : [say("why"), <strong class="break-anywhere">{reason}</strong>],
        [say("says"), `${sourceName(context, event.provider)}: ${factName(context, event.fact)}`],
        [say("amount"), minorText(context, event.amountMinor, event.currency)],
        [say("payment"), <PaymentId context={context} payment={event.payment} provider={event.provider} />],
        state === null ? null : [say("payment.state"), state],
        [say("reference"), <Code text={event.reference} />],
        [say("kind"), <Code text={event.kind} />],
        [say("received"), <Moment context={context} at={event.receivedAt} />],
        [say("deliveries"), context.formats.count(event.deliveries)]
      ]}
    />
  )
}

const orderFacts = ({ review: { asked }, context }: ReviewProps): ReadonlyArray<Fact> => {
  const say = sayOf(context, "payments")
  if (asked === undefined) return [[say("order"), say("asked.nothing")]]
  const { attempt, order } = asked
  return [
    [say("order"), <OrderLink context={context} order={order} />],
    [say("ordered"), orderName(context, order)],
    [say("price"), context.formats.cny(order.amountFen)],
    order.terms === null ? [say("gives"), context.formats.usd(order.creditMicros)] : null,
    attempt === undefined ? null : [
      say("askedWith"),
      `${methodName(context, attempt.provider, attempt.method)}, ${
        minorText(context, attempt.amountMinor, attempt.currency)
      }`
    ],
    [sayOf(context, "order")("placed"), <Moment context={context} at={order.createdAt} />]
  ]
}

export const AskedFor = (props: ReviewProps) => {
  const { review: { balance, buyer }, context } = props
  const say = sayOf(context, "payments")
  return (
    <FactsCard
      title={say("asked")}
      facts={[
        ...orderFacts(props),
        buyer === undefined
          ? null
          : [say("buyer"), <a class="break-anywhere" href={`/admin/users/${buyer.id}`}>{buyer.email}</a>],
        balance === undefined ? null : [say("balance"), balanceText(context, balance)],
        [say("got"), gotText(props)]
      ]}
    />
  )
}

/** What else came in for the order. */
const OtherPayments = ({ review: { otherPayments }, context }: ReviewProps) => {
  const say = sayOf(context, "payments")
  return (
    <TableCard<Payment>
      title={say("others")}
      items={otherPayments}
      columns={[
        {
          title: say("payment"),
          cell: ({ payment, provider }) => (
            <>
              <PaymentId context={context} payment={payment} provider={provider} />
              <Small>{sourceName(context, provider)}</Small>
            </>
          )
        },
        amountColumn(say("amount"), ({ currency, paidMinor }) => minorText(context, paidMinor, currency)),
        { title: say("state"), cell: ({ state }) => <StateBadge say={say} states={paymentStates} state={state} /> },
        amountColumn(
          say("credited"),
          ({ creditedMicros }) => creditedMicros === null ? "–" : context.formats.usd(creditedMicros)
        )
      ]}
    />
  )
}

interface Returned {
  readonly what: string
  readonly amount: string
  readonly state: ComponentChildren
  readonly note: string
  readonly at: Date
}

/** What went back of the payment, by refunds and disputes alike. */
const Returns = ({ review: { disputes, refunds }, context }: ReviewProps) => {
  const say = sayOf(context, "payments")
  const items: ReadonlyArray<Returned> = [
    ...refunds.map(({ amountMinor, createdAt, currency, note, state }) => ({
      what: say("refund"),
      amount: minorText(context, amountMinor, currency),
      state: <StateBadge say={sayOf(context, "adminOrders")} states={refundStates} state={state} />,
      note,
      at: createdAt
    })),
    ...disputes.map(({ currency, reason, status, takenMinor, updatedAt }) => ({
      what: factName(context, "Dispute"),
      amount: minorText(context, takenMinor, currency),
      state: <DisputeBadge status={status} />,
      note: plainWords(reason),
      at: updatedAt
    }))
  ]
  return (
    <TableCard<Returned>
      title={say("returns")}
      items={items}
      columns={[
        {
          title: say("returns.what"),
          cell: ({ note, what }) => (
            <>
              {what}
              <Small>{note}</Small>
            </>
          )
        },
        amountColumn(say("amount"), ({ amount }) => amount),
        { title: say("state"), cell: ({ state }) => state },
        timeColumn(context, say("time"), ({ at }) => at)
      ]}
    />
  )
}

const OtherEvents = ({ review: { otherEvents }, context }: ReviewProps) => {
  const say = sayOf(context, "payments")
  return (
    <TableCard<EventItem>
      title={say("events.others")}
      items={otherEvents}
      columns={[
        {
          title: say("event"),
          cell: (event) => (
            <>
              <a href={`/admin/payments/${event.id}`}>#{event.id.toString()} {factName(context, event.fact)}</a>
              <Small>{reasonFor(context, event)}</Small>
            </>
          )
        },
        amountColumn(say("amount"), ({ amountMinor, currency }) => minorText(context, amountMinor, currency)),
        { title: say("outcome"), cell: (event) => <OutcomeBadge context={context} event={event} /> },
        timeColumn(context, say("received"), ({ receivedAt }) => receivedAt)
      ]}
    />
  )
}

/** Everything else that is on record about it, below the decision. */
export const Record = (props: ReviewProps) => (
  <>
    <OtherPayments {...props} />
    <Returns {...props} />
    <OtherEvents {...props} />
  </>
)
