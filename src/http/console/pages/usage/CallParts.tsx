/**
 * How a call is spoken of: its state, who paid for it, and what its usage is worth.
 */
import type { CallItem, CallState } from "../../../../usage/CallItem.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { usageText } from "./UsageText.ts"

const tones: Readonly<Record<CallState, Tone>> = {
  reserved: "blue",
  committed: "green",
  voided: "secondary",
  expired: "orange"
}

export const callStateName = (visit: Visit, state: CallState): string => {
  const say = sayOf(visit, usageText)
  return ({
    reserved: say("state.reserved"),
    committed: say("state.committed"),
    voided: say("state.voided"),
    expired: say("state.expired")
  })[state]
}

export const fundingName = (visit: Visit, funding: CallItem["funding"]): string => {
  const say = sayOf(visit, usageText)
  return ({
    balance: say("funding.balance"),
    subscription: say("funding.subscription"),
    free: say("funding.free")
  })[funding]
}

export const CallBadge = ({ state, visit }: { readonly visit: Visit; readonly state: CallState }) => (
  <Badge tone={tones[state]}>{callStateName(visit, state)}</Badge>
)

export const EstimatedBadge = ({ visit }: { readonly visit: Visit }) => (
  <Badge tone="yellow">{sayOf(visit, usageText)("estimated")}</Badge>
)
