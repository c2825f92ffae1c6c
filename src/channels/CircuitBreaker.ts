/**
 * The health of channels, one circuit breaker each: it opens after several failures in a row, and after a while lets one call
 * through to see whether the channel is back. In memory and per process; time is an argument.
 */
import { Context, Layer } from "effect"

/** Failures in a row that open a breaker. */
export const FAILURES_MAX = 5

/** How long an open breaker turns calls away before it lets one probe. */
export const OPEN_MS = 30_000

interface Breaker {
  failures: number
  openUntilMs: number
}

export class CircuitBreakers {
  private readonly breakers = new Map<bigint, Breaker>()

  /** True while calls should go elsewhere. When the pause is over, the first who asks is let through as the probe. */
  isOpen(channelId: bigint, nowMs: number): boolean {
    const breaker = this.breakers.get(channelId)
    if (breaker === undefined || breaker.failures < FAILURES_MAX) return false
    if (nowMs < breaker.openUntilMs) return true
    breaker.openUntilMs = nowMs + OPEN_MS
    return false
  }

  succeeded(channelId: bigint): void {
    this.breakers.delete(channelId)
  }

  failed(channelId: bigint, nowMs: number): void {
    const breaker = this.breakers.get(channelId) ?? { failures: 0, openUntilMs: 0 }
    breaker.failures++
    if (breaker.failures >= FAILURES_MAX) breaker.openUntilMs = nowMs + OPEN_MS
    this.breakers.set(channelId, breaker)
  }
}

/** The breakers of this process. */
export class ChannelHealth extends Context.Service<ChannelHealth, CircuitBreakers>()("realms/channels/ChannelHealth") {
  static readonly layer = Layer.sync(ChannelHealth, () => new CircuitBreakers())
}
