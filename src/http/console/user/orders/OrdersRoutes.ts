/**
 * `/orders`: what a user has ordered, page by page, and each order's receipt.
 */
import { Effect, Layer } from "effect"
import { OrderId } from "../../../../domain/Ids.ts"
import { isFulfilled } from "../../../../orders/Order.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { page, PageNotFound } from "../../Answer.ts"
import { userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { OrdersView, ReceiptView } from "./OrdersView.tsx"

const PAGE_SIZE = 25

const list = Effect.fnUntraced(function*(context: UserContext) {
  const before = idOf(context.query.get("before"))
  const found = yield* (yield* Orders).list(context.user.id, { limit: PAGE_SIZE + 1, before })
  const orders = found.slice(0, PAGE_SIZE)
  return page(
    sayOf(context, "orders")("orders"),
    OrdersView({ context, orders, hasOlder: found.length > PAGE_SIZE, isFirst: before === undefined })
  )
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const view = yield* (yield* Orders).show(id, context.user.id).pipe(
    Effect.catchTag("OrderNotFound", () => Effect.fail(new PageNotFound()))
  )
  const title = sayOf(context, "orders")(isFulfilled(view.order.state) ? "receipt" : "order", { id: id.toString() })
  const site = new URL((yield* PublicAddress).url()).host
  return page(title, ReceiptView({ context, view, site }))
})

export const OrdersRoutes = Layer.mergeAll(userPage("/orders", list), userPage("/orders/:id", receipt))
