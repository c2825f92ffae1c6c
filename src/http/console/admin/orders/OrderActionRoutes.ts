/**
 * What root does to one order: marks it as paid, cancels it, gives money back. Each is asked for on a page of its own.
 */
import { Effect } from "effect"
import { currencyDecimals } from "../../../../domain/Currency.ts"
import { OrderId, RefundId } from "../../../../domain/Ids.ts"
import { parseDecimal } from "../../../../domain/Money.ts"
import { ManualPayments } from "../../../../events/ManualPayments.ts"
import type { OrderClosed, RefundNotPossible, ResolutionRefused } from "../../../../orders/OrderError.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { orderStates } from "../../../../orders/OrderSearch.ts"
import { isUnanswered, type Refund, Refunds } from "../../../../orders/Refunds.ts"
import { emptyForm, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminFormPage, routes } from "../../ConsoleRoute.ts"
import { stateName } from "../../kit/Orders.tsx"
import { orNotFound } from "../../NotThere.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { oneOf, pathId } from "../../Params.ts"
import { minorText, sources, usedText } from "../payments/EventParts.tsx"
import { theOrder } from "./AdminOrdersRoutes.ts"
import { cancelPage, completePage, isCompletable, refundPage, settlePage } from "./OrderActions.ts"

const done = (id: OrderId, what: string) => redirect(`/admin/orders/${id}?done=${what}`)

/** What became of a refund, for the page that is shown next. */
const refundDone = (id: OrderId, refund: Refund) =>
  done(id, `refund-${isUnanswered(refund) ? "unanswered" : refund.state}`)

/** An order that is settled or about to be. */
const settled = (context: UserContext) => {
  const say = sayOf(context, "orderAction")
  return {
    OrderClosed: ({ state }: OrderClosed) => {
      const known = oneOf(orderStates, state)
      return refuse({ form: say("closed", { state: known === undefined ? state : stateName(context, known) }) }, 409)
    },
    OrderProcessing: () => refuse({ form: say("processing") }, 409)
  }
}

const refusedBy = (context: UserContext, { reason }: ResolutionRefused, others: Problems) => {
  const problems: Partial<Record<typeof reason, Problems>> = {
    note: { note: sayOf(context, "orderAction")("note.problem") },
    key: { form: context.say("form.malformed") }
  }
  return refuse(problems[reason] ?? others)
}

const notPossible = (context: UserContext) => ({ why }: RefundNotPossible) => {
  const say = sayOf(context, "orderAction")
  const form = {
    state: say("refund.state"),
    manual: say("refund.manual"),
    merchant: say("refund.merchant"),
    open: say("refund.open"),
    closed: say("refund.closed"),
    late: say("refund.late")
  }[why]
  return refuse({ form }, 409)
}

const complete = pageForm({
  show: (context, state) =>
    Effect.map(theOrder, (record) =>
      isCompletable(record) || state !== emptyForm
        ? completePage({ context, record, state })
        : redirect(`/admin/orders/${record.order.id}`)),
  run: (context, fields) => {
    const say = sayOf(context, "orderAction")
    return Effect.gen(function*() {
      const orderId = yield* pathId("id", OrderId)
      const provider = oneOf(sources, fields.get("provider"))
      if (provider === undefined) return yield* refuse({ provider: say("provider.problem") })
      const [reference, note] = [fields.get("reference") ?? "", fields.get("note") ?? ""]
      yield* (yield* ManualPayments).complete(actorOf(context), { orderId, provider, reference, note })
      return done(orderId, "completed")
    }).pipe(
      Effect.catchTags({
        ...settled(context),
        PaymentUsed: (error) => refuse({ reference: usedText(context, error) }, 409),
        ResolutionRefused: (error) => refusedBy(context, error, { reference: say("reference.problem") })
      })
    )
  }
})

const cancel = pageForm({
  show: (context, state) =>
    Effect.map(theOrder, (record) =>
      record.order.state === "pending" || state !== emptyForm
        ? cancelPage({ context, record, state })
        : redirect(`/admin/orders/${record.order.id}`)),
  run: (context) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", OrderId)
      yield* (yield* Orders).cancel(id, undefined, actorOf(context))
      return done(id, "cancelled")
    }).pipe(Effect.catchTags(settled(context)))
})

/** 0, which no refund is of, for what is no amount of the currency. */
const amountOf = (text: string, currency: string): bigint =>
  parseDecimal(text.trim().replace(/^[¥$]/, ""), currencyDecimals(currency)) ?? 0n

const refund = pageForm({
  show: (context, state) =>
    Effect.map(theOrder, (record) => {
      const { order, refundable } = record
      return refundable === undefined
        ? redirect(`/admin/orders/${order.id}`)
        : refundPage({ context, record, state }, refundable.attempt, refundable.leftMinor)
    }),
  run: Effect.fnUntraced(function*(context, fields) {
    const say = sayOf(context, "orderAction")
    const { order: { id }, refundable } = yield* theOrder
    const currency = refundable?.attempt.currency ?? "cny"
    const left = minorText(context, refundable?.leftMinor ?? 0n, currency)
    const made = yield* (yield* Refunds).request(actorOf(context), {
      orderId: id,
      amountMinor: amountOf(fields.get("amount") ?? "", currency),
      note: fields.get("note") ?? "",
      key: fields.get("key") ?? ""
    }).pipe(
      Effect.catchTags({
        ResolutionRefused: (error) => refusedBy(context, error, { amount: say("refund.amount.problem", { left }) }),
        RefundNotPossible: notPossible(context),
        RefundReused: () => refuse({ form: say("refund.reused") }, 409)
      })
    )
    return refundDone(id, made)
  })
})

/** The refund that the address names, of the order that it names. */
const theRefund = Effect.gen(function*() {
  const record = yield* theOrder
  const id = yield* pathId("refund", RefundId)
  const found = record.refunds.find((known) => known.id === id)
  return found === undefined ? yield* new PageNotFound() : { record, refund: found }
})

const retry = (context: UserContext) =>
  Effect.gen(function*() {
    const found = yield* theRefund
    const now = yield* (yield* Refunds).retry(actorOf(context), found.refund.id)
    return refundDone(found.record.order.id, now)
  }).pipe(Effect.catchTag("RefundNotPossible", notPossible(context)), orNotFound)

const settle = pageForm({
  show: (context, state) =>
    Effect.map(theRefund, (found) =>
      isUnanswered(found.refund)
        ? settlePage({ context, record: found.record, state }, found.refund)
        : redirect(`/admin/orders/${found.record.order.id}`)),
  run: (context, fields) =>
    Effect.gen(function*() {
      const found = yield* theRefund
      const outcome = oneOf(["done", "failed"], fields.get("outcome"))
      if (outcome === undefined) return yield* refuse({ outcome: sayOf(context, "orderAction")("settle.problem") })
      const conclusion = { isDone: outcome === "done", note: fields.get("note") ?? "" }
      yield* (yield* Refunds).conclude(actorOf(context), found.refund.id, conclusion)
      return done(found.record.order.id, "settled")
    }).pipe(
      Effect.catchTags({
        RefundNotPossible: notPossible(context),
        ResolutionRefused: () => refuse({ note: sayOf(context, "orderAction")("note.problem") })
      })
    )
})

export const OrderActionRoutes = routes(
  adminFormPage("/admin/orders/:id/complete", complete),
  adminFormPage("/admin/orders/:id/cancel", cancel),
  adminFormPage("/admin/orders/:id/refund", refund),
  adminFormPage("/admin/orders/:id/refunds/:refund", settle),
  adminForm("/admin/orders/:id/refunds/:refund/retry", { run: retry })
)
