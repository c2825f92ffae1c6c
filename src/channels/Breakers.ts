/**
 * The circuit breakers of this process: one for each channel and model, and one for each whole channel. Holds only what has
 * failed since it last succeeded, and a bounded number of that.
 * @internal
 */
import type { ChannelId, UserId } from "../domain/Ids.ts"
import {
  afterFailures,
  afterProbe,
  afterProbeLost,
  type BreakerState,
  CHANNEL_FAILURES_TO_OPEN,
  type CircuitBreaker,
  closedBreaker,
  FAILURES_TO_OPEN,
  isProbed,
  opened,
  stateOf
} from "./CircuitBreaker.ts"
import type { SaidFailure } from "./FailureReason.ts"
import { remember, type SharedFailures } from "./SharedFailures.ts"

/** Breakers remembered, at most; when there are more, the oldest is forgotten, and with it what is held against its channel. */
export const BREAKERS_MAX = 10_000

/** What one channel did wrong in a call. `channel`: credentials, quota or suspension, which fail every model alike. */
export interface ChannelFailure {
  readonly channelId: ChannelId
  readonly scope: "model" | "channel"
  /** For people; absent: it failed in some way. */
  readonly said?: SaidFailure
}

/** What a call came to. */
export interface CallReport {
  readonly userId: UserId
  readonly modelId: string
  /** What is the request's own fault is not in it. */
  readonly failures: ReadonlyArray<ChannelFailure>
  /** The channel that answered; null when none did. */
  readonly succeededOn: ChannelId | null
}

/** A breaker changed its state. `modelId` null: the breaker of the whole channel. */
export interface BreakerChange {
  readonly channelId: ChannelId
  readonly modelId: string | null
  readonly to: BreakerState
  /** For how long, where it opened. */
  readonly openMs: number
}

/** What is known of one channel and model, or of one whole channel. */
interface Watched {
  readonly breaker: CircuitBreaker
  readonly shared: SharedFailures
  /** The state that was announced last. */
  readonly announced: BreakerState
  /** Another process has opened it, and no call of this one has told anything of it yet. */
  readonly isHeard?: boolean
}

const nothing: Watched = { breaker: closedBreaker, shared: [], announced: "closed" }

/** By model id; null: the whole channel. */
type WatchedModels = Map<string | null, Watched>

const badness: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 }

const keepsAway = (breaker: CircuitBreaker, nowMs: number): boolean => {
  const state = stateOf(breaker, nowMs)
  return state === "open" || (state === "half_open" && isProbed(breaker, nowMs))
}

export class Breakers {
  private readonly channels = new Map<ChannelId, WatchedModels>()
  private readonly onChange: (change: BreakerChange) => void
  private count = 0

  constructor(onChange: (change: BreakerChange) => void) {
    this.onChange = onChange
  }

  /** Nothing is held against any channel. */
  get isEmpty(): boolean {
    return this.count === 0
  }

  report(call: CallReport, nowMs: number): void {
    // Most calls by far: nothing failed, and nothing had.
    if (this.isEmpty && call.failures.length === 0) return
    const seen = new Set<string>()
    for (const failure of call.failures) {
      const once = `${failure.channelId} ${failure.scope}`
      // A channel that failed a call twice failed one call, and one that then answered it did not fail it.
      if (seen.has(once) || failure.channelId === call.succeededOn) continue
      seen.add(once)
      this.fail(failure, call, nowMs)
    }
    if (call.succeededOn !== null) {
      this.forget(call.succeededOn, call.modelId)
      this.forget(call.succeededOn, null)
    } else if (call.failures.length === 0) {
      // It ended before any channel told anything, so if it was a probe, another call has to be.
      for (const channelId of this.channels.keys()) {
        this.changeProbe(channelId, call.modelId, (breaker) => afterProbeLost(breaker, call.userId))
      }
    }
  }

  /** Another process has opened or closed one. What it told is not told again. */
  hear({ channelId, modelId, openMs, to }: BreakerChange, nowMs: number): void {
    const watched = this.channels.get(channelId)?.get(modelId) ?? nothing
    // What this process has found out itself, it also finds out to be over.
    if (to === "closed" && watched.isHeard === true) return this.drop(channelId, modelId)
    const { breaker, shared } = watched
    if (to !== "open" || stateOf(breaker, nowMs) === "open") return
    this.put(channelId, modelId, {
      breaker: opened(breaker, openMs, nowMs),
      shared,
      announced: "open",
      isHeard: breaker.failures === 0
    })
  }

