/**
 * Keeps calls away from an upstream that fails: enough failures without a success between them open its breaker for a while;
 * then one call at a time may go there as a probe. These rules are pure, with the time as an argument; `ChannelHealth` keeps
 * a breaker for each channel and model.
 * @internal
 */
import type { UserId } from "../domain/Ids.ts"

/** Failures without a success between them that open the breaker of a channel and model. */
export const FAILURES_TO_OPEN = 5

/** The same for the breaker of a whole channel: credentials, quota or suspension fail every call alike. */
export const CHANNEL_FAILURES_TO_OPEN = 1

/** How long a breaker is open at first, in milliseconds; each probe that fails doubles it. */
export const OPEN_MS_MIN = 30_000

/** A breaker is open no longer, in milliseconds. */
export const OPEN_MS_MAX = 900_000

/** How long the outcome of a probe is waited for, in milliseconds; after that the next call may be the probe. */
export const PROBE_MS_MAX = 30_000

export interface CircuitBreaker {
  /** Failures that counted since the last success. */
  readonly failures: number
  /** Calls are kept away until then; from then on it is half-open. Null: closed. */
  readonly openUntilMs: number | null
  /** How long it was opened for the last time. */
  readonly openMs: number
  /** The call under way that probes it. */
  readonly probe: { readonly userId: UserId; readonly untilMs: number } | null
}

/** `closed`: calls go there; `open`: calls are kept away; `half_open`: one call at a time goes there as a probe. */
export type BreakerState = "closed" | "open" | "half_open"

/** A breaker with nothing against its channel. */
export const closedBreaker: CircuitBreaker = { failures: 0, openUntilMs: null, openMs: 0, probe: null }

export const stateOf = (breaker: CircuitBreaker, nowMs: number): BreakerState => {
  if (breaker.openUntilMs === null) return "closed"
  return nowMs < breaker.openUntilMs ? "open" : "half_open"
}

/** Whether a call is under way whose outcome is waited for. */
export const isProbed = ({ probe }: CircuitBreaker, nowMs: number): boolean => probe !== null && nowMs < probe.untilMs

/** It opens now, for so long. */
export const opened = (breaker: CircuitBreaker, openMs: number, nowMs: number): CircuitBreaker => ({
  failures: breaker.failures,
  openUntilMs: nowMs + openMs,
  openMs,
  probe: null
})

/**
 * `count` failures count. `toOpen` of them open a closed breaker; a failure of a half-open breaker is a failed probe and opens
 * it for twice as long. An open breaker stays as it is: calls that began before it opened would keep it open for ever.
 */
export const afterFailures = (
  breaker: CircuitBreaker,
  { count, nowMs, toOpen }: { readonly count: number; readonly toOpen: number; readonly nowMs: number }
): CircuitBreaker => {
  if (count === 0) return breaker
  switch (stateOf(breaker, nowMs)) {
    case "open":
      return breaker
    case "half_open":
      return opened(breaker, Math.min(2 * breaker.openMs, OPEN_MS_MAX), nowMs)
    case "closed": {
      const counted = { ...breaker, failures: breaker.failures + count }
      return counted.failures < toOpen ? counted : opened(counted, OPEN_MS_MIN, nowMs)
    }
  }
}

/** A call of this user goes there as the probe, if the breaker waits for one. */
export const afterProbe = (breaker: CircuitBreaker, userId: UserId, nowMs: number): CircuitBreaker =>
  stateOf(breaker, nowMs) === "half_open" && !isProbed(breaker, nowMs)
    ? { ...breaker, probe: { userId, untilMs: nowMs + PROBE_MS_MAX } }
    : breaker

/** The probe of this user has ended without telling how the channel is: the next call may be the probe. */
export const afterProbeLost = (breaker: CircuitBreaker, userId: UserId): CircuitBreaker =>
  breaker.probe?.userId === userId ? { ...breaker, probe: null } : breaker
