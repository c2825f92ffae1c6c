/**
 * `/orders`: what a user has ordered, page by page, and each order as a receipt that prints well.
 */
import { Effect } from "effect"
import { OrderId } from "../../../domain/Ids.ts"
import { isFulfilled } from "../../../orders/Order.ts"
import { Orders, type OrderView } from "../../../orders/Orders.ts"
import { PublicAddress } from "../../../platform/PublicAddress.ts"
import { notFound, page } from "../Answer.ts"
import { routes, userPage } from "../ConsoleRoute.ts"
import { Icon } from "../kit/Icon.tsx"
import { byId, listPage, readListed } from "../kit/List.tsx"
import { methodName, orderColumns, orderFacts } from "../kit/Orders.tsx"
import { Card, type Fact, Facts, Moment } from "../kit/Parts.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"

interface ReceiptProps {
  readonly context: UserContext
  readonly view: OrderView
}

const receiptFacts = ({ view: { attempts, order }, context }: ReceiptProps): ReadonlyArray<Fact> => {
  const say = sayOf(context, "orders")
  const { settledAt } = order
  const paid = attempts.find(({ payment, state }) => state === "paid" && payment !== null)
  return [
    ...orderFacts(context, order),
    settledAt && [say("paid"), <Moment context={context} at={settledAt} />],
    paid === undefined ? null : [say("paidWith"), methodName(context, paid.provider, paid.method)],
    paid === undefined ? null : [say("reference"), <code>{paid.payment}</code>],
    [say("customer"), context.user.email]
  ]
}

const Receipt = (props: ReceiptProps & { readonly title: string; readonly site: string }) => {
  const { site, title, view: { order }, context } = props
  const say = sayOf(context, "orders")
  return (
    <div class="receipt">
      <div class="d-flex align-items-center justify-content-between mb-3">
        <h1 class="page-title">{title}</h1>
        <button class="btn d-print-none" type="button" data-print hidden>
          <Icon name="print" />
          {say("print")}
        </button>
      </div>
      <Card>
        <div class="card-body">
          <Facts facts={receiptFacts(props)} />
        </div>
        <div class="card-footer text-secondary">{say("issued", { site })}</div>
      </Card>
      <p class="mt-3 d-print-none">
        <a href={`/pay/${order.kind}/${order.id}`}>{say("toOrder")}</a>
      </p>
    </div>
  )
}

const PAGE_SIZE = 25

const list = Effect.fnUntraced(function*(context: UserContext) {
  const orders = yield* Orders
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => orders.list(context.user.id, range))
  const say = sayOf(context, "orders")
  return listPage({
    context,
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
    },
    ...found
  })
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const view = yield* (yield* Orders).show(id, context.user.id).pipe(Effect.catchTag("OrderNotFound", notFound))
  const site = new URL((yield* PublicAddress).url()).host
  // Only what was paid has a receipt.
  const name = isFulfilled(view.order.state) ? "receipt" : "orderNumber"
  const title = sayOf(context, "orders")(name, { id: id.toString() })
  return page(title, <Receipt context={context} view={view} title={title} site={site} />)
})

export const OrdersRoutes = routes(userPage("/orders", list), userPage("/orders/:id", receipt))
