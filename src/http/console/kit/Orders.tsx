/**
 * What pages show of an order: what it is for, its state and how it is paid; and a table of orders, as the user who placed them sees it.
 */
import type { SoldPlan } from "../../../domain/Plan.ts"
import type { Order, OrderState } from "../../../orders/Order.ts"
import type { PaymentSource } from "../../../payments/PaymentFact.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import type { IconName } from "./Icon.tsx"
import { amountColumn, type ItemColumn, timeColumn } from "./List.tsx"
import { Badge, type Fact, Moment, type Tone } from "./Parts.tsx"

const tones: Readonly<Record<OrderState, Tone>> = {
  pending: "blue",
  paid: "green",
  active: "green",
  cancelled: "secondary",
  expired: "secondary",
  refunded: "orange",
  disputed: "red"
}

export const stateName = (context: PageContext, state: OrderState): string => {
  const say = sayOf(context, "order")
  return ({
    pending: say("state.pending"),
    paid: say("state.paid"),
    active: say("state.active"),
    cancelled: say("cancelled"),
    expired: say("expired"),
    refunded: say("state.refunded"),
    disputed: say("state.disputed")
  })[state]
}

export const OrderBadge = ({ state, context }: { readonly context: PageContext; readonly state: OrderState }) => (
  <Badge tone={tones[state]}>{stateName(context, state)}</Badge>
)

/** What an order is for, in words. */
export const orderName = (context: PageContext, order: Order): string => {
  const say = sayOf(context, "order")
  return order.terms === null ? say("topUp") : say("kind.subscription", { name: order.terms.name })
}

/** A way of paying, in words; gateways may offer others than these. */
export const methodName = (context: PageContext, provider: PaymentSource, method: string | null): string => {
  const say = sayOf(context, "order")
  if (provider === "manual") return say("method.manual")
  if (provider === "stripe") return say("method.stripe")
  if (method === "alipay") return say("method.alipay")
  if (method === "wxpay") return say("method.wxpay")
  return method ?? say("epay")
}

/** The mark of a way of paying; gateways may offer others than these. */
export const methodIcon = (provider: PaymentSource, method: string | null): IconName => {
  if (provider === "stripe") return "card"
  if (method === "alipay") return "alipay"
  return method === "wxpay" ? "wechat" : "topup"
}

/** What a top-up credits, and how much of that is a bonus. */
export const creditText = (context: PageContext, { bonusMicros, creditMicros }: Order): string => {
  const { usd } = context.formats
  return bonusMicros === 0n
    ? usd(creditMicros)
    : sayOf(context, "order")("credit.bonus", { credit: usd(creditMicros), bonus: usd(bonusMicros) })
}

/** The limited windows of a plan, in words. Limits in micros, in the order of 5 hours, 1, 7 and 30 days; 0 for none. */
export const limitLines = (
  context: PageContext,
  limits: readonly [bigint, bigint, bigint, bigint]
): ReadonlyArray<string> => {
  const say = sayOf(context, "order")
  const names = [say("window.5"), say("window.24"), say("range.7"), say("range.30")]
  const lines = limits.flatMap((limit, index) =>
    limit === 0n ? [] : [say("window.limit", { limit: context.formats.usd(limit), window: names[index] ?? "" })]
  )
  return lines.length === 0 ? [say("noSpendingLimit")] : lines
}

/** What a plan gives, line by line: its windows with their limits. */
export const TermsLines = ({ terms, context }: { readonly context: PageContext; readonly terms: SoldPlan }) => (
  <>
    {limitLines(context, [
      terms.limit5hMicros,
      terms.limit1dMicros,
      terms.limit7dMicros,
      terms.limit30dMicros
    ]).map((line) => <div key={line}>{line}</div>)}
  </>
)

/** The name of a window of so many hours. */
export const windowName = (context: PageContext, hours: number): string => {
  const say = sayOf(context, "order")
  if (hours === 5) return say("window.5")
  if (hours === 24) return say("window.24")
  return hours === 168 ? say("range.7") : say("range.30")
}

/** Where an order that waits is paid and every other one is looked at. */
export const orderPath = (order: Order): string =>
  order.state === "pending" ? `/pay/${order.kind}/${order.id}` : `/orders/${order.id}`

export const orderColumns = (context: PageContext): ReadonlyArray<ItemColumn<Order>> => {
  const say = sayOf(context, "order")
  const { cny, usd } = context.formats
  const creditOf = ({ creditMicros, kind }: Order) => kind === "topup" ? usd(creditMicros) : "–"
  return [
    { title: say("order"), cell: (order) => <a href={orderPath(order)}>#{order.id.toString()}</a> },
    { title: say("what"), wide: true, cell: (order) => orderName(context, order) },
    amountColumn(say("amount"), ({ amountFen }) => cny(amountFen)),
    { ...amountColumn(say("credit"), creditOf), wide: true },
    { title: say("state"), cell: ({ state }) => <OrderBadge context={context} state={state} /> },
    timeColumn(context, say("placed"), ({ createdAt }) => createdAt)
  ]
}

export const orderFacts = (context: PageContext, order: Order): ReadonlyArray<Fact> => {
  const say = sayOf(context, "order")
  const { terms } = order
  const gives: ReadonlyArray<Fact> = terms === null
    ? [[say("credit"), creditText(context, order)]]
    : [
      [say("period"), say("days", { count: terms.durationDays })],
      [say("limits"), <TermsLines context={context} terms={terms} />]
    ]
  return [
    [say("what"), orderName(context, order)],
    ...gives,
    [say("amount"), <strong>{context.formats.cny(order.amountFen)}</strong>],
    [say("state"), <OrderBadge context={context} state={order.state} />],
    [say("placed"), <Moment context={context} at={order.createdAt} />]
  ]
}
