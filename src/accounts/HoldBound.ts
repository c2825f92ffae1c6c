/**
 * What a hold of so many output tokens comes to, at the multipliers of what would pay. Pure.
 */
import { costMicros, MULTIPLIER_ONE, type Multipliers } from "../domain/Price.ts"
import type { AccountState, Reserve, SubscriptionState } from "./AccountState.ts"

/** The multipliers that depend on what pays. */
export type FundingMultipliers = Pick<Multipliers, "planMultiplier" | "groupMultiplier">

/** Those of a call that nothing but `billing.multiplier` is applied to. */
export const unmultiplied: FundingMultipliers = { planMultiplier: MULTIPLIER_ONE, groupMultiplier: MULTIPLIER_ONE }

/** Of the balance, and of calls that are free: the user's own group comes before that of a redeemed code. */
export const balanceMultipliers = (
  { groups: { own, redeemed } }: Pick<AccountState, "groups">
): FundingMultipliers => ({
  planMultiplier: MULTIPLIER_ONE,
  groupMultiplier: own ?? redeemed ?? MULTIPLIER_ONE
})

/** Of a subscription: its plan's group comes after the user's own, and before that of a redeemed code. */
export const planMultipliers = (
  { groups: { own, redeemed } }: Pick<AccountState, "groups">,
  { groupMultiplier, multiplier }: Pick<SubscriptionState, "groupMultiplier" | "multiplier">
): FundingMultipliers => ({
  planMultiplier: multiplier,
  groupMultiplier: own ?? groupMultiplier ?? redeemed ?? MULTIPLIER_ONE
})

/** The hold for a number of output tokens, in micros. */
export const boundMicros = (
  { baseNumerator, billingMultiplier, tokenNumerator }: Reserve,
  tokens: number,
  { groupMultiplier, planMultiplier }: FundingMultipliers
): bigint =>
  costMicros(baseNumerator + BigInt(tokens) * tokenNumerator, { billingMultiplier, planMultiplier, groupMultiplier })
