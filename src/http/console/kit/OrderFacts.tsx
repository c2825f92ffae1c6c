/**
 * What is known of an order, as the user who placed it sees it.
 */
import type { Order } from "../../../orders/Order.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { orderName, StateBadge, TermsLines } from "../ui/OrderParts.tsx"
import { Moment } from "../ui/Parts.tsx"
import type { Fact } from "./Facts.tsx"

export const orderFacts = (context: PageContext, order: Order): ReadonlyArray<Fact> => {
  const say = sayOf(context, "order")
  const { terms } = order
  const gives: ReadonlyArray<Fact> = terms === null
    ? [[say("credit"), context.formats.usd(order.creditMicros)]]
    : [
      [say("period"), say("days", { count: terms.durationDays })],
      [say("limits"), <TermsLines context={context} terms={terms} />]
    ]
  return [
    [say("what"), orderName(context, order)],
    ...gives,
    [say("amount"), <strong>{context.formats.cny(order.amountFen)}</strong>],
    [say("state"), <StateBadge context={context} state={order.state} />],
    [say("placed"), <Moment context={context} at={order.createdAt} />]
  ]
}
