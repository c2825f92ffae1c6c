/**
 * What a reserve costs at most and how much of it funds can cover: the largest output that fits, and what a user is told when
 * none does. Pure.
 *
 * @internal
 */
import { maximum, minimum } from "../domain/Money.ts"
import { costMicros, MULTIPLIER_ONE } from "../domain/Price.ts"
import { InsufficientFunds } from "./AccountError.ts"
import type { AccountState, Reserve, SubscriptionState } from "./AccountState.ts"
import { rolled, room, roomAt } from "./SubscriptionWindows.ts"

/** Whether a subscription pays at a moment. */
export const isRunning = (subscription: SubscriptionState, atMs: number): boolean =>
  subscription.startsAtMs <= atMs && atMs < subscription.endsAtMs

/** The hold for a number of output tokens, in micros. */
export const boundMicros = (command: Reserve, tokens: number, planMultiplier: bigint): bigint =>
  costMicros(command.baseNumerator + BigInt(tokens) * command.tokenNumerator, command.billingMultiplier, planMultiplier)

/** The most output tokens, up to the wanted, whose hold fits into `available`; undefined when the minimum does not. */
export const affordable = (command: Reserve, available: bigint, planMultiplier: bigint): number | undefined => {
  if (boundMicros(command, command.tokensMax, planMultiplier) <= available) return command.tokensMax
  if (boundMicros(command, command.tokensMin, planMultiplier) > available) return undefined
  return largestFit(command, available, planMultiplier)
}

/** The largest number of tokens whose hold fits. Only called when the token price and the multipliers are positive. */
const largestFit = (command: Reserve, available: bigint, planMultiplier: bigint): number => {
  const scale = 1_000_000n * MULTIPLIER_ONE * MULTIPLIER_ONE
  const numerator = (available * scale) / (command.billingMultiplier * planMultiplier)
  const tokens = (numerator - command.baseNumerator) / command.tokenNumerator
  return Number(maximum(0n, minimum(tokens, BigInt(command.tokensMax))))
}

const fit = (command: Reserve, available: bigint, planMultiplier: bigint): number =>
  boundMicros(command, 1, planMultiplier) > available
    ? 0
    : boundMicros(command, command.tokensMax, planMultiplier) <= available
    ? command.tokensMax
    : largestFit(command, available, planMultiplier)

/** Why neither a subscription nor the balance covers the smallest hold, and what would. */
export const insufficient = (state: AccountState, command: Reserve): InsufficientFunds => {
  const available = command.payAsYouGo && state.owedMicros === 0n ? state.usdMicros : 0n
  let outputTokensFit = command.payAsYouGo ? fit(command, available, MULTIPLIER_ONE) : 0
  let roomAtMs: number | null = null
  let subscribed = false
  for (const subscription of state.subscriptions) {
    if (!isRunning(subscription, command.atMs)) continue
    subscribed = true
    const windows = rolled(subscription.windows, command.atMs)
    outputTokensFit = Math.max(
      outputTokensFit,
      fit(command, room(windows, subscription.limits) ?? 0n, subscription.multiplier)
    )
    const needed = boundMicros(command, command.tokensMin, subscription.multiplier)
    const at = roomAt(windows, subscription.limits, needed, command.atMs)
    if (at !== undefined && at < subscription.endsAtMs && (roomAtMs === null || at < roomAtMs)) roomAtMs = at
  }
  return new InsufficientFunds({
    neededMicros: boundMicros(command, command.tokensMin, MULTIPLIER_ONE),
    availableMicros: available,
    owedMicros: state.owedMicros,
    outputTokensFit,
    payAsYouGo: command.payAsYouGo,
    subscribed,
    roomAtMs
  })
}
