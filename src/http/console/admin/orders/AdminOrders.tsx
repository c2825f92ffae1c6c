/**
 * `/admin/orders`: the orders of all users with their filter.
 */
import { Effect } from "effect"
import { type FoundOrder, OrderSearch, orderStates } from "../../../../orders/OrderSearch.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { amountColumn, type ItemColumn, readListPage, timeColumn } from "../../kit/List.tsx"
import { OrderBadge, orderName, stateName } from "../../kit/Orders.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { dayFilters, daysWarning, readSearch } from "../FilterDays.ts"
import { sourceFilter, sources } from "../payments/EventParts.tsx"
import { OrderRoutes } from "./AdminOrder.tsx"

/** Two states have one name for buyers. */
const nameOf = (context: PageContext, state: typeof orderStates[number]): string => {
  const say = sayOf(context, "adminOrders")
  return state === "paid" ? say("state.paid") : state === "active" ? say("state.active") : stateName(context, state)
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

const list = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "adminOrders")
  const choices = { state: orderStates, kind: ["topup", "subscription"], provider: sources } as const
  const { days, filter } = readSearch(context, choices)
  const states = orderStates.map((state) => [state, nameOf(context, state)] as const)
  const kinds = [["topup", say("topUp")], ["subscription", say("plan")]] as const
  const orders = yield* OrderSearch
  return yield* readListPage({
    context,
    read: (range) => orders.list(filter, range),
    path: "/admin/orders",
    title: say("orders"),
    lead: say("lead"),
    warning: daysWarning(context, days),
    filter: [
      { is: "text", name: "q", label: say("search"), value: filter.text },
      { is: "text", name: "user", label: say("user"), value: filter.user },
      { is: "choice", name: "state", label: say("state"), value: filter.state, options: states },
      { is: "choice", name: "kind", label: say("kind"), value: filter.kind, options: kinds },
      sourceFilter(context, say("paidWith"), filter.provider),
      ...dayFilters(context, days)
    ],
    cursor: { name: "before", of: ({ order }) => order.id },
    columns: columnsOf(context),
    empty: { icon: "order", title: say("none") }
  })
})

export const AdminOrdersRoutes = routes(adminPage("/admin/orders", list), OrderRoutes)
