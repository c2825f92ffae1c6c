/**
 * Keeps calls away from a channel that fails: after so many failures in a row its breaker opens for a while, then lets
 * one call through as a probe. The rules are pure, with the time as an argument; `ChannelHealth` holds them per channel,
 * for this process alone.
 */
import { Context, Layer } from "effect"

/** Failures in a row that open a breaker. */
export const FAILURES_TO_OPEN = 5

/** How long an open breaker keeps calls away, and how long it waits for the outcome of its probe. */
export const OPEN_MS = 30_000

/** A channel that has failed since it last succeeded. */
export interface CircuitBreaker {
  readonly failures: number
  /** Calls are kept away until then; then one may probe. Null while there are too few failures. */
  readonly openUntilMs: number | null
}

/** A channel with nothing against it. */
export const closed: CircuitBreaker = { failures: 0, openUntilMs: null }

/** `closed`: calls pass; `open`: none; `half_open`: the next may go as a probe. */
export const stateOf = (breaker: CircuitBreaker, nowMs: number): "closed" | "open" | "half_open" => {
  if (breaker.openUntilMs === null) return "closed"
  return nowMs < breaker.openUntilMs ? "open" : "half_open"
}

/** A failure counts; one more than enough keeps the breaker open from then on. */
export const afterFailure = (breaker: CircuitBreaker, nowMs: number): CircuitBreaker => {
  const failures = Math.min(breaker.failures + 1, FAILURES_TO_OPEN)
  return { failures, openUntilMs: failures === FAILURES_TO_OPEN ? nowMs + OPEN_MS : null }
}

/** One call goes as a probe: the others stay away until it ends, or until it has taken too long. */
export const afterProbe = (breaker: CircuitBreaker, nowMs: number): CircuitBreaker =>
  stateOf(breaker, nowMs) === "half_open" ? { ...breaker, openUntilMs: nowMs + OPEN_MS } : breaker

export class ChannelHealth extends Context.Service<ChannelHealth, {
  /** As it is told to people. */
  stateOf(channelId: bigint, nowMs: number): ReturnType<typeof stateOf>
  /** Whether calls should stay away: open, or a probe is under way. */
  isOpen(channelId: bigint, nowMs: number): boolean
  /** Whether the next call to it is the probe. */
  isHalfOpen(channelId: bigint, nowMs: number): boolean
  /** A half-open channel gives its probe to whoever says this: to all others it is open. */
  probe(channelId: bigint, nowMs: number): void
  succeeded(channelId: bigint): void
  failed(channelId: bigint, nowMs: number): void
}>()("realms/channels/CircuitBreaker/ChannelHealth") {
  static readonly layer = Layer.sync(ChannelHealth, () => makeChannelHealth())
}

/** Remembers only the channels that failed since they last succeeded, so it cannot outgrow the table of channels. */
const makeChannelHealth = () => {
  const failing = new Map<bigint, CircuitBreaker>()
  const stateNow = (channelId: bigint, nowMs: number) => stateOf(failing.get(channelId) ?? closed, nowMs)
  const stateIs = (state: ReturnType<typeof stateOf>) => (channelId: bigint, nowMs: number): boolean =>
    stateNow(channelId, nowMs) === state
  return ChannelHealth.of({
    stateOf: stateNow,
    isOpen: stateIs("open"),
    isHalfOpen: stateIs("half_open"),
    probe: (channelId, nowMs) => {
      const breaker = failing.get(channelId)
      if (breaker !== undefined) failing.set(channelId, afterProbe(breaker, nowMs))
    },
    succeeded: (channelId) => void failing.delete(channelId),
    failed: (channelId, nowMs) => void failing.set(channelId, afterFailure(failing.get(channelId) ?? closed, nowMs))
  })
}
