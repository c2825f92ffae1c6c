/**
 * The connections of this process's channels, shared fairly among users: the one `Shares` that all calls use, on real time,
 * with counts of what it refuses.
 */
import { Clock, Context, Effect, Layer, Metric } from "effect"
import type { ChannelId, UserId } from "../domain/Ids.ts"
import { type ShareCallbacks, Shares, type SharesClock, type Ticket } from "./Shares.ts"

export type { ShareCallbacks, ShareRefusal, Ticket } from "./Shares.ts"
export { QUEUE_WAIT_MS_MAX } from "./Shares.ts"

export class ChannelShares extends Context.Service<ChannelShares, {
  /**
   * Asks for a connection to a channel, of which it has `maxConnections`. One callback follows, perhaps before this returns:
   * a connection, or a refusal at once or after {@link QUEUE_WAIT_MS_MAX}. The ticket is released when the call's connection
   * is free again, or when its client leaves the queue.
   */
  enter(channelId: ChannelId, maxConnections: number, userId: UserId, callbacks: ShareCallbacks): Ticket
}>()("realms/channels/ChannelShares") {
  static readonly layer = Layer.effect(ChannelShares)(Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const clock = yield* Clock.Clock
    const sharesClock: SharesClock = {
      nowMs: () => Number(clock.monotonicTimeNanosUnsafe() / NANOS_PER_MS),
      after: (delayMs, callback) => {
        const timer = setTimeout(callback, delayMs).unref()
        return () => clearTimeout(timer)
      }
    }
    const shares = new Shares(sharesClock, (why) => {
      Metric.withAttributes(refusedTotal, { why }).updateUnsafe(1, context)
    })

    return ChannelShares.of({
      enter: (channelId, maxConnections, userId, callbacks) =>
        shares.enter(channelId, maxConnections, userId, callbacks)
    })
  }))
}

const refusedTotal = Metric.counter("realms_channel_queue_refused_total", {
  description: "Calls that got no connection to a channel, by the reason: the queue was full, or the wait was too long",
  incremental: true
})

const NANOS_PER_MS = 1_000_000n
