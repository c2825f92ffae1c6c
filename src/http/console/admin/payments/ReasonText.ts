/**
 * Why a payment event has its outcome, in the reader's language and currency.
 */
import { DateTime, Option } from "effect"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import type { Reason } from "../../../../orders/Reason.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { minorText } from "./EventParts.tsx"

/** Providers' own words for people: `product_not_received` as `product not received`. */
const plain = (text: string): string => text.replaceAll("_", " ")

const amountIn = (context: PageContext, values: Reason["values"], name: "asked" | "paid"): string => {
  const minor = values[`${name}_minor`]
  return minor !== undefined && /^-?\d+$/.test(minor)
    ? minorText(context, BigInt(minor), values[`${name}_currency`] ?? null)
    : values[name] ?? ""
}

const moment = (context: PageContext, text = ""): string => {
  const at = Option.getOrUndefined(DateTime.make(text))
  return at === undefined ? text : context.formats.time(DateTime.toDateUtc(at))
}

/** Why an event has its outcome; empty where it goes without saying. */
export const reasonFor = (context: PageContext, { note, reason }: Pick<EventItem, "note" | "reason">): string => {
  if (reason === undefined) return note
  const { values } = reason
  return sayOf(context, "reason")(reason.code, {
    ...values,
    paid: amountIn(context, values, "paid"),
    asked: amountIn(context, values, "asked"),
    due_at: moment(context, values["due_at"]),
    reason: plain(values["reason"] ?? ""),
    status: plain(values["status"] ?? "")
  })
}
