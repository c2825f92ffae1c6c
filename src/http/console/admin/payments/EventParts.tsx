/**
 * What pages show of a payment event: who told it, what it says, what became of it, and of how much it is.
 */
import type { EventItem, Resolution } from "../../../../events/PaymentEvents.ts"
import type { EventOutcome } from "../../../../orders/Settlement.ts"
import type { PaymentSource } from "../../../../payments/PaymentFact.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"

export const sourceName = (context: PageContext, source: PaymentSource): string =>
  source === "manual" ? sayOf(context, "payments")("source.manual") : source === "epay" ? "EPay" : "Stripe"

/** What an event says, in words; one that is not known by name is called as it is. */
export const factName = (context: PageContext, fact: string): string => {
  const say = sayOf(context, "payments")
  const names: ReadonlyMap<string, string> = new Map([
    ["Paid", say("fact.Paid")],
    ["Processing", say("fact.Processing")],
    ["Ended", say("fact.Ended")],
    ["Refund", say("refund")],
    ["Refunded", say("fact.Refunded")],
    ["RefundMade", say("refund")],
    ["RefundFailed", say("fact.RefundFailed")],
    ["Dispute", say("fact.Dispute")],
    ["Inquiry", say("fact.Inquiry")],
    ["FraudWarning", say("fact.FraudWarning")],
    ["TestMode", say("fact.TestMode")],
    ["Nothing", say("fact.Nothing")],
    ["Unreadable", say("fact.Unreadable")],
    ["UnreadableClawback", say("fact.UnreadableClawback")]
  ])
  return names.get(fact) ?? fact
}

const tones: Readonly<Record<EventOutcome, Tone>> = {
  received: "yellow",
  deferred: "yellow",
  applied: "green",
  duplicate: "secondary",
  ignored: "secondary",
  needs_review: "red"
}

export const outcomeName = (context: PageContext, outcome: EventOutcome): string => {
  const say = sayOf(context, "payments")
  return ({
    received: say("outcome.received"),
    deferred: say("outcome.deferred"),
    applied: say("outcome.applied"),
    duplicate: say("outcome.duplicate"),
    ignored: say("outcome.ignored"),
    needs_review: say("toLookAt")
  })[outcome]
}

export const resolutionName = (context: PageContext, resolution: Resolution): string => {
  const say = sayOf(context, "payments")
  return ({
    accepted: say("resolution.accepted"),
    credited: say("resolution.credited"),
    refunded: say("resolution.refunded"),
    dismissed: say("resolution.dismissed"),
    completed: say("resolution.completed"),
    fulfilled: say("resolution.fulfilled")
  })[resolution]
}

/** What became of it: by itself, or by somebody. */
export const OutcomeBadge = ({ event, context }: { readonly context: PageContext; readonly event: EventItem }) =>
  event.resolution === null
    ? <Badge tone={tones[event.outcome]}>{outcomeName(context, event.outcome)}</Badge>
    : <Badge tone="blue">{resolutionName(context, event.resolution)}</Badge>

const currencyPattern = /^[a-z]{3}$/i

/** An amount with its currency, whatever the provider calls it; a dash where there is none. */
export const minorText = (context: PageContext, amountMinor: bigint | null, currency: string | null): string => {
  if (amountMinor === null || currency === null) return "–"
  if (currency === "cny") return context.formats.cny(amountMinor)
  return currencyPattern.test(currency) ? context.formats.minor(amountMinor, currency) : `${amountMinor} ${currency}`
}
