/**
 * What this process knows of its channels' health: the circuit breakers, and which users stay away from which channels after
 * a 429. Calls report once, at their end; the order of tries asks.
 */
import { Context, Effect, Layer, Metric } from "effect"
import type { ChannelId, UserId } from "../domain/Ids.ts"
import { Avoidance } from "./Avoidance.ts"
import { type BreakerChange, Breakers, type CallReport } from "./Breakers.ts"
import type { BreakerState } from "./CircuitBreaker.ts"
import type { SaidFailure } from "./FailureReason.ts"
import { type Recent, RecentHealth } from "./RecentHealth.ts"
import type { Standing } from "./Selection.ts"

export type { CallReport, ChannelFailure } from "./Breakers.ts"
export type { BreakerState } from "./CircuitBreaker.ts"

/** Whose call it is, and to which model. */
export type AskingCall = Pick<CallReport, "userId" | "modelId">

export class ChannelHealth extends Context.Service<ChannelHealth, {
  /**
   * Said once, at the end of every call that asked for its channels, also of one that was refused before it was sent. A
   * failure counts when the call then succeeded on another channel; otherwise it is remembered, and counts once calls of
   * three users have failed there within a minute. A success closes the breakers of its channel and model.
   */
  report(call: CallReport, nowMs: number): void
  /** With a model: the worse of the channel's own breaker and that of the model. With null: the worst of all its models. */
  stateOf(channelId: ChannelId, modelId: string | null, nowMs: number): BreakerState
  /** Whether calls are kept away: it is open, or half-open while its probe is under way. */
  isOpen(channelId: ChannelId, modelId: string | null, nowMs: number): boolean
  /** The user's calls stay away from the channel until then, in ms since the epoch: its upstream answered 429. */
  avoid(userId: UserId, channelId: ChannelId, untilMs: number): void
  /** Whether nothing at all is held against any channel. */
  isQuiet(): boolean
  /** Whether a call should go to a channel now. */
  standingOf(channelId: ChannelId, call: AskingCall, nowMs: number): Standing
  /** The call is the probe of that channel's half-open breakers. */
  claimProbe(channelId: ChannelId, call: AskingCall, nowMs: number): void
  /** When the channels answered and failed since this was last taken, see `HealthLog`. */
  takeRecent(): ReadonlyArray<Recent>
  giveBack(recent: ReadonlyArray<Recent>): void
  /** Hear of every change that calls of this process have caused. Quick and synchronous. */
  readonly listeners: Set<(change: BreakerChange) => void>
  /** Another process has opened or closed a breaker. */
  hear(change: BreakerChange, nowMs: number): void
}>()("realms/channels/ChannelHealth") {
  static readonly layer = Layer.effect(ChannelHealth)(Effect.gen(function*() {
    const context = yield* Effect.context<never>()
    const run = Effect.runForkWith(context)

    const listeners = new Set<(change: BreakerChange) => void>()

    const tell = (change: BreakerChange): void => {
      const { channelId, modelId, openMs, to } = change
      for (const listener of listeners) listener(change)
      Metric.withAttributes(changesTotal, { channel: channelId.toString(), to }).updateUnsafe(1, context)
      const which = { channelId: channelId.toString(), model: modelId ?? "all models" }
      if (to === "open") run(Effect.logWarning("a channel's circuit breaker opened", { ...which, openMs }))
      else run(Effect.logInfo(`a channel's circuit breaker is ${to === "closed" ? "closed" : "half-open"}`, which))
    }

    const breakers = new Breakers(tell)
    const avoidance = new Avoidance()
    const recent = new RecentHealth()

    return ChannelHealth.of({
      report: (call, nowMs) => {
        if (call.succeededOn !== null) recent.succeeded(call.succeededOn, nowMs)
        for (const { channelId, said } of call.failures) recent.failed(channelId, said ?? inSomeWay, nowMs)
        breakers.report(call, nowMs)
      },
      stateOf: (channelId, modelId, nowMs) => breakers.stateOf(channelId, modelId, nowMs),
      isOpen: (channelId, modelId, nowMs) => breakers.isOpen(channelId, modelId, nowMs),
      avoid: (userId, channelId, untilMs) => avoidance.avoid(userId, channelId, untilMs),
      isQuiet: () => breakers.isEmpty && avoidance.isEmpty,
      standingOf: (channelId, { modelId, userId }, nowMs) => {
        if (breakers.isOpen(channelId, modelId, nowMs)) return "away"
        const isHalfOpen = breakers.stateOf(channelId, modelId, nowMs) === "half_open"
        if (avoidance.isAvoided(userId, channelId, nowMs)) return isHalfOpen ? "away" : "avoided"
        return isHalfOpen ? "probe" : "ready"
      },
      claimProbe: (channelId, { modelId, userId }, nowMs) => breakers.claimProbe(channelId, modelId, userId, nowMs),
      takeRecent: () => recent.take(),
      giveBack: (taken) => recent.giveBack(taken),
      listeners,
      hear: (change, nowMs) => breakers.hear(change, nowMs)
    })
  }))
}

const inSomeWay: SaidFailure = { reason: "upstream_error", status: null }

const changesTotal = Metric.counter("realms_channel_breaker_changes_total", {
  description: "Changes of circuit breakers, by channel id and by the state that they changed to",
  incremental: true
})
