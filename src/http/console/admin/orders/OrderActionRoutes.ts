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
import { pathId } from "../../PathId.ts"
import { stateName } from "../../ui/OrderParts.tsx"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { minorText } from "../payments/EventParts.tsx"
import { theOrder } from "./AdminOrdersRoutes.ts"
import { isCompletable } from "./AdminOrderView.tsx"
import { orderActionText } from "./OrderActionText.ts"
import { CancelView, CompleteView, RefundView, SettleView } from "./OrderActionView.tsx"
import { oneOf, sources } from "./OrdersQuery.ts"

const orderPath = (id: OrderId, done?: string): string =>
  done === undefined ? `/admin/orders/${id}` : `/admin/orders/${id}?done=${done}`

const notThere = () => Effect.fail(new PageNotFound())

const closed = (visit: UserVisit, state: string): FormRefused => {
  const known = oneOf(orderStates, state)
  const name = known === undefined ? state : stateName(visit, known)
  return refuse({ form: sayOf(visit, orderActionText)("closed", { state: name }) }, 409)
}

const processing = (visit: UserVisit): FormRefused => refuse({ form: sayOf(visit, orderActionText)("processing") }, 409)

const used = (visit: UserVisit, { why }: PaymentUsed): FormRefused => {
  const say = sayOf(visit, orderActionText)
  const texts = {
    order: say("used.order"),
    credited: say("used.credited"),
    refunded: say("used.refunded")
  }
  return refuse({ reference: texts[why] }, 409)
}

const showComplete = (visit: UserVisit, state: FormState) =>
  Effect.map(theOrder, (record) =>
    isCompletable(record) || state !== emptyForm
      ? page(
        sayOf(visit, orderActionText)("complete.title", { id: record.order.id.toString() }),
        CompleteView({ visit, record, state })
      )
      : redirect(orderPath(record.order.id)))

const completeForm = adminForm("/admin/orders/:id/complete", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const say = sayOf(visit, orderActionText)
      const orderId = yield* pathId("id", OrderId)
      const provider = oneOf(sources, fields.get("provider"))
      if (provider === undefined) return yield* refuse({ provider: say("provider.problem") })
      yield* (yield* ManualPayments).complete(actorOf(visit), {
        orderId,
        provider,
        reference: fields.get("reference") ?? "",
        note: fields.get("note") ?? ""
      })
      return redirect(orderPath(orderId, "completed"))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        OrderClosed: ({ state }) => Effect.fail(closed(visit, state)),
        OrderProcessing: () => Effect.fail(processing(visit)),
        PaymentUsed: (error) => Effect.fail(used(visit, error)),
        ResolutionRefused: ({ reason }) => {
          const say = sayOf(visit, orderActionText)
          return Effect.fail(
            refuse(reason === "note" ? { note: say("note.problem") } : { reference: say("reference.problem") })
          )
        }
      })
    ),
  again: (visit, values, problems) => showComplete(visit, { values, problems })
})

const showCancel = (visit: UserVisit, state: FormState) =>
  Effect.map(theOrder, (record) =>
    record.order.state === "pending" || state !== emptyForm
      ? page(
        sayOf(visit, orderActionText)("cancel.title", { id: record.order.id.toString() }),
        CancelView({ visit, record, state })
      )
      : redirect(orderPath(record.order.id)))

const cancelForm = adminForm("/admin/orders/:id/cancel", {
  run: (visit) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", OrderId)
      yield* (yield* Orders).cancel(id, undefined, actorOf(visit))
      return redirect(orderPath(id, "cancelled"))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        OrderClosed: ({ state }) => Effect.fail(closed(visit, state)),
        OrderProcessing: () => Effect.fail(processing(visit))
      })
    ),
  again: (visit, values, problems) => showCancel(visit, { values, problems })
})

const showRefund = (visit: UserVisit, state: FormState) =>
  Effect.map(theOrder, (record) => {
    const { order, refundable } = record
    return refundable === undefined
      ? redirect(orderPath(order.id))
      : page(
        sayOf(visit, orderActionText)("refund.title", { id: order.id.toString() }),
        RefundView({ visit, record, state, ...refundable, formKey: keyOf(state) })
      )
  })

