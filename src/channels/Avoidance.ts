/**
 * Which users stay away from which channels, or from which keys of them, for a while, because the upstream answered 429 to them.
 * Bounded: when too many users are remembered, the one that was moved first is forgotten, which costs that user one more 429.
 * @internal
 */
import type { ChannelId, ChannelKeyId, UserId } from "../domain/Ids.ts"
import { keepNewest } from "../platform/KeepNewest.ts"

/** Users remembered, at most. */
export const AVOIDING_USERS_MAX = 10_000

/** Channels remembered of one user, at most. */
export const AVOIDED_CHANNELS_MAX = 32

/** A channel is avoided no longer, in milliseconds, whatever its upstream asks for. */
export const AVOID_MS_MAX = 3_600_000

/** Between two searches for what has passed, in milliseconds. */
const SWEEP_MS = 10_000

export class Avoidance<Id extends ChannelId | ChannelKeyId = ChannelId> {
  private readonly users = new Map<UserId, Map<Id, number>>()
  private sweptMs = 0

  get isEmpty(): boolean {
    return this.users.size === 0
  }

  /** The user's calls stay away from the channel until then, in ms since the epoch. What is no moment changes nothing. */
  avoid(userId: UserId, channelId: Id, untilMs: number): void {
    if (Number.isNaN(untilMs)) return
    const channels = this.users.get(userId) ?? new Map<Id, number>()
    channels.delete(channelId)
    channels.set(channelId, untilMs)
    keepNewest(channels, AVOIDED_CHANNELS_MAX)
    this.users.delete(userId)
    this.users.set(userId, channels)
    keepNewest(this.users, AVOIDING_USERS_MAX)
  }

  isAvoided(userId: UserId, channelId: Id, nowMs: number): boolean {
    return this.avoidedMs(userId, channelId, nowMs) > 0
  }

  /** For how much longer, in milliseconds; 0: not at all. */
  avoidedMs(userId: UserId, channelId: Id, nowMs: number): number {
    this.sweep(nowMs)
    const channels = this.users.get(userId)
    const untilMs = channels?.get(channelId)
    if (channels === undefined || untilMs === undefined || untilMs <= nowMs) return 0
    // Cut when it is first looked at: the caller of `avoid` gives no time of its own to cut it by.
    if (untilMs <= nowMs + AVOID_MS_MAX) return untilMs - nowMs
    channels.set(channelId, nowMs + AVOID_MS_MAX)
    return AVOID_MS_MAX
  }

  /** Forgets what has passed. */
  private sweep(nowMs: number): void {
    if (nowMs < this.sweptMs + SWEEP_MS && nowMs >= this.sweptMs) return
    this.sweptMs = nowMs
    for (const [userId, channels] of this.users) {
      for (const [channelId, untilMs] of channels) if (untilMs <= nowMs) channels.delete(channelId)
      if (channels.size === 0) this.users.delete(userId)
    }
  }
}
