/**
 * What a reserve holds and how much of it funds can cover: the output that a funding pays for, and why a call is refused
 * when no funding pays. Pure.
 *
 * @internal
 */
import { divideUp, maximum, minimum } from "../domain/Money.ts"
import { MULTIPLIER_ONE, multiplierProduct, PRODUCT_ONE } from "../domain/Price.ts"
import { FundsHeld, InsufficientFunds } from "./AccountError.ts"
import type { AccountState, Reserve, SubscriptionState } from "./AccountState.ts"
import { balanceMultipliers, boundMicros, type FundingMultipliers, planMultipliers } from "./HoldBound.ts"
import { rolled, room, roomAt, roomWithout } from "./SubscriptionWindows.ts"

/** Whether a subscription pays at a moment. */
export const isRunning = (subscription: SubscriptionState, atMs: number): boolean =>
  subscription.startsAtMs <= atMs && atMs < subscription.endsAtMs

/** What one funding has for a call, and the multipliers at which it pays. */
interface Funds extends FundingMultipliers {
  readonly availableMicros: bigint
}

/** The fewest tokens that the call does with. */
const least = (command: Reserve): number => Math.min(command.tokensMin, command.tokensMax)

/**
 * The largest number of tokens, up to the most that is wanted, whose cost fits into what the funds leave after the base -
 * with `halfAvailable` into half of that.
 */
const upperTokens = (command: Reserve, funds: Funds): number => {
  const { availableMicros, groupMultiplier, planMultiplier } = funds
  const multiplier = multiplierProduct({
    billingMultiplier: command.billingMultiplier,
    planMultiplier,
    groupMultiplier
  })
  if (command.tokenNumerator * multiplier === 0n) {
    return boundMicros(command, 0, funds) <= availableMicros ? command.tokensMax : 0
  }
  const scale = 1_000_000n * PRODUCT_ONE
  const left = (availableMicros * scale) / multiplier - command.baseNumerator
  const price = command.halfAvailable === true ? 2n * command.tokenNumerator : command.tokenNumerator
  return Number(maximum(0n, minimum(left / price, BigInt(command.tokensMax))))
}

/**
 * The output tokens that the funds pay for: as many as they can up to the most that is wanted, raised to the
 * default where that fits, else to the least; undefined when they do not cover the least.
 */
export const affordable = (command: Reserve, funds: Funds): number | undefined => {
  const { availableMicros } = funds
  const { halfAvailable, tokensDefault, tokensMax } = command
  if (halfAvailable !== true && boundMicros(command, tokensMax, funds) <= availableMicros) return tokensMax
  const tokensMin = least(command)
  if (boundMicros(command, tokensMin, funds) > availableMicros) return undefined
  const upper = upperTokens(command, funds)
  const wanted = Math.min(Math.max(tokensDefault ?? tokensMin, tokensMin), tokensMax)
  if (upper < wanted && boundMicros(command, wanted, funds) <= availableMicros) return wanted
  return Math.max(upper, tokensMin)
}

/** What the least that the call does with would hold. */
export const leastMicros = (command: Reserve, multipliers: FundingMultipliers): bigint =>
  boundMicros(command, least(command), multipliers)

/** The command with at most the output that its key may still spend; undefined: not even the least. */
export const withinSpend = (
  command: Reserve,
  roomMicros: bigint | undefined,
  multipliers: FundingMultipliers
): Reserve | undefined => {
  if (roomMicros === undefined) return command
  if (leastMicros(command, multipliers) > roomMicros) return undefined
  const fits = upperTokens({ ...command, halfAvailable: false }, { availableMicros: roomMicros, ...multipliers })
  if (fits >= command.tokensMax) return command
  return { ...command, tokensMax: fits, tokensDefault: Math.min(fits, command.tokensDefault ?? command.tokensMin) }
}

/** The output limit that a funding would cover now, in tokens; 0 when it covers none. */
const fit = (command: Reserve, funds: Funds): number =>
  boundMicros(command, 1, funds) > funds.availableMicros
    ? 0
    : upperTokens({ ...command, halfAvailable: false }, funds)

/** What the balance has for holds; nothing while anything is owed or when it may not be used. */
const balanceOf = (state: AccountState, command: Reserve): bigint =>
  command.payAsYouGo && state.owedMicros === 0n ? state.usdMicros : 0n

