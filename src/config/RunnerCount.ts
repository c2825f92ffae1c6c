/**
 * How many processes serve together on this machine: a number, or `auto` for one on each core, up to a bound.
 */
import { availableParallelism } from "node:os"

/** Runners of one supervisor, at most. */
const RUNNERS_MAX = 64

/** Runners that `auto` makes, at most: PostgreSQL on the same machine needs the other cores. */
const AUTO_RUNNERS_MAX = 8

export const RUNNERS_EXPECTED = `auto, or a whole number from 1 to ${RUNNERS_MAX}`

/** Undefined for a text that is neither. */
export const readRunnerCount = (text: string): number | undefined => {
  if (text === "auto") return Math.min(availableParallelism(), AUTO_RUNNERS_MAX)
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= RUNNERS_MAX ? count : undefined
}
