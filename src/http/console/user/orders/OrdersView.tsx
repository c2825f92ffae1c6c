/**
 * All orders of a user, and one of them as a receipt that prints well.
 */
import { isFulfilled, type Order } from "../../../../orders/Order.ts"
import type { OrderView } from "../../../../orders/Orders.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Icon } from "../../ui/Icon.tsx"
import { methodName, orderName, OrderTable, StateBadge, TermsLines } from "../../ui/OrderParts.tsx"
import { Card, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"

export const OrdersView = (
  { hasOlder, isFirst, orders, context }: {
    readonly context: UserContext
    readonly orders: ReadonlyArray<Order>
    readonly hasOlder: boolean
    readonly isFirst: boolean
  }
) => {
  const say = sayOf(context, "orders")
  const last = orders.at(-1)
  return (
    <>
      <PageHeading title={say("orders")} lead={say("lead")} />
      <Card>
        {orders.length === 0
          ? (
            <Nothing
              icon="order"
              title={say("none")}
              text={say("none.text")}
              action={<a class="btn btn-primary" href="/topup">{context.say("nav.topup")}</a>}
            />
          )
          : <OrderTable context={context} caption={say("orders")} orders={orders} />}
        {isFirst && !hasOlder ? null : (
          <div class="card-footer d-flex justify-content-between">
            {isFirst ? <span /> : <a href="/orders">{say("newest")}</a>}
            {hasOlder && last !== undefined ? <a href={`/orders?before=${last.id}`}>{say("older")}</a> : null}
          </div>
        )}
      </Card>
    </>
  )
}

export const ReceiptView = (
  { site, view: { attempts, order }, context }: {
    readonly context: UserContext
    readonly view: OrderView
    readonly site: string
  }
) => {
  const say = sayOf(context, "orders")
  const sayOrder = sayOf(context, "order")
  const paid = attempts.find(({ payment, state }) => state === "paid" && payment !== null)
  const title = say(isFulfilled(order.state) ? "receipt" : "order", { id: order.id.toString() })
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
          <dl class="facts">
            <dt>{sayOrder("what")}</dt>
            <dd>{orderName(context, order)}</dd>
            {order.terms === null
              ? (
                <>
                  <dt>{sayOrder("credit")}</dt>
                  <dd>{context.formats.usd(order.creditMicros)}</dd>
                </>
              )
              : (
                <>
                  <dt>{say("period")}</dt>
                  <dd>{sayOrder("days", { count: order.terms.durationDays })}</dd>
                  <dt>{say("limits")}</dt>
                  <dd>
                    <TermsLines context={context} terms={order.terms} />
                  </dd>
                </>
              )}
            <dt>{sayOrder("amount")}</dt>
            <dd>
              <strong>{context.formats.cny(order.amountFen)}</strong>
            </dd>
            <dt>{sayOrder("state")}</dt>
            <dd>
              <StateBadge context={context} state={order.state} />
            </dd>
            <dt>{say("customer")}</dt>
            <dd>{context.user.email}</dd>
            <dt>{sayOrder("placed")}</dt>
            <dd>
              <Moment context={context} at={order.createdAt} />
            </dd>
            {order.settledAt === null ? null : (
              <>
                <dt>{say("paid")}</dt>
                <dd>
                  <Moment context={context} at={order.settledAt} />
                </dd>
              </>
            )}
            {paid === undefined ? null : (
              <>
                <dt>{say("paidWith")}</dt>
                <dd>{methodName(context, paid.provider, paid.method)}</dd>
                <dt>{say("reference")}</dt>
                <dd>
                  <code>{paid.payment}</code>
                </dd>
              </>
            )}
          </dl>
        </div>
        <div class="card-footer text-secondary">{say("issued", { site })}</div>
      </Card>
      <p class="mt-3 d-print-none">
        <a href={`/pay/${order.kind}/${order.id}`}>{say("toOrder")}</a>
      </p>
    </div>
  )
}
