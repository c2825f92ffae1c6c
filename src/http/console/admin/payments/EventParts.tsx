/**
 * What pages show of a payment event: who told it, what it says, what became of it, and of how much it is.
 */
import type { EventItem, Resolution } from "../../../../events/PaymentEvents.ts"
import type { EventOutcome } from "../../../../orders/Settlement.ts"
import type { PaymentSource } from "../../../../payments/PaymentFact.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { paymentsText } from "./PaymentsText.ts"

export const sourceName = (visit: Visit, source: PaymentSource): string =>
  source === "manual" ? sayOf(visit, paymentsText)("source.manual") : source === "epay" ? "EPay" : "Stripe"

/** What an event says, in words; one that is not known by name is called as it is. */
export const factName = (visit: Visit, fact: string): string => {
  const say = sayOf(visit, paymentsText)
  const names: ReadonlyMap<string, string> = new Map([
    ["Paid", say("fact.Paid")],
    ["Processing", say("fact.Processing")],
    ["Ended", say("fact.Ended")],
    ["Refund", say("fact.Refund")],
    ["Refunded", say("fact.Refunded")],
    ["RefundMade", say("fact.Refund")],
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

export const outcomeName = (visit: Visit, outcome: EventOutcome): string => {
  const say = sayOf(visit, paymentsText)
  return ({
    received: say("outcome.received"),
    deferred: say("outcome.deferred"),
    applied: say("outcome.applied"),
    duplicate: say("outcome.duplicate"),
    ignored: say("outcome.ignored"),
    needs_review: say("outcome.needs_review")
  })[outcome]
}

export const resolutionName = (visit: Visit, resolution: Resolution): string => {
  const say = sayOf(visit, paymentsText)
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
export const OutcomeBadge = ({ event, visit }: { readonly visit: Visit; readonly event: EventItem }) =>
  event.resolution === null
    ? <Badge tone={tones[event.outcome]}>{outcomeName(visit, event.outcome)}</Badge>
    : <Badge tone="blue">{resolutionName(visit, event.resolution)}</Badge>

const currencyPattern = /^[a-z]{3}$/i

/** An amount with its currency, whatever the provider calls it; a dash where there is none. */
export const minorText = (visit: Visit, amountMinor: bigint | null, currency: string | null): string => {
  if (amountMinor === null || currency === null) return "–"
  if (currency === "cny") return visit.formats.cny(amountMinor)
  return currencyPattern.test(currency) ? visit.formats.minor(amountMinor, currency) : `${amountMinor} ${currency}`
}
