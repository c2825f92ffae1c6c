/**
 * The list of all orders with its filter.
 */
import { type FoundOrder, orderStates } from "../../../../orders/OrderSearch.ts"
import { List } from "../../kit/List.tsx"
import { orderText } from "../../text/OrderText.ts"
import { Notice } from "../../ui/Forms.tsx"
import { orderName, StateBadge, stateName } from "../../ui/OrderParts.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { sourceName } from "../payments/EventParts.tsx"
import { adminOrdersText } from "./AdminOrdersText.ts"
import { type OrdersQuery, sources } from "./OrdersQuery.ts"

export const AdminOrdersView = (
  { hasOlder, orders, query: { days, filter }, visit }: {
    readonly visit: Visit
    readonly query: OrdersQuery
    readonly orders: ReadonlyArray<FoundOrder>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(visit, adminOrdersText)
  const sayOrder = sayOf(visit, orderText)
  /** Two states have one name for buyers. */
  const nameOf = (state: typeof orderStates[number]) =>
    state === "paid" ? say("state.paid") : state === "active" ? say("state.active") : stateName(visit, state)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      {days.isRefused ? <Notice kind="warning">{say("days.problem")}</Notice> : null}
      <List
        visit={visit}
        path="/admin/orders"
        caption={say("title")}
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
            options: [["topup", say("kind.topup")], ["subscription", say("kind.subscription")]]
          },
          {
            is: "choice",
            name: "provider",
            label: say("provider"),
            value: filter.provider,
            options: sources.map((source) => [source, sourceName(visit, source)])
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
          { title: sayOrder("what"), wide: true, cell: ({ order }) => orderName(visit, order) },
          {
            title: sayOrder("amount"),
            number: true,
            cell: ({ order }) => <span class="nowrap">{visit.formats.cny(order.amountFen)}</span>
          },
          { title: sayOrder("state"), cell: ({ order }) => <StateBadge visit={visit} state={order.state} /> },
          {
            title: sayOrder("placed"),
            wide: true,
            cell: ({ order }) => (
              <span class="nowrap">
                <Moment visit={visit} at={order.createdAt} />
              </span>
            )
          }
        ]}
      />
    </>
  )
}
