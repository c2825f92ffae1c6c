/**
 * Failures of calls that succeeded on no channel. One client may cause them by what it sends, so they say something about an
 * upstream only once calls of several users failed there within a minute. Pure, with the time as an argument; what is
 * remembered is bounded to a few moments of a few users.
 * @internal
 */
import type { UserId } from "../domain/Ids.ts"

/** Different users whose calls have to fail, before failures count. */
export const USERS_TO_COUNT = 3

/** The time within which they have to fail, in milliseconds. */
export const USERS_WINDOW_MS = 60_000

/** Failures remembered of one user, at most: no breaker needs more to open. */
export const REMEMBERED_PER_USER_MAX = 5

interface UserFailures {
  readonly userId: UserId
  readonly lastMs: number
  /** When those happened that have not counted yet, the oldest first. */
  readonly waiting: ReadonlyArray<number>
}

/** The newest failure of each user, the newest last; at most {@link USERS_TO_COUNT} users. */
export type SharedFailures = ReadonlyArray<UserFailures>

/** What is remembered after a failure, and how many failures count now. */
export interface Remembered {
  readonly failures: SharedFailures
  readonly counted: number
}

/** Remembers that a call of this user failed. */
export const remember = (before: SharedFailures, userId: UserId, nowMs: number): Remembered => {
  const isRecent = (atMs: number): boolean => atMs > nowMs - USERS_WINDOW_MS
  const own = before.find((user) => user.userId === userId)
  const others = before.filter((user) => user.userId !== userId && isRecent(user.lastMs))
  const waiting = [...(own?.waiting ?? []).filter(isRecent), nowMs].slice(-REMEMBERED_PER_USER_MAX)
  const failures = [...others, { userId, lastMs: nowMs, waiting }].slice(-USERS_TO_COUNT)
  if (failures.length < USERS_TO_COUNT) return { failures, counted: 0 }
  const counted = failures.reduce((sum, user) => sum + user.waiting.filter(isRecent).length, 0)
  return { failures: failures.map(({ lastMs, userId }) => ({ userId, lastMs, waiting: [] })), counted }
}
