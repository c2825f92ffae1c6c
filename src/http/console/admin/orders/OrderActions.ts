/**
 * What root can do to an order: which of it is possible, and the pages that ask for it, with what will follow.
 */
import { currencyDecimals } from "../../../../domain/Currency.ts"
import { formatDecimal } from "../../../../domain/Money.ts"
import type { OrderRecord, PaidAttempt } from "../../../../events/OrderHistory.ts"
import type { Refund } from "../../../../orders/Refunds.ts"
import type { FormState, Page } from "../../Answer.ts"
import { askPage, type AskProps } from "../../kit/Forms.tsx"
import { noteInput } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { minorText, sourceName, sources } from "../payments/EventParts.tsx"

export interface ActionProps {
  readonly context: PageContext
  readonly record: OrderRecord
  readonly state: FormState
}

const actionPage = (
  { record: { order }, context, state }: ActionProps,
  { action, ...ask }: Omit<AskProps, "context" | "state" | "back">
): Page => {
  const back = `/admin/orders/${order.id}`
  return askPage({ context, state, action: `${back}/${action}`, back, backText: context.say("cancel"), ...ask })
}

/** Money can be said to have come for what is not fulfilled. */
export const isCompletable = ({ order: { state } }: OrderRecord): boolean =>
  state === "pending" || state === "cancelled" || state === "expired"

export const completePage = (props: ActionProps): Page => {
  const { record: { attempts, email, order }, context } = props
  const say = sayOf(context, "orderAction")
  const amount = context.formats.cny(order.amountFen)
  return actionPage(props, {
    action: "complete",
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
      {
        name: "reference",
        label: say("reference"),
        hint: say("reference.hint"),
        maxlength: 200,
        required: true,
        autofocus: true
      },
      noteInput(context)
    ]
  })
}

export const cancelPage = (props: ActionProps): Page => {
  const { record: { email, order }, context } = props
  const say = sayOf(context, "orderAction")
  return actionPage(props, {
    action: "cancel",
    title: say("cancel.title", { id: order.id.toString() }),
    text: say("cancel.text", { email, amount: context.formats.cny(order.amountFen) }),
    submit: say("cancel.submit"),
    danger: true,
    backText: say("keepIt")
  })
}

export const refundPage = (props: ActionProps, { currency, provider }: PaidAttempt, leftMinor: bigint): Page => {
  const { record: { email, order }, context } = props
  const say = sayOf(context, "orderAction")
  const decimals = currencyDecimals(currency)
  const values = { email, provider: sourceName(context, provider) }
  return actionPage(props, {
    action: "refund",
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
        initial: formatDecimal(leftMinor, decimals, decimals),
        required: true
      },
      noteInput(context)
    ]
  })
}

export const settlePage = (props: ActionProps, { amountMinor, currency, id }: Refund): Page => {
  const say = sayOf(props.context, "orderAction")
  const outcomes = [["done", say("settle.done")], ["failed", say("settle.failed")]] as const
  return actionPage(props, {
    action: `refunds/${id}`,
    title: say("settle.title"),
    text: say("settle.text", { amount: minorText(props.context, amountMinor, currency) }),
    submit: say("settle.submit"),
    inputs: [
      { is: "radios", name: "outcome", label: say("settle.what"), options: outcomes },
      noteInput(props.context)
    ]
  })
}
