/**
 * `/orders`: what a user has ordered, page by page, and each order as a receipt that prints well, on a page and as a PDF.
 */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { OrderId } from "../../../domain/Ids.ts"
import { isFulfilled, type Order } from "../../../orders/Order.ts"
import { OrderReceipts } from "../../../orders/OrderReceipts.ts"
import { Orders } from "../../../orders/Orders.ts"
import { Pdfs } from "../../../platform/Pdfs.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import type { Sheet } from "../../../platform/Sheet.ts"
import { notFound, page, PageNotFound, raw } from "../Answer.ts"
import { routes, userPage } from "../ConsoleRoute.ts"
import { Icon } from "../kit/Icon.tsx"
import { byId, readListPage } from "../kit/List.tsx"
import { OrderBadge, orderColumns, orderFacts } from "../kit/Orders.tsx"
import { Card, Facts } from "../kit/Parts.tsx"
import { SheetView } from "../kit/SheetView.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { receiptSheet } from "./ReceiptSheet.ts"

/** An order that was not paid, which has no receipt. */
const Placed = ({ order, context }: { readonly context: UserContext; readonly order: Order }) => (
  <Card>
    <div class="card-body">
      <Facts facts={orderFacts(context, order)} />
    </div>
  </Card>
)

interface OrderProps {
  readonly context: UserContext
  readonly order: Order
  /** Undefined: it was not paid. */
  readonly sheet: Sheet | undefined
  readonly title: string
}

const OrderView = ({ order, sheet, title, context }: OrderProps) => {
  const say = sayOf(context, "orders")
  return (
    <div class="receipt">
      <div class="d-flex flex-wrap align-items-center justify-content-between gap-2 mb-3">
        <div class="d-flex flex-wrap align-items-center gap-2">
          <h1 class="page-title">{title}</h1>
          <OrderBadge context={context} state={order.state} />
        </div>
        {sheet === undefined ? null : (
          <div class="btn-list d-print-none">
            <a class="btn" href={`/orders/${order.id}/receipt.pdf`}>
              <Icon name="download" />
              PDF
            </a>
            <button class="btn" type="button" data-print hidden>
              <Icon name="print" />
              {say("print")}
            </button>
          </div>
        )}
      </div>
      {sheet === undefined ? <Placed context={context} order={order} /> : <SheetView sheet={sheet} />}
      <p class="mt-3 d-print-none">
        <a href={`/pay/${order.kind}/${order.id}`}>{say("toOrder")}</a>
        {sheet === undefined ? null : (
          <>
            {" · "}
            <a href="/account#buyer">{say("toBuyer")}</a>
          </>
        )}
      </p>
    </div>
  )
}

const PAGE_SIZE = 25

const list = Effect.fnUntraced(function*(context: UserContext) {
  const orders = yield* Orders
  const say = sayOf(context, "orders")
  return yield* readListPage({
    context,
    size: PAGE_SIZE,
    read: (range) => orders.list(context.user.id, range),
    title: say("orders"),
    lead: say("lead"),
    path: "/orders",
    columns: orderColumns(context),
    cursor: byId,
    empty: {
      icon: "order",
      title: say("none"),
      text: say("none.text"),
      action: <a class="btn btn-primary" href="/topup">{context.say("nav.topup")}</a>
    }
  })
})

/** The order that the address names, with its receipt as a sheet where it was paid. */
const findReceipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const receipt = yield* (yield* OrderReceipts).show(id, context.user.id).pipe(
    Effect.catchTag("OrderNotFound", notFound)
  )
  const site = new URL((yield* PublicAddress).url()).host
  const { order } = receipt
  const isPaid = isFulfilled(order.state)
  const title = sayOf(context, "orders")(isPaid ? "receipt" : "orderNumber", { id: id.toString() })
  return { order, title, sheet: isPaid ? receiptSheet({ context, receipt, site, title }) : undefined }
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const found = yield* findReceipt(context)
  return page(found.title, <OrderView context={context} {...found} />)
})

const pdf = Effect.fnUntraced(function*(context: UserContext) {
  const { order, sheet } = yield* findReceipt(context)
  if (sheet === undefined) return yield* new PageNotFound()
  return yield* (yield* Pdfs).print(sheet).pipe(
    Effect.map((bytes) =>
      HttpServerResponse.uint8Array(bytes, {
        contentType: "application/pdf",
        headers: {
          "content-disposition": `attachment; filename="receipt-${order.id}.pdf"`,
          "cache-control": "private, no-store",
          "x-content-type-options": "nosniff"
        }
      })
    ),
    Effect.catchTag("PdfFailed", ({ why }) =>
      Effect.as(
        Effect.logWarning("a receipt was not printed", { why, order: order.id }),
        HttpServerResponse.text(context.say("problem.pages"), {
          status: 503,
          headers: { "cache-control": "no-store", "retry-after": "5" }
        })
      )),
    Effect.map(raw)
  )
})

export const OrdersRoutes = routes(
  userPage("/orders", list),
  userPage("/orders/:id", receipt),
  userPage("/orders/:id/receipt.pdf", pdf)
)
