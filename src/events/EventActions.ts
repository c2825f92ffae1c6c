/**
 * What can be done about a payment event, by what the provider says and by the state of its order.
 */
import { isFulfilled } from "../orders/Order.ts"
import { isAboutMoneyIn, isCreditable, isRefundable } from "./EventResolutions.ts"
import type { EventDetails } from "./PaymentEvents.ts"

export const eventActions = ["accept", "accept_part", "credit", "refund", "refunded", "dismiss"] as const
export type EventAction = typeof eventActions[number]

/** Whether somebody has paid, and a user may get it. */
export const isPayment = ({ fact, payment }: EventDetails["event"]): boolean => isCreditable(fact) && payment !== null

/** What is possible, the likeliest first. */
export const possibleActions = ({ event, order }: EventDetails): ReadonlyArray<EventAction> => {
  const pays = isPayment(event) && order !== undefined && !isFulfilled(order.state)
  const isPossible: Readonly<Record<EventAction, boolean>> = {
    accept: pays,
    accept_part: pays && order.kind === "topup",
    credit: isPayment(event),
    refund: isRefundable(event),
    refunded: isAboutMoneyIn(event.fact) && event.payment !== null,
    dismiss: true
  }
  return event.isOpen ? eventActions.filter((action) => isPossible[action]) : []
}