const runningOf = (state: AccountState, command: Reserve): ReadonlyArray<SubscriptionState> =>
  state.subscriptions.filter((subscription) => isRunning(subscription, command.atMs))

/** Funds as if their multipliers were 1. What is multiplied by 0 is free, and needs none. */
const unmultipliedMicros = (micros: bigint, { groupMultiplier, planMultiplier }: FundingMultipliers): bigint => {
  const multiplier = planMultiplier * groupMultiplier
  return multiplier === 0n ? 0n : divideUp(micros * MULTIPLIER_ONE * MULTIPLIER_ONE, multiplier)
}

/** The most that any one funding has with no call open, as if the multipliers of its plan and group were 1. */
const roomOf = (state: AccountState, command: Reserve): bigint => {
  let most = command.payAsYouGo && state.owedMicros === 0n
    ? unmultipliedMicros(state.usdMicros + state.heldMicros, balanceMultipliers(state))
    : 0n
  for (const subscription of runningOf(state, command)) {
    const { held, limits, windows } = subscription
    const left = roomWithout({ windows: rolled(windows, command.atMs), held: rolled(held, command.atMs), limits })
    if (left !== undefined) most = maximum(most, unmultipliedMicros(left, planMultipliers(state, subscription)))
  }
  return most
}

/** Why neither a subscription nor the balance covers the smallest hold, and what would. */
const insufficient = (state: AccountState, command: Reserve): InsufficientFunds => {
  const availableMicros = balanceOf(state, command)
  const ofBalance = balanceMultipliers(state)
  let outputTokensFit = command.payAsYouGo ? fit(command, { availableMicros, ...ofBalance }) : 0
  let roomAtMs: number | null = null
  const running = runningOf(state, command)
  for (const subscription of running) {
    const windows = rolled(subscription.windows, command.atMs)
    const left = room(windows, subscription.limits) ?? 0n
    const multipliers = planMultipliers(state, subscription)
    outputTokensFit = Math.max(outputTokensFit, fit(command, { availableMicros: left, ...multipliers }))
    const needed = boundMicros(command, least(command), multipliers)
    const at = roomAt(windows, subscription.limits, needed, command.atMs)
    if (at !== undefined && at < subscription.endsAtMs && (roomAtMs === null || at < roomAtMs)) roomAtMs = at
  }
  return new InsufficientFunds({
    neededMicros: boundMicros(command, least(command), ofBalance),
    wantedMicros: boundMicros(command, command.tokensMax, ofBalance),
    availableMicros,
    roomMicros: roomOf(state, command),
    owedMicros: state.owedMicros,
    outputTokensFit,
    payAsYouGo: command.payAsYouGo,
    subscribed: running.length > 0,
    roomAtMs
  })
}

/** A funding that would cover the call with no call open. Amounts in micros. */
interface HeldFunding {
  readonly neededMicros: bigint
  readonly availableMicros: bigint
}

const heldFunding = (state: AccountState, command: Reserve): HeldFunding | undefined => {
  const needed = (multipliers: FundingMultipliers) => boundMicros(command, least(command), multipliers)
  for (const subscription of runningOf(state, command)) {
    const { held, limits, windows } = subscription
    const rolledWindows = rolled(windows, command.atMs)
    const unheld = roomWithout({ windows: rolledWindows, held: rolled(held, command.atMs), limits })
    const neededMicros = needed(planMultipliers(state, subscription))
    if (unheld !== undefined && neededMicros > unheld) continue
    return { neededMicros, availableMicros: room(rolledWindows, limits) ?? neededMicros }
  }
  const mayPay = command.payAsYouGo && state.owedMicros === 0n
  const neededMicros = needed(balanceMultipliers(state))
  return mayPay && neededMicros <= state.usdMicros + state.heldMicros
    ? { neededMicros, availableMicros: state.usdMicros }
    : undefined
}

/**
 * Why a call is not held. Where a funding would cover it with no call open, open calls hold the funds (or `counted`: the one
 * counted hold that an account may have); else the funds do not suffice. A debt closes the balance, whatever is held.
 */
export const refusalOf = (
  state: AccountState,
  command: Reserve,
  counted: boolean
): InsufficientFunds | FundsHeld => {
  const funding = heldFunding(state, command)
  return funding === undefined
    ? insufficient(state, command)
    : new FundsHeld({ ...funding, roomMicros: roomOf(state, command), openHolds: state.openHolds, counted })
}
