/**
 * The metrics of calls: how many, how long, how large, and what they cost, by route, model and channel. A call looks up its series and
 * makes none; their number is bounded.
 */
import { Context, Effect, Layer, Metric } from "effect"
import type { CallOutcome, Settlement } from "../accounts/AccountState.ts"
import { LabelValues, OTHER } from "../platform/LabelValues.ts"
import { type CallNotes, type Stage, stages } from "./CallNotes.ts"
import type { Dialect } from "./request/Call.ts"

/** Models that have series of their own, at most. */
export const MODELS_MAX = 200

/** Channels that have series of their own, at most. */
export const CHANNELS_MAX = 100

/** Sets of route, model and channel that have series of their own, at most. Each is some 50 lines of `/metrics`. */
export const SERIES_MAX = 500

/** Outcomes of one set that are told apart, at most: more than there are. */
const OUTCOMES_MAX = 60

/** The channel of a call that no channel was tried for. */
const NO_CHANNEL = "none"

const MS_PER_SECOND = 1_000

/** In seconds. */
const durations = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const firstTokens = [0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30, 60]
const waits = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120]

/** In micros. */
const amounts = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

export class CallMetrics extends Context.Service<CallMetrics, {
  /** Counts a call that has ended. `outcome`: `ok`, or why it ended otherwise. */
  count(notes: CallNotes, outcome: string): void
}>()("realms/gateway/CallMetrics") {
  static readonly layer = Layer.effect(
    CallMetrics,
    Effect.map(Effect.context<never>(), (context) => {
      const all = new AllSeries()
      const ofStage = stageMetrics()
      retriesTotal.updateUnsafe(0, context)
      return CallMetrics.of({
        count: (notes, outcome) => {
          const series = all.of(notes.route, notes.model, notes.channel)
          series.count(outcome, context)
          series.duration.updateUnsafe(notes.totalMs / MS_PER_SECOND, context)
          const { ttftMs } = notes
          if (ttftMs !== undefined && notes.stream) series.ttft.updateUnsafe(ttftMs / MS_PER_SECOND, context)
          for (const stage of stages) {
            const ms = notes.msIn(stage)
            // A call that never came to a stage says nothing of it.
            if (ms > 0) ofStage[stage].updateUnsafe(ms / MS_PER_SECOND, context)
          }
          if (notes.attempts > 1) retriesTotal.updateUnsafe(notes.attempts - 1, context)
          if (notes.reservation !== undefined) {
            holdMicros.updateUnsafe(Number(notes.reservation.reservedMicros), context)
          }
          if (notes.outcome !== undefined) series.charge(notes.outcome, notes.settlement, context)
        }
      })
    })
  )
}

const stageMetrics = (): Readonly<Record<Stage, Metric.Histogram<number>>> => {
  const of = (stage: Stage) =>
    Metric.histogram("realms_call_stage_seconds", {
      description: "Seconds that calls spent in a stage; gateway is this server's own work",
      boundaries: waits,
      attributes: { stage }
    })
  return {
    gateway: of("gateway"),
    body: of("body"),
    hold: of("hold"),
    queue: of("queue"),
    upstream: of("upstream"),
    commit: of("commit")
  }
}

const retriesTotal = Metric.counter("realms_call_retries_total", {
  description: "Upstream attempts of calls beyond their first",
  incremental: true
})

const holdMicros = Metric.histogram("realms_hold_micros", {
  description: "Micros that calls held, when they ended",
  boundaries: amounts
})

const chargeMicros = Metric.histogram("realms_charge_micros", {
  description: "Micros that calls were charged",
  boundaries: amounts
})

interface Labels {
  readonly route: string
  readonly model: string
  readonly channel: string
}

/** The series of one route, model and channel. */
class Series {
  readonly duration: Metric.Histogram<number>
  readonly ttft: Metric.Histogram<number>
  private readonly labels: Labels
  private readonly outcomes = new Map<string, Metric.Counter<number>>()
  private readonly outcomeNames = new LabelValues(OUTCOMES_MAX)
  private readonly tokens: Readonly<Record<"input" | "cached_input" | "cache_write" | "output", Metric.Counter<number>>>
  private readonly cost: Metric.Counter<number>
  private readonly charged: Metric.Counter<number>

