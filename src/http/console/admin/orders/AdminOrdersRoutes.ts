/**
 * `/admin/orders`: the orders of all users, and all there is to know of one.
 */
import { Effect } from "effect"
import { OrderId } from "../../../../domain/Ids.ts"
import { OrderHistory } from "../../../../events/OrderHistory.ts"
import { OrderSearch } from "../../../../orders/OrderSearch.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { orNotFound } from "../../NotThere.ts"
import type { UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { ordersPage } from "./AdminOrdersView.tsx"
import { orderPage } from "./AdminOrderView.tsx"
import { readOrdersQuery } from "./OrdersQuery.ts"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const query = readOrdersQuery(context)
  const orders = yield* OrderSearch
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => orders.list(query.filter, range))
  return ordersPage(context, query, found)
})

/** The order of the `:id` in the route of the request at hand. */
export const theOrder = Effect.gen(function*() {
  return yield* (yield* OrderHistory).show(yield* pathId("id", OrderId))
}).pipe(orNotFound)

export const AdminOrdersRoutes = routes(
  adminPage("/admin/orders", list),
  adminPage("/admin/orders/:id", (context) => Effect.map(theOrder, (record) => orderPage({ context, record })))
)
