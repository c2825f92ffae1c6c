/**
 * What root can do about a payment event: which of it is possible, what follows from it, and what its form asks for.
 */
import { formatUsd } from "../../../../domain/Money.ts"
import { isAboutMoneyIn, isCreditable, isRefundable } from "../../../../events/EventResolutions.ts"
import type { EventDetails } from "../../../../events/PaymentEvents.ts"
import { isFulfilled } from "../../../../orders/Order.ts"
import type { FormState, Page } from "../../Answer.ts"
import { askPage } from "../../kit/Forms.tsx"
import { type Input, noteInput } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { minorText, sourceName } from "./EventParts.tsx"

export const paymentActions = ["accept", "accept_part", "credit", "refund", "refunded", "dismiss"] as const
export type PaymentAction = typeof paymentActions[number]

/** Whether somebody has paid, and a user may get it. */
export const isPayment = ({ fact, payment }: EventDetails["event"]): boolean => isCreditable(fact) && payment !== null

/** What is possible, the likeliest first. */
export const possibleActions = ({ event, order }: EventDetails): ReadonlyArray<PaymentAction> => {
  const pays = isPayment(event) && order !== undefined && !isFulfilled(order.state)
  const isPossible: Readonly<Record<PaymentAction, boolean>> = {
    accept: pays,
    accept_part: pays && order.kind === "topup",
    credit: isPayment(event),
    refund: isRefundable(event),
    refunded: isAboutMoneyIn(event.fact) && event.payment !== null,
    dismiss: true
  }
  return event.isOpen ? paymentActions.filter((action) => isPossible[action]) : []
}

/** What an action is called, and what follows from it. */
export const actionTexts = (
  context: PageContext,
  { event, order }: EventDetails,
  action: PaymentAction
): { readonly title: string; readonly text: string } => {
  const say = sayOf(context, "payments")
  const id = order?.id.toString() ?? ""
  return {
    accept: { title: say("accept"), text: say("accept.text", { id }) },
    accept_part: { title: say("accept_part"), text: say("accept_part.text", { id }) },
    credit: { title: say("credit"), text: say("credit.text") },
    refund: {
      title: say("refund"),
      text: say("refund.text", { provider: sourceName(context, event.provider) })
    },
    refunded: { title: say("refunded"), text: say("refunded.text") },
    dismiss: { title: say("dismiss"), text: say("dismiss.text") }
  }[action]
}

/** Who gets the money, and how much of it. */
const creditInputs = (context: PageContext, { buyer, suggestedMicros }: EventDetails): ReadonlyArray<Input> => {
  const say = sayOf(context, "payments")
  const [hint, initial] = suggestedMicros === undefined
    ? [say("usd.unknown"), ""]
    : [say("usd.hint", { amount: context.formats.usd(suggestedMicros) }), formatUsd(suggestedMicros)]
  return [
    {
      name: "user",
      label: say("user"),
      hint: say("user.hint"),
      initial: buyer?.email ?? "",
      maxlength: 254,
      required: true
    },
    { is: "usd", name: "amount", label: say("usd"), hint, initial, required: true }
  ]
}

export const actionPage = (
  context: PageContext,
  state: FormState,
  details: EventDetails,
  action: PaymentAction
): Page => {
  const { event } = details
  const texts = actionTexts(context, details, action)
  const back = `/admin/payments/${event.id}`
  const title = sayOf(context, "payments")("event.title", { id: event.id.toString() })
  return askPage({
    context,
    state,
    ...texts,
    lead: `${title} · ${minorText(context, event.amountMinor, event.currency)}`,
    action: `${back}/${action}`,
    submit: texts.title,
    back,
    backText: context.say("cancel"),
    once: action === "refund",
    inputs: [...action === "credit" ? creditInputs(context, details) : [], noteInput(context)]
  })
}
