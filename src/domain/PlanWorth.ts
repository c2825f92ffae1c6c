/** What a plan is worth when it is given away: no less than what calls can use of it, and no less than its price. */

import { formatDecimal, minimum } from "./Money.ts"
import { MULTIPLIER_ONE } from "./Price.ts"

export interface PlanAllowance {
  readonly priceFen: bigint
  readonly durationDays: number
  /** In USD micros; 0: no limit. */
  readonly limit5hMicros: bigint
  readonly limit1dMicros: bigint
  readonly limit7dMicros: bigint
  readonly limit30dMicros: bigint
  /** Scaled by 10^6: what a call costs counts that many times. */
  readonly multiplierMicros: bigint
}

const HOURS_PER_DAY = 24

/** At list prices: below one, a multiplier lets more through than the limits say; above one it takes nothing from what they say. */
const atListPrices = (micros: bigint, multiplierMicros: bigint): bigint | undefined => {
  if (multiplierMicros >= MULTIPLIER_ONE) return micros
  return multiplierMicros <= 0n ? undefined : (micros * MULTIPLIER_ONE + multiplierMicros - 1n) / multiplierMicros
}

/** What its windows let through over its whole time, as calls count: the least of them. Undefined: nothing limits it. */
export const countedMicros = (plan: PlanAllowance): bigint | undefined => {
  const hours = plan.durationDays * HOURS_PER_DAY
  const windows: ReadonlyArray<readonly [limitMicros: bigint, hours: number]> = [
    [plan.limit5hMicros, 5],
    [plan.limit1dMicros, HOURS_PER_DAY],
    [plan.limit7dMicros, 7 * HOURS_PER_DAY],
    [plan.limit30dMicros, 30 * HOURS_PER_DAY]
  ]
  const sums = windows.flatMap(([limitMicros, each]) =>
    limitMicros === 0n ? [] : [limitMicros * BigInt(Math.ceil(hours / each))]
  )
  const [first, ...others] = sums
  return first === undefined ? undefined : others.reduce(minimum, first)
}

/**
 * What the calls of a plan can use, in USD micros: by the strictest of its limits, over its whole time. A window that has begun counts
 * whole. Undefined: nothing limits it.
 */
export const usableMicros = (plan: PlanAllowance): bigint | undefined => {
  const counted = countedMicros(plan)
  return counted === undefined ? undefined : atListPrices(counted, plan.multiplierMicros)
}

/** What calls are multiplied with, each scaled by 10^6. */
export interface PromisedAt {
  /** Of the plan, and of the group whose prices its calls have. */
  readonly planMultiplier: bigint
  readonly groupMultiplier: bigint
  /** Of the group whose prices the buyer is shown. */
  readonly shownMultiplier: bigint
}

/**
 * What a buyer is promised of a plan, in USD micros: the calls at the prices they are shown that it pays for at most, rounded down.
 * Undefined: nothing limits it.
 */
export const promisedMicros = (
  counted: bigint | undefined,
  { groupMultiplier, planMultiplier, shownMultiplier }: PromisedAt
): bigint | undefined => {
  const factor = planMultiplier * groupMultiplier
  return counted === undefined || factor === 0n ? undefined : counted * shownMultiplier * MULTIPLIER_ONE / factor
}

/** The same in USD micros, with its price at what a fen buys; undefined: without bound. */
export const planWorthMicros = (plan: PlanAllowance, priceMicros: bigint): bigint | undefined => {
  const usable = usableMicros(plan)
  return usable === undefined || usable > priceMicros ? usable : priceMicros
}

/** How many times as large an amount is as another one, cut to one decimal; undefined where it is not larger. */
export const timesOf = (micros: bigint, ofMicros: bigint): string | undefined => {
  const tenths = ofMicros <= 0n ? 0n : micros * 10n / ofMicros
  return tenths > 10n ? formatDecimal(tenths, { scale: 1 }) : undefined
}