  /** Null as model: the worst of all its models. */
  stateOf(channelId: ChannelId, modelId: string | null, nowMs: number): BreakerState {
    return this.breakersOf(channelId, modelId).map((breaker) => stateOf(breaker, nowMs))
      .reduce((a, b) => badness[b] > badness[a] ? b : a, "closed")
  }

  isOpen(channelId: ChannelId, modelId: string | null, nowMs: number): boolean {
    return this.breakersOf(channelId, modelId).some((breaker) => keepsAway(breaker, nowMs))
  }

  claimProbe(channelId: ChannelId, modelId: string, userId: UserId, nowMs: number): void {
    this.changeProbe(channelId, modelId, (breaker) => afterProbe(breaker, userId, nowMs))
  }

  private fail({ channelId, scope }: ChannelFailure, call: CallReport, nowMs: number): void {
    const modelId = scope === "channel" ? null : call.modelId
    const { breaker, shared } = this.channels.get(channelId)?.get(modelId) ?? nothing
    const { counted, failures } = call.succeededOn === null
      ? remember(shared, call.userId, nowMs)
      : { counted: 1, failures: shared }
    const toOpen = scope === "channel" ? CHANNEL_FAILURES_TO_OPEN : FAILURES_TO_OPEN
    // A probe whose failure does not count has told nothing of the channel.
    const after = counted > 0
      ? afterFailures(breaker, { count: counted, toOpen, nowMs })
      : afterProbeLost(breaker, call.userId)
    this.change(channelId, modelId, failures, after)
  }

  /** The breakers that decide on a call: of the whole channel, and of the model. */
  private breakersOf(channelId: ChannelId, modelId: string | null): ReadonlyArray<CircuitBreaker> {
    const models = this.channels.get(channelId)
    if (models === undefined) return []
    if (modelId === null) return Array.from(models.values(), ({ breaker }) => breaker)
    return [models.get(null), models.get(modelId)].flatMap((watched) => watched === undefined ? [] : [watched.breaker])
  }

  private changeProbe(channelId: ChannelId, modelId: string, after: (breaker: CircuitBreaker) => CircuitBreaker): void {
    for (const key of [null, modelId]) {
      const watched = this.channels.get(channelId)?.get(key)
      if (watched === undefined) continue
      const breaker = after(watched.breaker)
      if (breaker !== watched.breaker) this.change(channelId, key, watched.shared, breaker)
    }
  }

  private change(channelId: ChannelId, modelId: string | null, shared: SharedFailures, breaker: CircuitBreaker): void {
    const before = this.channels.get(channelId)?.get(modelId) ?? nothing
    this.put(channelId, modelId, { breaker, shared, announced: this.announce(channelId, modelId, before, breaker) })
  }

  private put(channelId: ChannelId, modelId: string | null, watched: Watched): void {
    const models: WatchedModels = this.channels.get(channelId) ?? new Map()
    if (!models.has(modelId)) this.count++
    this.channels.set(channelId, models)
    models.set(modelId, watched)
    if (this.count > BREAKERS_MAX) this.forgetOldest()
  }

  /** A half-open breaker is announced with its first probe, since no event tells that its time has passed. */
  private announce(
    channelId: ChannelId,
    modelId: string | null,
    before: Watched,
    breaker: CircuitBreaker
  ): BreakerState {
    const { openMs, openUntilMs, probe } = breaker
    const isOpened = openUntilMs !== null && openUntilMs !== before.breaker.openUntilMs
    const to = isOpened ? "open" : openUntilMs !== null && probe !== null ? "half_open" : before.announced
    if (isOpened || to !== before.announced) this.onChange({ channelId, modelId, to, openMs })
    return to
  }

  private forget(channelId: ChannelId, modelId: string | null): void {
    const watched = this.channels.get(channelId)?.get(modelId)
    this.drop(channelId, modelId)
    if (watched !== undefined && watched.announced !== "closed" && watched.isHeard !== true) {
      this.onChange({ channelId, modelId, to: "closed", openMs: 0 })
    }
  }

  private drop(channelId: ChannelId, modelId: string | null): void {
    const models = this.channels.get(channelId)
    if (models?.delete(modelId) !== true) return
    if (models.size === 0) this.channels.delete(channelId)
    this.count--
  }

  private forgetOldest(): void {
    for (const [channelId, models] of this.channels) {
      for (const modelId of models.keys()) return this.forget(channelId, modelId)
    }
  }
}
