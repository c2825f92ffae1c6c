/**
 * What administrators do to one order: they mark it as paid, cancel it, give money back, and resolve a refund whose outcome is not known.
 */
import { Effect } from "effect"
import { currencyDecimals } from "../../../../domain/Currency.ts"
import { OrderId, RefundId } from "../../../../domain/Ids.ts"
import { formatDecimal, parseDecimal } from "../../../../domain/Money.ts"
import { ManualPayments } from "../../../../events/ManualPayments.ts"
import { OrderHistory, type OrderRecord } from "../../../../events/OrderHistory.ts"
import { isCompletable } from "../../../../orders/Order.ts"
import type { OrderClosed, RefundNotPossible } from "../../../../orders/OrderError.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { orderStates } from "../../../../orders/OrderSearch.ts"
import { isUnanswered, type Refund, Refunds } from "../../../../orders/Refunds.ts"
import { orNotFound, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, routes } from "../../ConsoleRoute.ts"
import { noteInput } from "../../kit/Inputs.tsx"
import { stateName } from "../../kit/Orders.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, pathId } from "../../Params.ts"
import { type AdminAction, adminAction, refuseFor } from "../AdminAction.ts"
import { minorText, sourceName, sources, usedText } from "../payments/EventParts.tsx"

/** The order of the `:id` in the route of the request at hand. */
export const theOrder = Effect.gen(function*() {
  return yield* (yield* OrderHistory).show(yield* pathId("id", OrderId))
}).pipe(orNotFound)

const hrefOf = ({ order }: OrderRecord): string => `/admin/orders/${order.id}`

const orderAction = <R1, R2>(
  name: string,
  action: Omit<AdminAction<"orderAction", OrderRecord, R1, R2>, "find" | "hrefOf" | "texts">
) => adminAction(`/admin/orders/:id/${name}` as const, { texts: "orderAction", find: theOrder, hrefOf, ...action })

/** What became of a refund, for the page that is shown next. */
const refundDone = (refund: Refund): string => `refund-${isUnanswered(refund) ? "unanswered" : refund.state}`

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

const notPossible = (context: UserContext) => ({ why }: RefundNotPossible) =>
  refuse({ form: sayOf(context, "orderAction")(`refund.${why}`) }, 409)

const complete = orderAction("complete", {
  isPossible: ({ order }) => isCompletable(order.state),
  ask: ({ context, say, subject: { attempts, email, order } }) => {
    const amount = context.formats.cny(order.amountFen)
    const reference = { label: say("reference"), hint: say("reference.hint"), maxlength: 200 }
    return {
      title: say("complete.title", { id: order.id.toString() }),
      text: order.terms === null
        ? say("complete.topup", { email, amount, credit: context.formats.usd(order.creditMicros) })
        : say("complete.plan", { email, amount, plan: order.terms.name }),
      submit: say("markAsPaid"),
      inputs: [
        {
          is: "select",
          name: "provider",
          label: say("provider"),
          initial: attempts.at(-1)?.provider ?? "manual",
          options: sources.map((one) => [one, one === "manual" ? say("provider.manual") : sourceName(context, one)])
        },
        { name: "reference", ...reference, required: true, autofocus: true },
        noteInput(context)
      ]
    }
  },
  run: ({ context, fields, say, subject: { order } }) => {
    const provider = oneOf(sources, fields.get("provider"))
    if (provider === undefined) return refuse({ provider: say("provider.problem") })
    const [reference, note] = [fields.get("reference") ?? "", fields.get("note") ?? ""]
    const asked = { orderId: order.id, provider, reference, note }
    return ManualPayments.use((payments) => payments.complete(actorOf(context), asked)).pipe(
      Effect.as("completed"),
      Effect.catchTags({
        ...settled(context),
        PaymentUsed: (error) => refuse({ reference: usedText(context, error) }, 409),
        ResolutionRefused: ({ reason }) => refuseFor(context, reason, {}, { reference: say("reference.problem") })
      })
    )
  }
})

