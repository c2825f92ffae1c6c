/**
 * The list of all orders with its filter.
 */
import { type FoundOrder, orderStates } from "../../../../orders/OrderSearch.ts"
import { List } from "../../kit/List.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { orderName, StateBadge, stateName } from "../../ui/OrderParts.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { sourceName } from "../payments/EventParts.tsx"
import { type OrdersQuery, sources } from "./OrdersQuery.ts"

export const AdminOrdersView = (
  { hasOlder, orders, query: { days, filter }, context }: {
    readonly context: PageContext
    readonly query: OrdersQuery
    readonly orders: ReadonlyArray<FoundOrder>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(context, "adminOrders")
  const sayOrder = sayOf(context, "order")
  /** Two states have one name for buyers. */
  const nameOf = (state: typeof orderStates[number]) =>
    state === "paid" ? say("state.paid") : state === "active" ? say("state.active") : stateName(context, state)
  return (
    <>
      <PageHeading title={say("orders")} lead={say("lead")} />
      {days.isRefused ? <Notice kind="warning">{say("days.problem")}</Notice> : null}
      <List
        context={context}
        path="/admin/orders"
        caption={say("orders")}
        items={orders}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ order }) => order.id }}
        filter={[
          { is: "text", name: "q", label: say("search"), value: filter.text },
          { is: "text", name: "user", label: say("user"), value: filter.user },
          {
            is: "choice",
            name: "state",
            label: say("state"),
            value: filter.state,
            options: orderStates.map((state) => [state, nameOf(state)])
          },
          {
            is: "choice",
            name: "kind",
            label: say("kind"),
            value: filter.kind,
            options: [["topup", say("topUp")], ["subscription", say("kind.subscription")]]
          },
          {
            is: "choice",
            name: "provider",
            label: say("provider"),
            value: filter.provider,
            options: sources.map((source) => [source, sourceName(context, source)])
          },
          { is: "day", name: "from", label: say("from"), value: days.from },
          { is: "day", name: "to", label: say("to"), value: days.to }
        ]}
        empty={{ icon: "order", title: say("none") }}
        columns={[
          {
            title: sayOrder("order"),
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
          { title: sayOrder("what"), wide: true, cell: ({ order }) => orderName(context, order) },
          {
            title: sayOrder("amount"),
            number: true,
            cell: ({ order }) => <span class="nowrap">{context.formats.cny(order.amountFen)}</span>
          },
          { title: sayOrder("state"), cell: ({ order }) => <StateBadge context={context} state={order.state} /> },
          {
            title: sayOrder("placed"),
            wide: true,
            cell: ({ order }) => (
              <span class="nowrap">
                <Moment context={context} at={order.createdAt} />
              </span>
            )
          }
        ]}
      />
    </>
  )
}
