/**
 * The list of all orders with its filter.
 */
import { type FoundOrder, orderStates } from "../../../../orders/OrderSearch.ts"
import type { Page } from "../../Answer.ts"
import { amountColumn, type ItemColumn, type Listed, type ListFilter, listPage, timeColumn } from "../../kit/List.tsx"
import { OrderBadge, orderName, stateName } from "../../kit/Orders.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { dayFilters, daysWarning } from "../FilterDays.ts"
import { sourceFilter } from "../payments/EventParts.tsx"
import type { OrdersQuery } from "./OrdersQuery.ts"

const filterOf = (context: PageContext, { days, filter }: OrdersQuery): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "adminOrders")
  /** Two states have one name for buyers. */
  const nameOf = (state: typeof orderStates[number]) =>
    state === "paid" ? say("state.paid") : state === "active" ? say("state.active") : stateName(context, state)
  const states = orderStates.map((state) => [state, nameOf(state)] as const)
  const kinds = [["topup", say("topUp")], ["subscription", say("plan")]] as const
  return [
    { is: "text", name: "q", label: say("search"), value: filter.text },
    { is: "text", name: "user", label: say("user"), value: filter.user },
    { is: "choice", name: "state", label: say("state"), value: filter.state, options: states },
    { is: "choice", name: "kind", label: say("kind"), value: filter.kind, options: kinds },
    sourceFilter(context, say("paidWith"), filter.provider),
    ...dayFilters(context, days)
  ]
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<FoundOrder>> => {
  const say = sayOf(context, "order")
  return [
    {
      title: say("order"),
      cell: ({ email, order }) => (
        <>
          <a href={`/admin/orders/${order.id}`}>#{order.id.toString()}</a>
          <div class="d-md-none text-secondary small break-anywhere">{email}</div>
        </>
      )
    },
    {
      title: say("buyer"),
      wide: true,
      cell: ({ email, order }) => <a class="break-anywhere" href={`/admin/users/${order.userId}`}>{email}</a>
    },
    { title: say("what"), wide: true, cell: ({ order }) => orderName(context, order) },
    amountColumn(say("amount"), ({ order }) => context.formats.cny(order.amountFen)),
    { title: say("state"), cell: ({ order }) => <OrderBadge context={context} state={order.state} /> },
    timeColumn(context, say("placed"), ({ order }) => order.createdAt)
  ]
}

export const ordersPage = (context: PageContext, query: OrdersQuery, orders: Listed<FoundOrder>): Page => {
  const say = sayOf(context, "adminOrders")
  return listPage({
    context,
    path: "/admin/orders",
    title: say("orders"),
    lead: say("lead"),
    warning: daysWarning(context, query.days),
    filter: filterOf(context, query),
    ...orders,
    cursor: { name: "before", of: ({ order }) => order.id },
    columns: columnsOf(context),
    empty: { icon: "order", title: say("none") }
  })
}