  constructor(labels: Labels) {
    const attributes = { ...labels }
    this.labels = labels
    this.duration = Metric.histogram("realms_call_duration_seconds", {
      description: "Seconds from a call's first byte to its end",
      boundaries: durations,
      attributes
    })
    this.ttft = Metric.histogram("realms_call_first_token_seconds", {
      description: "Seconds from a streamed call's first byte to its first output",
      boundaries: firstTokens,
      attributes
    })
    const tokens = (bucket: string) =>
      Metric.counter("realms_call_tokens_total", {
        description: "Tokens of charged calls; no token is in two buckets",
        incremental: true,
        attributes: { ...labels, bucket }
      })
    this.tokens = {
      input: tokens("input"),
      cached_input: tokens("cached_input"),
      cache_write: tokens("cache_write"),
      output: tokens("output")
    }
    const micros = (name: string, description: string) =>
      Metric.counter(name, { description, incremental: true, attributes })
    this.cost = micros("realms_call_cost_micros_total", "What calls cost, in micros (a millionth of a USD)")
    this.charged = micros(
      "realms_call_charged_micros_total",
      "What calls were charged, in micros (a millionth of a USD)"
    )
  }

  count(outcome: string, context: Context.Context<never>): void {
    const name = this.outcomeNames.of(outcome)
    let counter = this.outcomes.get(name)
    if (counter === undefined) {
      counter = Metric.counter("realms_calls_total", {
        description: "Calls that have ended, by how they ended",
        incremental: true,
        attributes: { ...this.labels, outcome: name }
      })
      this.outcomes.set(name, counter)
    }
    counter.updateUnsafe(1, context)
  }

  charge({ usage }: CallOutcome, settlement: Settlement | undefined, context: Context.Context<never>): void {
    const { cacheWriteTokens, cachedInputTokens, inputTokens, outputTokens } = usage
    if (inputTokens > 0) this.tokens.input.updateUnsafe(inputTokens, context)
    if (cachedInputTokens > 0) this.tokens.cached_input.updateUnsafe(cachedInputTokens, context)
    if (cacheWriteTokens > 0) this.tokens.cache_write.updateUnsafe(cacheWriteTokens, context)
    if (outputTokens > 0) this.tokens.output.updateUnsafe(outputTokens, context)
    if (settlement === undefined || settlement.costMicros === 0n) return
    const charged = Number(settlement.chargedMicros)
    this.cost.updateUnsafe(Number(settlement.costMicros), context)
    this.charged.updateUnsafe(charged, context)
    chargeMicros.updateUnsafe(charged, context)
  }
}

/** All series of calls. */
class AllSeries {
  private readonly routes = new Map<Dialect, Map<string, Map<string, Series>>>()
  private readonly models = new LabelValues(MODELS_MAX)
  private readonly channels = new LabelValues(CHANNELS_MAX)
  private count = 0

  of(route: Dialect, model: string | undefined, channel: string | undefined): Series {
    return this.find(route, model ?? OTHER, channel ?? NO_CHANNEL)
  }

  private find(route: Dialect, model: string, channel: string): Series {
    const known = this.routes.get(route)?.get(model)?.get(channel)
    if (known !== undefined) return known
    // What has no series of its own is looked up again each time: its name is not kept.
    return this.count < SERIES_MAX
      ? this.make(route, this.models.of(model), this.channels.of(channel))
      : this.make(route, OTHER, OTHER)
  }

  private make(route: Dialect, model: string, channel: string): Series {
    const models = this.routes.get(route) ?? new Map<string, Map<string, Series>>()
    const channels = models.get(model) ?? new Map<string, Series>()
    const known = channels.get(channel)
    if (known !== undefined) return known
    const made = new Series({ route, model, channel })
    channels.set(channel, made)
    models.set(model, channels)
    this.routes.set(route, models)
    this.count++
    return made
  }
}
