/**
 * What root does to one order: marks it as paid, cancels it, gives money back. Each is asked for on a page of its own.
 */
import { Effect, Layer } from "effect"
import { currencyDecimals } from "../../../../domain/Currency.ts"
import { OrderId, RefundId } from "../../../../domain/Ids.ts"
import { parseDecimal } from "../../../../domain/Money.ts"
import { ManualPayments } from "../../../../events/ManualPayments.ts"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import type { PaymentUsed, RefundNotPossible, ResolutionRefused } from "../../../../orders/OrderError.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { orderStates } from "../../../../orders/OrderSearch.ts"
import { isUnanswered, type Refund, Refunds } from "../../../../orders/Refunds.ts"
import { emptyForm, type FormRefused, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { keyOf } from "../../FormKey.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { stateName } from "../../ui/OrderParts.tsx"
import { minorText } from "../payments/EventParts.tsx"
import { theOrder } from "./AdminOrdersRoutes.ts"
import { isCompletable } from "./AdminOrderView.tsx"
import { CancelView, CompleteView, RefundView, SettleView } from "./OrderActionView.tsx"
import { oneOf, sources } from "./OrdersQuery.ts"

const orderPath = (id: OrderId, done?: string): string =>
  done === undefined ? `/admin/orders/${id}` : `/admin/orders/${id}?done=${done}`

const notThere = () => Effect.fail(new PageNotFound())

const closed = (context: UserContext, state: string): FormRefused => {
  const known = oneOf(orderStates, state)
  const name = known === undefined ? state : stateName(context, known)
  return refuse({ form: sayOf(context, "orderAction")("closed", { state: name }) }, 409)
}

const processing = (context: UserContext): FormRefused =>
  refuse({ form: sayOf(context, "orderAction")("processing") }, 409)

const used = (context: UserContext, { why }: PaymentUsed): FormRefused => {
  const say = sayOf(context, "orderAction")
  const texts = {
    order: say("used.order"),
    credited: say("used.credited"),
    refunded: say("markedRefunded")
  }
  return refuse({ reference: texts[why] }, 409)
}

const showComplete = (context: UserContext, state: FormState) =>
  Effect.map(theOrder, (record) =>
    isCompletable(record) || state !== emptyForm
      ? page(
        sayOf(context, "orderAction")("complete.title", { id: record.order.id.toString() }),
        CompleteView({ context, record, state })
      )
      : redirect(orderPath(record.order.id)))

const completeForm = adminForm("/admin/orders/:id/complete", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const say = sayOf(context, "orderAction")
      const orderId = yield* pathId("id", OrderId)
      const provider = oneOf(sources, fields.get("provider"))
      if (provider === undefined) return yield* refuse({ provider: say("provider.problem") })
      yield* (yield* ManualPayments).complete(actorOf(context), {
        orderId,
        provider,
        reference: fields.get("reference") ?? "",
        note: fields.get("note") ?? ""
      })
      return redirect(orderPath(orderId, "completed"))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        OrderClosed: ({ state }) => Effect.fail(closed(context, state)),
        OrderProcessing: () => Effect.fail(processing(context)),
        PaymentUsed: (error) => Effect.fail(used(context, error)),
        ResolutionRefused: ({ reason }) => {
          const say = sayOf(context, "orderAction")
          return Effect.fail(
            refuse(reason === "note" ? { note: say("note.problem") } : { reference: say("reference.problem") })
          )
        }
      })
    ),
  again: (context, values, problems) => showComplete(context, { values, problems })
})

const showCancel = (context: UserContext, state: FormState) =>
  Effect.map(theOrder, (record) =>
    record.order.state === "pending" || state !== emptyForm
      ? page(
        sayOf(context, "orderAction")("cancel.title", { id: record.order.id.toString() }),
        CancelView({ context, record, state })
      )
      : redirect(orderPath(record.order.id)))

const cancelForm = adminForm("/admin/orders/:id/cancel", {
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", OrderId)
      yield* (yield* Orders).cancel(id, undefined, actorOf(context))
      return redirect(orderPath(id, "cancelled"))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        OrderClosed: ({ state }) => Effect.fail(closed(context, state)),
        OrderProcessing: () => Effect.fail(processing(context))
      })
    ),
  again: (context, values, problems) => showCancel(context, { values, problems })
})

const showRefund = (context: UserContext, state: FormState) =>
  Effect.map(theOrder, (record) => {
    const { order, refundable } = record
    return refundable === undefined
      ? redirect(orderPath(order.id))
      : page(
        sayOf(context, "orderAction")("refund.title", { id: order.id.toString() }),
        RefundView({ context, record, state, ...refundable, formKey: keyOf(state) })
      )
  })