const cancel = orderAction("cancel", {
  isPossible: ({ order }) => order.state === "pending",
  ask: ({ context, say, subject: { email, order } }) => ({
    title: say("cancel.title", { id: order.id.toString() }),
    text: say("cancel.text", { email, amount: context.formats.cny(order.amountFen) }),
    submit: say("cancel.submit"),
    danger: true,
    backText: say("keepIt")
  }),
  run: ({ context, subject: { order } }) =>
    Orders.use((orders) => orders.cancel(order.id, undefined, actorOf(context))).pipe(
      Effect.as("cancelled"),
      Effect.catchTags(settled(context))
    )
})

/** 0, which no refund is of, for what is no amount of the currency. */
const amountOf = (text: string, currency: string): bigint =>
  parseDecimal(text.trim().replace(/^[¥$]/, ""), currencyDecimals(currency)) ?? 0n

const refund = orderAction("refund", {
  ask: ({ context, say, subject: { email, order, refundable } }) => {
    if (refundable === undefined) return undefined
    const { attempt: { currency, provider }, leftMinor } = refundable
    const decimals = currencyDecimals(currency)
    const values = { email, provider: sourceName(context, provider) }
    return {
      title: say("refund.title", { id: order.id.toString() }),
      text: order.terms === null ? say("refund.text", values) : say("refund.plan", values),
      submit: say("refund"),
      danger: true,
      once: true,
      inputs: [
        {
          is: "decimal",
          name: "amount",
          label: say("refund.amount", { currency: currency.toUpperCase() }),
          hint: say("refund.amount.hint", { left: minorText(context, leftMinor, currency) }),
          initial: formatDecimal(leftMinor, { scale: decimals, decimalsMin: decimals }),
          required: true
        },
        noteInput(context)
      ]
    }
  },
  run: ({ context, fields, say, subject: { order, refundable } }) => {
    const currency = refundable?.attempt.currency ?? "cny"
    const left = minorText(context, refundable?.leftMinor ?? 0n, currency)
    const asked = {
      orderId: order.id,
      amountMinor: amountOf(fields.get("amount") ?? "", currency),
      note: fields.get("note") ?? "",
      key: fields.get("key") ?? ""
    }
    return Refunds.use((refunds) => refunds.request(actorOf(context), asked)).pipe(
      Effect.map(refundDone),
      Effect.catchTags({
        ResolutionRefused: ({ reason }) =>
          refuseFor(context, reason, {}, { amount: say("refund.amount.problem", { left }) }),
        RefundNotPossible: notPossible(context),
        RefundReused: () => refuse({ form: say("refund.reused") }, 409)
      })
    )
  }
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
    const { record, refund } = yield* theRefund
    const now = yield* (yield* Refunds).retry(actorOf(context), refund.id)
    return redirect(`${hrefOf(record)}?done=${refundDone(now)}`)
  }).pipe(Effect.catchTag("RefundNotPossible", notPossible(context)), orNotFound)

const settle = adminAction("/admin/orders/:id/refunds/:refund", {
  texts: "orderAction",
  find: theRefund,
  hrefOf: ({ record }) => hrefOf(record),
  ask: ({ context, say, subject: { refund } }) => {
    // What is known already is not asked, and not shown again either.
    if (!isUnanswered(refund)) return undefined
    const outcomes = [["done", say("settle.done")], ["failed", say("settle.failed")]] as const
    return {
      title: say("settle.title"),
      text: say("settle.text", { amount: minorText(context, refund.amountMinor, refund.currency) }),
      submit: say("settle.submit"),
      inputs: [
        { is: "radios", name: "outcome", label: say("settle.what"), options: outcomes },
        noteInput(context)
      ]
    }
  },
  run: ({ context, fields, say, subject: { refund } }) => {
    const outcome = oneOf(["done", "failed"], fields.get("outcome"))
    if (outcome === undefined) return refuse({ outcome: say("settle.problem") })
    const conclusion = { isDone: outcome === "done", note: fields.get("note") ?? "" }
    return Refunds.use((refunds) => refunds.conclude(actorOf(context), refund.id, conclusion)).pipe(
      Effect.as("settled"),
      Effect.catchTags({
        RefundNotPossible: notPossible(context),
        ResolutionRefused: () => refuse({ note: say("note.problem") })
      })
    )
  }
})

export const OrderActionRoutes = routes(
  complete,
  cancel,
  refund,
  settle,
  adminForm("/admin/orders/:id/refunds/:refund/retry", { run: retry })
)