const notPossible = (visit: UserVisit, { why }: RefundNotPossible): FormRefused => {
  const say = sayOf(visit, orderActionText)
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

const refundRefused = (visit: UserVisit, { reason }: ResolutionRefused, left: string): FormRefused => {
  const say = sayOf(visit, orderActionText)
  if (reason === "note") return refuse({ note: say("note.problem") })
  return reason === "key"
    ? refuse({ form: visit.say("form.malformed") })
    : refuse({ amount: say("refund.amount.problem", { left }) })
}

/** 0, which no refund is of, for what is no amount of the currency. */
const amountOf = (text: string, currency: string): bigint =>
  parseDecimal(text.trim().replace(/^[¥$]/, ""), currencyDecimals(currency)) ?? 0n

const leftOf = (visit: UserVisit, { refundable }: OrderRecord): string =>
  minorText(visit, refundable?.leftMinor ?? 0n, refundable?.attempt.currency ?? "cny")

/** What became of a refund, for the page that is shown next. */
const doneOf = (refund: Refund): string => `refund-${isUnanswered(refund) ? "unanswered" : refund.state}`

const refundForm = adminForm("/admin/orders/:id/refund", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const record = yield* theOrder
      const { id } = record.order
      const refund = yield* (yield* Refunds).request(actorOf(visit), {
        orderId: id,
        amountMinor: amountOf(fields.get("amount") ?? "", record.refundable?.attempt.currency ?? "cny"),
        note: fields.get("note") ?? "",
        key: fields.get("key") ?? ""
      }).pipe(
        Effect.catchTag("ResolutionRefused", (error) => Effect.fail(refundRefused(visit, error, leftOf(visit, record))))
      )
      return redirect(orderPath(id, doneOf(refund)))
    }).pipe(
      Effect.catchTags({
        OrderNotFound: notThere,
        RefundNotPossible: (error) => Effect.fail(notPossible(visit, error)),
        RefundReused: () => Effect.fail(refuse({ form: sayOf(visit, orderActionText)("refund.reused") }, 409))
      })
    ),
  again: (visit, values, problems) => showRefund(visit, { values, problems })
})

/** The refund that the address names, of the order that it names. */
const theRefund = Effect.gen(function*() {
  const record = yield* theOrder
  const id = yield* pathId("refund", RefundId)
  const refund = record.refunds.find((known) => known.id === id)
  return refund === undefined ? yield* new PageNotFound() : { record, refund }
})

const retryForm = adminForm("/admin/orders/:id/refunds/:refund/retry", {
  run: (visit) =>
    Effect.gen(function*() {
      const { record, refund } = yield* theRefund
      const now = yield* (yield* Refunds).retry(actorOf(visit), refund.id)
      return redirect(orderPath(record.order.id, doneOf(now)))
    }).pipe(
      Effect.catchTags({
        RefundNotFound: notThere,
        RefundNotPossible: (error) => Effect.fail(notPossible(visit, error))
      })
    )
})

const showSettle = (visit: UserVisit, state: FormState) =>
  Effect.map(theRefund, ({ record, refund }) => {
    if (!isUnanswered(refund)) return redirect(orderPath(record.order.id))
    return page(
      sayOf(visit, orderActionText)("settle.title"),
      SettleView({ visit, record, refund, state })
    )
  })

const settleForm = adminForm("/admin/orders/:id/refunds/:refund", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const { record, refund } = yield* theRefund
      const outcome = oneOf(["done", "failed"], fields.get("outcome"))
      if (outcome === undefined) return yield* refuse({ outcome: sayOf(visit, orderActionText)("settle.problem") })
      const found = { isDone: outcome === "done", note: fields.get("note") ?? "" }
      yield* (yield* Refunds).conclude(actorOf(visit), refund.id, found)
      return redirect(orderPath(record.order.id, "settled"))
    }).pipe(
      Effect.catchTags({
        RefundNotFound: notThere,
        RefundNotPossible: (error) => Effect.fail(notPossible(visit, error)),
        ResolutionRefused: () => Effect.fail(refuse({ note: sayOf(visit, orderActionText)("note.problem") }))
      })
    ),
  again: (visit, values, problems) => showSettle(visit, { values, problems })
})

export const OrderActionRoutes = Layer.mergeAll(
  adminPage("/admin/orders/:id/complete", (visit) => showComplete(visit, emptyForm)),
  adminPage("/admin/orders/:id/cancel", (visit) => showCancel(visit, emptyForm)),
  adminPage("/admin/orders/:id/refund", (visit) => showRefund(visit, emptyForm)),
  adminPage("/admin/orders/:id/refunds/:refund", (visit) => showSettle(visit, emptyForm)),
  completeForm,
  cancelForm,
  refundForm,
  retryForm,
  settleForm
)
