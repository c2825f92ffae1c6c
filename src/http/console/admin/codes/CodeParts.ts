/**
 * What every page about codes says of them: what they give, their state, and how often they have been used.
 */
import type { CodeState, Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"

export const states: States<CodeState, TextKey<"codes">> = {
  active: ["green", "active"],
  used: ["blue", "state.used"],
  expired: ["yellow", "expired"],
  disabled: ["secondary", "state.disabled"]
}

/** What one use of a code gives, in words. */
export const giftName = (context: PageContext, gift: Gift): string => {
  const say = sayOf(context, "codes")
  return gift.kind === "balance"
    ? say("gives.balance", { amount: context.formats.usd(gift.usdMicros) })
    : say("gives.plan", { name: gift.terms.name, days: gift.terms.durationDays })
}

/** How many uses there have been of how many there may be. */
export const usesText = (context: PageContext, uses: number, max: number): string =>
  sayOf(context, "codes")("redeemed.of", { uses: context.formats.count(uses), max: context.formats.count(max) })
