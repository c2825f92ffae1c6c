/**
 * How a call is spoken of: its state, who paid for it, and what its usage is worth.
 */
import type { CallItem, CallState } from "../../../../usage/CallItem.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, type Tone } from "../../ui/Parts.tsx"

const tones: Readonly<Record<CallState, Tone>> = {
  reserved: "blue",
  committed: "green",
  voided: "secondary",
  expired: "orange"
}

export const callStateName = (context: PageContext, state: CallState): string => {
  const say = sayOf(context, "usage")
  return ({
    reserved: say("state.reserved"),
    committed: say("state.committed"),
    voided: say("state.voided"),
    expired: say("expired")
  })[state]
}

export const fundingName = (context: PageContext, funding: CallItem["funding"]): string => {
  const say = sayOf(context, "usage")
  return ({
    balance: say("balance"),
    subscription: say("plan"),
    free: say("free")
  })[funding]
}

export const CallBadge = ({ state, context }: { readonly context: PageContext; readonly state: CallState }) => (
  <Badge tone={tones[state]}>{callStateName(context, state)}</Badge>
)

export const EstimatedBadge = ({ context }: { readonly context: PageContext }) => (
  <Badge tone="yellow">{sayOf(context, "usage")("estimated")}</Badge>
)
