/**
 * Which calls of one user a report or a list is about: a range of reserve times, and what else they have in common.
 */
import type { ApiKeyId } from "../domain/Ids.ts"

/** From `fromMs` on and before `toMs`, ms since the epoch. What is left out does not matter. */
export interface UsageFilter {
  readonly fromMs: number
  readonly toMs: number
  readonly model?: string | undefined
  readonly keyId?: ApiKeyId | undefined
  readonly funding?: "balance" | "subscription" | "free" | undefined
}

/**
 * A call's id is older than its reserve time by as long as its request took to come in, a minute at most. Ranges of ids are
 * wider than ranges of reserve times by this much, in milliseconds, at both ends.
 */
export const ID_SLACK_MS = 600_000
