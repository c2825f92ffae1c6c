/**
 * Rates of calls and tokens (GCRA). A rate is one number: the moment at which all of the limit is free again. It moves on by a part of a
 * minute for each call, or token, and never more than a minute ahead of the clock; a token's part may be corrected later, when the call's
 * usage is known. Pure; the journal repeats the same rule as a guard in SQL.
 *
 * @internal
 */
import type { RateState } from "../domain/RateReport.ts"

/** A minute, in microseconds: what a limit is for, and how far ahead of the clock a rate may be. */
export const MINUTE_US = 60_000_000

export const US_PER_MS = 1_000

/**
 * What `count` of a limit cost, in microseconds. Rounded down: as many calls as the limit says fit into one moment, and no more for limits
 * up to the square root of a minute's microseconds, some 7,700; of a larger one as many more as its part of a microsecond makes.
 */
export const costUs = (count: number, perMinute: number): number =>
  count === 0 ? 0 : Math.max(1, Math.floor((count * MINUTE_US) / perMinute))

export const rateState = (fullUs: number, perMinute: number, nowUs: number): RateState => {
  const takenUs = Math.max(0, fullUs - nowUs)
  return {
    limit: perMinute,
    remaining: Math.max(0, Math.floor(((MINUTE_US - takenUs) * perMinute) / MINUTE_US)),
    resetMs: Math.ceil(takenUs / US_PER_MS)
  }
}

/** Of two limits, the one that leaves less. */
export const tighter = (first: RateState | undefined, second: RateState | undefined): RateState | undefined =>
  first === undefined || (second !== undefined && second.remaining < first.remaining) ? second : first

/** How long until `cost` fits, in milliseconds; 0: it fits now. */
export const waitMs = (fullUs: number, cost: number, nowUs: number): number =>
  Math.max(0, Math.ceil((Math.max(fullUs, nowUs) + cost - nowUs - MINUTE_US) / US_PER_MS))
