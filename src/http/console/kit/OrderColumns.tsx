/**
 * The columns of a table of orders, as the user who placed them sees it.
 */
import type { Order } from "../../../orders/Order.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { orderName, orderPath, StateBadge } from "../ui/OrderParts.tsx"
import { amountColumn, timeColumn } from "./Columns.tsx"
import type { ItemColumn } from "./ItemTable.tsx"

export const orderColumns = (context: PageContext): ReadonlyArray<ItemColumn<Order>> => {
  const say = sayOf(context, "order")
  const { cny, usd } = context.formats
  const creditText = ({ creditMicros, kind }: Order) => kind === "topup" ? usd(creditMicros) : "–"
  return [
    { title: say("order"), cell: (order) => <a href={orderPath(order)}>#{order.id.toString()}</a> },
    { title: say("what"), wide: true, cell: (order) => orderName(context, order) },
    amountColumn(say("amount"), ({ amountFen }) => cny(amountFen)),
    { ...amountColumn(say("credit"), creditText), wide: true },
    { title: say("state"), cell: ({ state }) => <StateBadge context={context} state={state} /> },
    timeColumn(context, say("placed"), ({ createdAt }) => createdAt)
  ]
}
