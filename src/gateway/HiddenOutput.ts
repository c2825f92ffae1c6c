/**
 * Learns which models have output that is not shown: three exact calls on a channel that reported reasoning tokens say so. It is
 * kept with the channel's model, shown to root and resettable there.
 *
 * @internal
 */
import type { Channel } from "../channels/Channels.ts"
import type { ChannelId } from "../domain/Ids.ts"

/** Exact calls with reasoning tokens that mark a model. */
const CALLS_TO_MARK = 3

/** Pairs of channel and model that are counted at once, at most; beyond that counting starts over. */
const COUNTED_MAX = 10_000

export class HiddenOutput {
  private readonly seen = new Map<string, number>()
  private readonly mark: (channelId: ChannelId, modelId: string) => void

  constructor(mark: (channelId: ChannelId, modelId: string) => void) {
    this.mark = mark
  }

  /** An exact call reported reasoning tokens. */
  sawReasoning(channel: Channel, modelId: string): void {
    if (channel.hiddenOutput) return
    const key = `${channel.id}/${modelId}`
    const count = (this.seen.get(key) ?? 0) + 1
    if (count < CALLS_TO_MARK) {
      if (this.seen.size >= COUNTED_MAX) this.seen.clear()
      this.seen.set(key, count)
      return
    }
    this.seen.delete(key)
    this.mark(channel.id, modelId)
  }
}
