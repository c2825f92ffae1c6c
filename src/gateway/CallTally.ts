/**
 * What is recorded and charged for a call that ended: the upstream's usage where it gave one, else an estimate from the
 * request and from what was produced. Never zero for a delivered answer, never simply the whole hold.
 */
import { type CallOutcome, emptyOutcome } from "../accounts/AccountState.ts"
import type { Call } from "./CallRequest.ts"
import type { StreamEnd } from "./StreamRelay.ts"
import { estimateInputTokens } from "./TextTokens.ts"
import type { UpstreamUsage } from "./UpstreamUsage.ts"

/** How and when a call ran. Times in ms since the epoch. */
export interface CallTimes {
  readonly startedMs: number
  readonly firstByteMs: number | null
  readonly endedMs: number
}

export interface CallRoute {
  readonly channel: string | null
  readonly upstreamModel: string | null
}

const timing = (times: CallTimes) => ({
  latencyMs: Math.max(0, Math.round(times.endedMs - times.startedMs)),
  ttftMs: times.firstByteMs === null ? null : Math.max(0, Math.round(times.firstByteMs - times.startedMs))
})

/** The outcome of a call that nothing is charged for. */
export const voided = (reason: string, status: number | null, route: CallRoute, times: CallTimes): CallOutcome => ({
  ...emptyOutcome,
  ...timing(times),
  ...route,
  reason,
  status
})

/** The outcome of an answered call. `outputTokens` is the estimate used when the upstream gave no usage. */
export const answered = (
  call: Call,
  usage: UpstreamUsage | undefined,
  outputTokens: () => number,
  status: number,
  reason: string | null,
  route: CallRoute,
  times: CallTimes
): CallOutcome => {
  const known = usage ?? {
    inputTokens: estimateInputTokens(call),
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: outputTokens(),
    flagged: false
  }
  return {
    usage: {
      inputTokens: known.inputTokens,
      cachedInputTokens: known.cachedInputTokens,
      cacheWriteTokens: known.cacheWriteTokens,
      outputTokens: known.outputTokens
    },
    usageSource: usage === undefined ? "estimated" : "upstream",
    usageFlagged: known.flagged,
    status,
    reason,
    ...route,
    ...timing(times)
  }
}

/** The code recorded for a stream that did not end as it should. */
export const reasonOf = (end: StreamEnd): string | null => end === "complete" ? null : end
