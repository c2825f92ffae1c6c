/**
 * `/admin/orders`: the orders of all users, and all there is to know of one.
 */
import { Effect, Layer } from "effect"
import { OrderId } from "../../../../domain/Ids.ts"
import { OrderHistory } from "../../../../events/OrderHistory.ts"
import { OrderSearch } from "../../../../orders/OrderSearch.ts"
import { page, PageNotFound } from "../../Answer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { AdminOrdersView } from "./AdminOrdersView.tsx"
import { AdminOrderView } from "./AdminOrderView.tsx"
import { readOrdersQuery } from "./OrdersQuery.ts"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const query = readOrdersQuery(context)
  const range = { limit: PAGE_SIZE + 1, before: idOf(context.query.get("before")) }
  const found = yield* (yield* OrderSearch).list(query.filter, range)
  const orders = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(context, "adminOrders")("orders"),
    AdminOrdersView({ context, query, orders, hasOlder: found.length > PAGE_SIZE })
  )
})

/** The order of the `:id` in the route of the request at hand. */
export const theOrder = Effect.gen(function*() {
  return yield* (yield* OrderHistory).show(yield* pathId("id", OrderId))
}).pipe(Effect.catchTag("OrderNotFound", () => Effect.fail(new PageNotFound())))

const show = (context: UserContext) =>
  Effect.map(theOrder, (record) =>
    page(
      sayOf(context, "adminOrders")("orderNumber", { id: record.order.id.toString() }),
      AdminOrderView({ context, record })
    ))

export const AdminOrdersRoutes = Layer.mergeAll(
  adminPage("/admin/orders", list),
  adminPage("/admin/orders/:id", show)
)
