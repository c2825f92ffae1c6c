/**
 * `/orders`: what a user has ordered, page by page, and each order's receipt.
 */
import { Effect } from "effect"
import { OrderId } from "../../../../domain/Ids.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { notFound, page } from "../../Answer.ts"
import { routes, userPage } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/Listed.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { OrdersView, receiptTitle, ReceiptView } from "./OrdersView.tsx"

const PAGE_SIZE = 25

const list = Effect.fnUntraced(function*(context: UserContext) {
  const orders = yield* Orders
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => orders.list(context.user.id, range))
  return page(sayOf(context, "orders")("orders"), OrdersView({ context, ...found }))
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const view = yield* (yield* Orders).show(id, context.user.id).pipe(Effect.catchTag("OrderNotFound", notFound))
  const site = new URL((yield* PublicAddress).url()).host
  return page(receiptTitle(context, view.order), ReceiptView({ context, view, site }))
})

export const OrdersRoutes = routes(userPage("/orders", list), userPage("/orders/:id", receipt))