const notPossible = (context: UserContext, { why }: RefundNotPossible): FormRefused => {
  const say = sayOf(context, "orderAction")
  const texts = {
    state: say("refund.state"),
    manual: say("refund.manual"),
    merchant: say("refund.merchant"),
    open: say("refund.open"),
    closed: say("refund.closed"),
    late: say("refund.late")
  }
  return refuse({ form: texts[why] }, 409)
}

const refundRefused = (context: UserContext, { reason }: ResolutionRefused, left: string): FormRefused => {
  const say = sayOf(context, "orderAction")
  if (reason === "note") return refuse({ note: say("note.problem") })
  return reason === "key"
    ? refuse({ form: context.say("form.malformed") })
    : refuse({ amount: say("refund.amount.problem", { left }) })
}

/** 0, which no refund is of, for what is no amount of the currency. */
const amountOf = (text: string, currency: string): bigint =>
  parseDecimal(text.trim().replace(/^[¥$]/, ""), currencyDecimals(currency)) ?? 0n

const leftOf = (context: UserContext, { refundable }: OrderRecord): string =>
  minorText(context, refundable?.leftMinor ?? 0n, refundable?.attempt.currency ?? "cny")

/** What became of a refund, for the page that is shown next. */
const doneOf = (refund: Refund): string => `refund-${isUnanswered(refund) ? "unanswered" : refund.state}`

const refundForm = adminForm("/admin/orders/:id/refund", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const record = yield* theOrder
      const { id } = record.order
      const refund = yield* (yield* Refunds).request(actorOf(context), {
        orderId: id,
        amountMinor: amountOf(fields.get("amount") ?? "", record.refundable?.attempt.currency ?? "cny"),
        note: fields.get("note") ?? "",
        key: fields.get("key") ?? ""
      }).pipe(
        Effect.catchTag("ResolutionRefused", (error) =>
          Effect.fail(refundRefused(context, error, leftOf(context, record))))
      )
      return redirect(orderPath(id, doneOf(refund)))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        RefundNotPossible: (error) =>
          Effect.fail(notPossible(context, error)),
        RefundReused: () => Effect.fail(refuse({ form: sayOf(context, "orderAction")("refund.reused") }, 409))
      })
    ),
  again: (context, values, problems) => showRefund(context, { values, problems })
})

/** The refund that the address names, of the order that it names. */
const theRefund = Effect.gen(function*() {
  const record = yield* theOrder
  const id = yield* pathId("refund", RefundId)
  const refund = record.refunds.find((known) => known.id === id)
  return refund === undefined ? yield* new PageNotFound() : { record, refund }
})

const retryForm = adminForm("/admin/orders/:id/refunds/:refund/retry", {
  run: (context) =>
    Effect.gen(function*() {
      const { record, refund } = yield* theRefund
      const now = yield* (yield* Refunds).retry(actorOf(context), refund.id)
      return redirect(orderPath(record.order.id, doneOf(now)))
    }).pipe(
      Effect.catchTags({
        RefundNotFound: notThere,
        RefundNotPossible: (error) => Effect.fail(notPossible(context, error))
      })
    )
})

const showSettle = (context: UserContext, state: FormState) =>
  Effect.map(theRefund, ({ record, refund }) => {
    if (!isUnanswered(refund)) return redirect(orderPath(record.order.id))
    return page(
      sayOf(context, "orderAction")("settle.title"),
      SettleView({ context, record, refund, state })
    )
  })

const settleForm = adminForm("/admin/orders/:id/refunds/:refund", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const { record, refund } = yield* theRefund
      const outcome = oneOf(["done", "failed"], fields.get("outcome"))
      if (outcome === undefined) return yield* refuse({ outcome: sayOf(context, "orderAction")("settle.problem") })
      const found = { isDone: outcome === "done", note: fields.get("note") ?? "" }
      yield* (yield* Refunds).conclude(actorOf(context), refund.id, found)
      return redirect(orderPath(record.order.id, "settled"))
    }).pipe(
      Effect.catchTags({
        RefundNotFound: notThere,
        RefundNotPossible: (error) => Effect.fail(notPossible(context, error)),
        ResolutionRefused: () => Effect.fail(refuse({ note: sayOf(context, "orderAction")("note.problem") }))
      })
    ),
  again: (context, values, problems) => showSettle(context, { values, problems })
})

export const OrderActionRoutes = Layer.mergeAll(
  adminPage("/admin/orders/:id/complete", (context) => showComplete(context, emptyForm)),
  adminPage("/admin/orders/:id/cancel", (context) => showCancel(context, emptyForm)),
  adminPage("/admin/orders/:id/refund", (context) => showRefund(context, emptyForm)),
  adminPage("/admin/orders/:id/refunds/:refund", (context) => showSettle(context, emptyForm)),
  completeForm,
  cancelForm,
  refundForm,
  retryForm,
  settleForm
)
