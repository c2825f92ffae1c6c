/**
 * When each channel answered a call for the last time, and when and why it failed one, since it was last written down. Costs a call
 * that succeeds one look-up and one assignment.
 * @internal
 */
import type { ChannelId } from "../domain/Ids.ts"
import type { SaidFailure } from "./FailureReason.ts"

/** Moments are in ms since the epoch; 0: not since then. */
export interface Recent {
  readonly channelId: ChannelId
  successMs: number
  failureMs: number
  failure: SaidFailure | undefined
}

export class RecentHealth {
  private recent = new Map<ChannelId, Recent>()

  succeeded(channelId: ChannelId, nowMs: number): void {
    this.of(channelId).successMs = nowMs
  }

  failed(channelId: ChannelId, failure: SaidFailure, nowMs: number): void {
    const recent = this.of(channelId)
    recent.failureMs = nowMs
    recent.failure = failure
  }

  /** All there is, which is forgotten here. */
  take(): ReadonlyArray<Recent> {
    if (this.recent.size === 0) return []
    const taken = [...this.recent.values()]
    this.recent = new Map()
    return taken
  }

  /** What could not be written down comes back, unless something newer is here. */
  giveBack(taken: ReadonlyArray<Recent>): void {
    for (const old of taken) {
      const recent = this.of(old.channelId)
      recent.successMs = Math.max(recent.successMs, old.successMs)
      if (recent.failureMs >= old.failureMs) continue
      recent.failureMs = old.failureMs
      recent.failure = old.failure
    }
  }

  private of(channelId: ChannelId): Recent {
    const known = this.recent.get(channelId)
    if (known !== undefined) return known
    const made: Recent = { channelId, successMs: 0, failureMs: 0, failure: undefined }
    this.recent.set(channelId, made)
    return made
  }
}
