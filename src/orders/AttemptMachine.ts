/**
 * What a payment attempt becomes by what happens to it. Pure; the table of its tests is the rule book. An attempt that was paid is
 * never clawed back here: refunds and disputes are about the payment, not about the attempt.
 */
import type { AttemptState } from "./Order.ts"

/** The part of an attempt that changes. `payable`: the provider may still take a payment for it. */
export interface AttemptStatus {
  readonly state: AttemptState
  readonly payable: boolean
}

export type AttemptEvent =
  /** The provider has a page on which it can be paid. */
  | { readonly _tag: "Opened" }
  /** The provider refused to open one, for good. */
  | { readonly _tag: "Refused" }
  /** The payer has done their part, and the money is on its way. */
  | { readonly _tag: "UnderWay" }
  /** Its payment has fulfilled the order. */
  | { readonly _tag: "Paid" }
  /** The order was fulfilled by another attempt. */
  | { readonly _tag: "OtherPaid" }
  /** Its payment was decided on by people. Its page is closed next; until then it can be paid once more. */
  | { readonly _tag: "Resolved" }
  /** Its page is closed for good. Money that is on its way still comes. */
  | { readonly _tag: "SessionExpired" }
  /** Nothing more comes of it: the provider says so, or it is too old. */
  | { readonly _tag: "Ended" }

/** The attempt as it is then; the same object where nothing changes. */
export const evolveAttempt = (status: AttemptStatus, event: AttemptEvent): AttemptStatus => {
  const { payable, state } = status
  if (state === "paid") return payable ? { state, payable: false } : status
  switch (event._tag) {
    case "Opened":
      // An attempt whose order was paid meanwhile is closed; its page can still be paid until it is closed too.
      return state === "processing" || payable ? status : { state, payable: true }
    case "Refused":
      return state === "open" ? { state: "closed", payable } : status
    case "UnderWay":
      return state === "open" ? { state: "processing", payable } : status
    case "Paid":
      return { state: "paid", payable: false }
    case "OtherPaid":
    case "Resolved":
      return state === "open" ? { state: "closed", payable } : status
    case "SessionExpired":
      return { state: state === "open" ? "closed" : state, payable: false }
    case "Ended":
      return state === "closed" && !payable ? status : { state: "closed", payable: false }
  }
}
