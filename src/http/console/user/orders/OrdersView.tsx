/**
 * All orders of a user, and one of them as a receipt that prints well.
 */
import { isFulfilled, type Order } from "../../../../orders/Order.ts"
import type { OrderView } from "../../../../orders/Orders.ts"
import { type Fact, Facts } from "../../kit/Facts.tsx"
import { List } from "../../kit/List.tsx"
import { byId, type Listed } from "../../kit/Listed.ts"
import { orderColumns } from "../../kit/OrderColumns.tsx"
import { orderFacts } from "../../kit/OrderFacts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Icon } from "../../ui/Icon.tsx"
import { methodName } from "../../ui/OrderParts.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"

export const OrdersView = ({ context, ...listed }: Listed<Order> & { readonly context: UserContext }) => {
  const say = sayOf(context, "orders")
  return (
    <>
      <PageHeading title={say("orders")} lead={say("lead")} />
      <List
        context={context}
        path="/orders"
        caption={say("orders")}
        columns={orderColumns(context)}
        cursor={byId}
        empty={{
          icon: "order",
          title: say("none"),
          text: say("none.text"),
          action: <a class="btn btn-primary" href="/topup">{context.say("nav.topup")}</a>
        }}
        {...listed}
      />
    </>
  )
}

interface ReceiptProps {
  readonly context: UserContext
  readonly view: OrderView
  readonly site: string
}

/** Only what was paid has a receipt. */
export const receiptTitle = (context: UserContext, { id, state }: Order): string =>
  sayOf(context, "orders")(isFulfilled(state) ? "receipt" : "orderNumber", { id: id.toString() })

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

export const ReceiptView = (props: ReceiptProps) => {
  const { site, view: { order }, context } = props
  const say = sayOf(context, "orders")
  return (
    <div class="receipt">
      <div class="d-flex align-items-center justify-content-between mb-3">
        <h1 class="page-title">{receiptTitle(context, order)}</h1>
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
