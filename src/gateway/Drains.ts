/**
 * Which calls are read on after their client left, for how long, and how many of one user at once. Reading on makes the charge
 * exact where an estimate could be far off; a drained call keeps its hold, its connection and its place in all limits.
 *
 * @internal
 */
import type { Channel } from "../channels/Channels.ts"
import type { UserId } from "../domain/Ids.ts"
import type { OpenCall } from "./OpenCall.ts"

/** Calls of one user that are read on at once, at most. */
export const DRAINS_PER_USER_MAX = 32

/** With so many expected input tokens, whether they were cached makes a difference worth knowing. */
const CACHED_INPUT_TOKENS_MIN = 1_024

/** Text has about a token for so many bytes. */
const BYTES_PER_TOKEN = 4

/** True when an estimate of the call's cost could be far from what the upstream will report. */
const isUncertain = (open: OpenCall, channel: Channel): boolean => {
  const { admitted: { call, pricedToolCalls }, model } = open.basics
  if (model.reasoning || channel.hiddenOutput || pricedToolCalls > 0) return true
  const { files, imageUrls, possibleImages } = call.input
  if (files + imageUrls + possibleImages + call.references.length > 0) return true
  return model.price.cachedInputMicrosPer1m < model.price.inputMicrosPer1m &&
    call.input.textBytes / BYTES_PER_TOKEN > CACHED_INPUT_TOKENS_MIN
}

export class Drains {
  private readonly byUser = new Map<UserId, number>()

  /**
   * How long the call is read on from now, in milliseconds; 0: it is aborted. The first question decides; `onDisconnect` and the
   * lengths are the settings of that moment.
   */
  remainingMs(open: OpenCall, channel: Channel, nowMs: number): number {
    if (open.drainsUntilMs !== undefined) return Math.max(0, open.drainsUntilMs - nowMs)
    const { billing, context } = open.basics
    const { call, key } = context
    const reads = billing.onDisconnect === "drain" || (call.stream && isUncertain(open, channel))
    const seconds = billing.onDisconnect === "drain" ? billing.drainMaxSeconds : billing.drainSeconds
    const count = this.byUser.get(key.userId) ?? 0
    if (!reads || seconds === 0 || count >= DRAINS_PER_USER_MAX) {
      open.drainsUntilMs = nowMs
      return 0
    }
    this.byUser.set(key.userId, count + 1)
    open.drainsUntilMs = nowMs + seconds * 1_000
    open.isDraining = true
    return seconds * 1_000
  }

  /** The call has ended. */
  ended(open: OpenCall): void {
    if (!open.isDraining) return
    open.isDraining = false
    const { userId } = open.basics.context.key
    const count = this.byUser.get(userId) ?? 0
    if (count <= 1) this.byUser.delete(userId)
    else this.byUser.set(userId, count - 1)
  }
}
