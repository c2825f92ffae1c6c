/**
 * What pages show of an order: what it is for, its state, how it is paid, and lists of orders.
 */
import type { SoldPlan } from "../../../domain/Plan.ts"
import type { Order, OrderState } from "../../../orders/Order.ts"
import type { PaymentSource } from "../../../payments/PaymentFact.ts"
import { orderText } from "../text/OrderText.ts"
import { sayOf, type Visit } from "../Visit.ts"
import { Badge, DataTable, Moment, type Tone } from "./Parts.tsx"

const tones: Readonly<Record<OrderState, Tone>> = {
  pending: "blue",
  paid: "green",
  active: "green",
  cancelled: "secondary",
  expired: "secondary",
  refunded: "orange",
  disputed: "red"
}

export const stateName = (visit: Visit, state: OrderState): string => {
  const say = sayOf(visit, orderText)
  return ({
    pending: say("state.pending"),
    paid: say("state.paid"),
    active: say("state.active"),
    cancelled: say("state.cancelled"),
    expired: say("state.expired"),
    refunded: say("state.refunded"),
    disputed: say("state.disputed")
  })[state]
}

export const StateBadge = ({ state, visit }: { readonly visit: Visit; readonly state: OrderState }) => (
  <Badge tone={tones[state]}>{stateName(visit, state)}</Badge>
)

/** What an order is for, in words. */
export const orderName = (visit: Visit, order: Order): string => {
  const say = sayOf(visit, orderText)
  return order.terms === null ? say("kind.topup") : say("kind.subscription", { name: order.terms.name })
}

/** A way of paying, in words; gateways may offer others than these. */
export const methodName = (visit: Visit, provider: PaymentSource, method: string | null): string => {
  const say = sayOf(visit, orderText)
  if (provider === "manual") return say("method.manual")
  if (provider === "stripe") return say("method.stripe")
  if (method === "alipay") return say("method.alipay")
  if (method === "wxpay") return say("method.wxpay")
  return method ?? "EPay"
}

/** The limited windows of a plan, in words. Limits in micros, in the order of 5 hours, 1, 7 and 30 days; 0 for none. */
export const limitLines = (visit: Visit, limits: readonly [bigint, bigint, bigint, bigint]): ReadonlyArray<string> => {
  const say = sayOf(visit, orderText)
  const names = [say("window.5"), say("window.24"), say("window.168"), say("window.720")]
  const lines = limits.flatMap((limit, index) =>
    limit === 0n ? [] : [say("window.limit", { limit: visit.formats.usd(limit), window: names[index] ?? "" })]
  )
  return lines.length === 0 ? [say("window.none")] : lines
}

/** What a plan gives, line by line: its windows with their limits. */
export const TermsLines = ({ terms, visit }: { readonly visit: Visit; readonly terms: SoldPlan }) => (
  <>
    {limitLines(visit, [
      terms.limit5hMicros,
      terms.limit1dMicros,
      terms.limit7dMicros,
      terms.limit30dMicros
    ]).map((line) => <div key={line}>{line}</div>)}
  </>
)

/** The name of a window of so many hours. */
export const windowName = (visit: Visit, hours: number): string => {
  const say = sayOf(visit, orderText)
  if (hours === 5) return say("window.5")
  if (hours === 24) return say("window.24")
  return hours === 168 ? say("window.168") : say("window.720")
}

/** Where an order that waits is paid and every other one is looked at. */
export const orderPath = (order: Order): string =>
  order.state === "pending" ? `/pay/${order.kind}/${order.id}` : `/orders/${order.id}`

export const OrderTable = (
  { caption, orders, visit }: {
    readonly visit: Visit
    readonly caption: string
    readonly orders: ReadonlyArray<Order>
  }
) => {
  const say = sayOf(visit, orderText)
  return (
    <DataTable
      caption={caption}
      columns={[
        { title: say("order") },
        { title: say("what"), wide: true },
        { title: say("amount"), number: true },
        { title: say("credit"), number: true, wide: true },
        { title: say("state") },
        { title: say("placed"), wide: true }
      ]}
      rows={orders.map((order) => [
        <a href={orderPath(order)}>#{order.id.toString()}</a>,
        orderName(visit, order),
        visit.formats.cny(order.amountFen),
        order.kind === "topup" ? visit.formats.usd(order.creditMicros) : "–",
        <StateBadge visit={visit} state={order.state} />,
        <Moment visit={visit} at={order.createdAt} />
      ])}
    />
  )
}
