/**
 * How long to wait before something is tried again: twice as long each time, within bounds.
 */
import { Schedule } from "effect"

export interface BackOff {
  /** Before the second try, in milliseconds. */
  readonly msMin: number
  /** Before any later try, in milliseconds. */
  readonly msMax: number
}

/** Waits from `msMin` on, doubled at each step, never longer than `msMax`. Does not end by itself. */
export const backOff = ({ msMax, msMin }: BackOff) =>
  Schedule.min([Schedule.exponential(msMin), Schedule.spaced(msMax)])
