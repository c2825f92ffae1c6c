/**
 * What pages show of a payment event: who told it, what it says, what became of it and why, and of how much it is.
 */
import { DateTime, Option } from "effect"
import type { EventItem, Resolution } from "../../../../events/PaymentEvents.ts"
import type { PaymentStanding } from "../../../../events/PaymentSearch.ts"
import { askedOf } from "../../../../orders/DisputeFold.ts"
import type { PaymentUsed } from "../../../../orders/OrderError.ts"
import type { PaymentState } from "../../../../orders/Payments.ts"
import type { Reason } from "../../../../orders/Reason.ts"
import type { EventOutcome } from "../../../../orders/Settlement.ts"
import { PaymentSource } from "../../../../payments/PaymentFact.ts"
import type { ItemColumn, ListFilter } from "../../kit/List.tsx"
import { Badge, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { sayNamed, type TextKey } from "../../text/Texts.ts"

export const sources = PaymentSource.literals

export const sourceName = (context: PageContext, source: PaymentSource): string =>
  source === "manual"
    ? sayOf(context, "payments")("source.manual")
    : source === "epay"
    ? sayOf(context, "payments")("epay")
    : "Stripe"

export const sourceFilter = (context: PageContext, label: string, value: string | undefined): ListFilter => ({
  is: "choice",
  name: "provider",
  label,
  value,
  options: sources.map((source) => [source, sourceName(context, source)])
})

/** The order that an event or a payment belongs to. */
export const orderColumn = (context: PageContext): ItemColumn<{ readonly orderId: bigint | null }> => ({
  title: sayOf(context, "payments")("order"),
  wide: true,
  cell: ({ orderId }) => orderId === null ? "–" : <a href={`/admin/orders/${orderId}`}>#{orderId.toString()}</a>
})

/** What an event says, in words; a fact without words is shown by its name. */
export const factName = (context: PageContext, fact: string): string => sayNamed(context.language, "paymentFact", fact)

const outcomes: States<EventOutcome, TextKey<"payments">> = {
  received: ["yellow", "outcome.received"],
  deferred: ["yellow", "outcome.deferred"],
  applied: ["green", "outcome.applied"],
  duplicate: ["secondary", "outcome.duplicate"],
  ignored: ["secondary", "outcome.ignored"],
  needs_review: ["red", "toLookAt"]
}

export const outcomeName = (context: PageContext, outcome: EventOutcome): string =>
  sayOf(context, "payments")(outcomes[outcome][1])

export const resolutionName = (context: PageContext, resolution: Resolution): string =>
  sayOf(context, "payments")(`resolution.${resolution}`)

/** What has become of a payment. */
export const paymentStates: States<PaymentState | PaymentStanding, TextKey<"payments">> = {
  in_review: ["red", "toLookAt"],
  fulfilled: ["green", "paid"],
  paid: ["green", "paid"],
  credited: ["green", "credited"],
  part_refunded: ["orange", "state.part_refunded"],
  refunded: ["orange", "resolution.refunded"],
  dismissed: ["secondary", "resolution.dismissed"]
}

/** What became of it: by itself, or by somebody. */
export const OutcomeBadge = (
  { event: { outcome, resolution }, context }: { readonly context: PageContext; readonly event: EventItem }
) =>
  resolution === null
    ? <Badge tone={outcomes[outcome][0]}>{outcomeName(context, outcome)}</Badge>
    : <Badge tone="blue">{resolutionName(context, resolution)}</Badge>

/** What a payment has been used for, which it can be only once. */
export const usedText = (context: PageContext, { why }: PaymentUsed): string => {
  const say = sayOf(context, "payments")
  return { order: say("used.order"), credited: say("used.credited"), refunded: say("markedRefunded") }[why]
}

const currencyPattern = /^[a-z]{3}$/i

/** An amount with its currency, whatever the provider calls it; a dash where there is none. */
export const minorText = (context: PageContext, amountMinor: bigint | null, currency: string | null): string => {
  if (amountMinor === null || currency === null) return "–"
  return currencyPattern.test(currency) ? context.formats.minor(amountMinor, currency) : `${amountMinor} ${currency}`
}

/** Providers' own words for people: `product_not_received` as `product not received`. */
export const plainWords = (text: string): string => text.replaceAll("_", " ")

/** A dispute, by its provider's word for how it stands. */
export const DisputeBadge = ({ status }: { readonly status: string }) => (
  <Badge tone={askedOf(status) === "answer" ? "red" : "secondary"}>{plainWords(status)}</Badge>
)

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
    reason: plainWords(values["reason"] ?? ""),
    status: plainWords(values["status"] ?? "")
  })
}
