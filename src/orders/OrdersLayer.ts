/**
 * The folder's layer: orders, their payment and their refunds. Needs a `Settlement`, which knows what a payment settles.
 */
import { Layer } from "effect"
import { Checkout } from "./Checkout.ts"
import { Connections } from "./Connections.ts"
import { Orders } from "./Orders.ts"
import { OrderReceipts } from "./OrderReceipts.ts"
import { OrderSearch } from "./OrderSearch.ts"
import { Refunds } from "./Refunds.ts"
import { CheckoutSessions } from "./CheckoutSessions.ts"

export const OrdersLayer = Layer.mergeAll(
  Checkout.layer,
  Connections.layer,
  OrderReceipts.layer,
  OrderSearch.layer,
  Refunds.layer
).pipe(
  Layer.provideMerge(Orders.layer),
  Layer.provideMerge(CheckoutSessions.layer)
)
