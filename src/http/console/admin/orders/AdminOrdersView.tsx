/**
 * The list of all orders with its filter.
 */
import { type FoundOrder, orderStates } from "../../../../orders/OrderSearch.ts"
import { orderText } from "../../text/OrderText.ts"
import { FilterChoice, FilterDay, FilterText } from "../../ui/FilterParts.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { orderName, StateBadge, stateName } from "../../ui/OrderParts.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { sourceName } from "../payments/EventParts.tsx"
import { adminOrdersText } from "./AdminOrdersText.ts"
import { ordersPath, type OrdersQuery, sources } from "./OrdersQuery.ts"

const Filter = (
  { query: { days, filter, isFiltered }, visit }: { readonly visit: Visit; readonly query: OrdersQuery }
) => {
  const say = sayOf(visit, adminOrdersText)
  /** Two states have one name for buyers. */
  const nameOf = (state: typeof orderStates[number]) =>
    state === "paid" ? say("state.paid") : state === "active" ? say("state.active") : stateName(visit, state)
  return (
    <form method="get" action="/admin/orders" class="card-body border-bottom row g-2 align-items-end m-0">
      <FilterText name="q" label={say("search")} value={filter.text ?? ""} />
      <FilterText name="user" label={say("user")} value={filter.user ?? ""} />
      <FilterChoice
        name="state"
        label={say("state")}
        all={say("all")}
        chosen={filter.state}
        options={orderStates.map((state) => [state, nameOf(state)])}
      />
      <FilterChoice
        name="kind"
        label={say("kind")}
        all={say("all")}
        chosen={filter.kind}
        options={[["topup", say("kind.topup")], ["subscription", say("kind.subscription")]]}
      />
      <FilterChoice
        name="provider"
        label={say("provider")}
        all={say("all")}
        chosen={filter.provider}
        options={sources.map((source) => [source, sourceName(visit, source)])}
      />
      <FilterDay name="from" label={say("from")} value={days.from} />
      <FilterDay name="to" label={say("to")} value={days.to} />
      <div class="col-12 col-lg-auto btn-list">
        <button class="btn" type="submit">{say("filter")}</button>
        {isFiltered ? <a class="btn btn-ghost-secondary" href="/admin/orders">{say("clear")}</a> : null}
      </div>
    </form>
  )
}

const Table = ({ orders, visit }: { readonly visit: Visit; readonly orders: ReadonlyArray<FoundOrder> }) => {
  const say = sayOf(visit, adminOrdersText)
  const sayOrder = sayOf(visit, orderText)
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: sayOrder("order") },
        { title: say("buyer"), wide: true },
        { title: sayOrder("what"), wide: true },
        { title: sayOrder("amount"), number: true },
        { title: sayOrder("state") },
        { title: sayOrder("placed"), wide: true }
      ]}
      rows={orders.map(({ email, order }) => [
        <>
          <a href={`/admin/orders/${order.id}`}>#{order.id.toString()}</a>
          <div class="d-md-none text-secondary small break-anywhere">{email}</div>
        </>,
        <a class="break-anywhere" href={`/admin/users/${order.userId}`}>{email}</a>,
        orderName(visit, order),
        <span class="nowrap">{visit.formats.cny(order.amountFen)}</span>,
        <StateBadge visit={visit} state={order.state} />,
        <span class="nowrap">
          <Moment visit={visit} at={order.createdAt} />
        </span>
      ])}
    />
  )
}

export const AdminOrdersView = (
  { hasOlder, orders, query, visit }: {
    readonly visit: Visit
    readonly query: OrdersQuery
    readonly orders: ReadonlyArray<FoundOrder>
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(visit, adminOrdersText)
  const last = orders.at(-1)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      {query.days.isRefused ? <Notice kind="warning">{say("days.problem")}</Notice> : null}
      <Card>
        <Filter visit={visit} query={query} />
        {orders.length === 0
          ? <Nothing icon="order" title={say("none")} />
          : <Table visit={visit} orders={orders} />}
        <Pager
          newest={visit.query.has("before") ? { href: ordersPath(query), text: say("newest") } : undefined}
          older={hasOlder && last !== undefined
            ? { href: ordersPath(query, { before: last.order.id.toString() }), text: say("older") }
            : undefined}
        />
      </Card>
    </>
  )
}
