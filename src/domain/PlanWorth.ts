/**
 * What a plan that is given is worth to whoever gets it: no less than what calls can use of it, and no less than what it costs.
 */

export interface PlanAllowance {
  readonly priceFen: bigint
  readonly durationDays: number
  /** In USD micros; 0: no limit. */
  readonly limit5hMicros: bigint
  readonly limit1dMicros: bigint
  readonly limit7dMicros: bigint
  readonly limit30dMicros: bigint
}

const HOURS_PER_DAY = 24

/**
 * What the calls of a plan can use, in USD micros: by the strictest of its limits, over its whole time. A window that has begun counts
 * whole. Undefined: nothing limits it.
 */
export const usableMicros = (plan: PlanAllowance): bigint | undefined => {
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
  return sums.reduce<bigint | undefined>((least, sum) => least === undefined || sum < least ? sum : least, undefined)
}

/** The same in USD micros, with its price at what a fen buys; undefined: without bound. */
export const planWorthMicros = (plan: PlanAllowance, priceMicros: bigint): bigint | undefined => {
  const usable = usableMicros(plan)
  return usable === undefined || usable > priceMicros ? usable : priceMicros
}
