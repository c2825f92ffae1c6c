/**
 * The metrics of calls: how many, how long, how large, and what they cost, by route, model and channel. A call looks up its series and
 * makes none; their number is bounded.
 */
import { Context, Effect, Layer } from "effect"
import type { CallOutcome } from "../accounts/AccountState.ts"
import { LabelValues, OTHER } from "../platform/LabelValues.ts"
import { CounterCell, HistogramCell } from "../platform/MetricCells.ts"
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
      const series = new AllSeries(context)
      const ofStage = stageCells(context)
      const retries = new CounterCell(
        "realms_call_retries_total",
        { description: "Upstream attempts of calls beyond their first" },
        context
      )
      const unsettled = new CounterCell(
        "realms_calls_unsettled_total",
        {
          description: "Calls that ended before their settlement was written; sums of cost and charges are without them"
        },
        context
      )
      const held = new HistogramCell(
        "realms_hold_micros",
        amounts,
        { description: "Micros that calls held, when they ended" },
        context
      )
      const charged = new HistogramCell(
        "realms_charge_micros",
        amounts,
        { description: "Micros that calls were charged" },
        context
      )
      return CallMetrics.of({
        count: (notes, outcome) => {
          const { attempts, reservation, settlement, ttftMs } = notes
          const found = series.of(notes.route, notes.model, notes.channel)
          found.count(outcome)
          found.duration.add(notes.totalMs / MS_PER_SECOND)
          if (ttftMs !== undefined && notes.stream) found.ttft.add(ttftMs / MS_PER_SECOND)
          for (const stage of stages) {
            const ms = notes.msIn(stage)
            // A call that never came to a stage says nothing of it.
            if (ms > 0) ofStage[stage].add(ms / MS_PER_SECOND)
          }
          if (attempts > 1) retries.add(attempts - 1)
          if (reservation !== undefined) held.add(Number(reservation.reservedMicros))
          if (notes.outcome !== undefined) found.use(notes.outcome)
          if (settlement === undefined && notes.outcome !== undefined) unsettled.add(1)
          if (settlement === undefined || settlement.costMicros === 0n) return
          const chargedMicros = Number(settlement.chargedMicros)
          found.cost.add(Number(settlement.costMicros))
          found.charged.add(chargedMicros)
          charged.add(chargedMicros)
        }
      })
    })
  )
}

const stageCells = (context: Context.Context<never>): Readonly<Record<Stage, HistogramCell>> => {
  const of = (stage: Stage) =>
    new HistogramCell("realms_call_stage_seconds", waits, {
      description: "Seconds that calls spent in a stage; gateway is this server's own work",
      attributes: { stage }
    }, context)
  return {
    gateway: of("gateway"),
    body: of("body"),
    hold: of("hold"),
    queue: of("queue"),
    upstream: of("upstream"),
    commit: of("commit")
  }
}

interface Labels extends Readonly<Record<string, string>> {
  readonly route: string
  readonly model: string
  readonly channel: string
}

/** The series of one route, model and channel. */
class Series {
  readonly duration: HistogramCell
  readonly ttft: HistogramCell
  readonly cost: CounterCell
  readonly charged: CounterCell
  private readonly labels: Labels
  private readonly context: Context.Context<never>
  private readonly outcomes = new Map<string, CounterCell>()
  private readonly outcomeNames = new LabelValues(OUTCOMES_MAX)
  private readonly tokens: Readonly<Record<"input" | "cachedInput" | "cacheWrite" | "output", CounterCell>>

  constructor(labels: Labels, context: Context.Context<never>) {
    this.labels = labels
    this.context = context
    const histogram = (id: string, boundaries: ReadonlyArray<number>, description: string) =>
      new HistogramCell(id, boundaries, { description, attributes: labels }, context)
    const counter = (id: string, description: string, more: Readonly<Record<string, string>> = {}) =>
      new CounterCell(id, { description, attributes: { ...labels, ...more } }, context)
    const tokens = (bucket: string) =>
      counter("realms_call_tokens_total", "Tokens of charged calls; no token is in two buckets", { bucket })
    this.duration = histogram("realms_call_duration_seconds", durations, "Seconds from a call's first byte to its end")
    this.ttft = histogram(
      "realms_call_first_token_seconds",
      firstTokens,
      "Seconds from a streamed call's first byte to its first output"
    )
    this.cost = counter("realms_call_cost_micros_total", "What calls cost, in micros (a millionth of a USD)")
    this.charged = counter("realms_call_charged_micros_total", "What calls were charged, in micros")
    this.tokens = {
      input: tokens("input"),
      cachedInput: tokens("cached_input"),
      cacheWrite: tokens("cache_write"),
      output: tokens("output")
    }
  }

  count(outcome: string): void {
    let cell = this.outcomes.get(outcome)
    if (cell === undefined) {
      const name = this.outcomeNames.of(outcome)
      cell = this.outcomes.get(name)
      if (cell === undefined) {
        const attributes = { ...this.labels, outcome: name }
        cell = new CounterCell(
          "realms_calls_total",
          { description: "Calls that have ended, by how they ended", attributes },
          this.context
        )
        this.outcomes.set(name, cell)
      }
    }
    cell.add(1)
  }

  use({ usage }: CallOutcome): void {
    this.tokens.input.add(usage.inputTokens)
    this.tokens.cachedInput.add(usage.cachedInputTokens)
    this.tokens.cacheWrite.add(usage.cacheWriteTokens)
    this.tokens.output.add(usage.outputTokens)
  }
}

/** All series of calls. */
class AllSeries {
  private readonly routes = new Map<Dialect, Map<string, Map<string, Series>>>()
  private readonly models = new LabelValues(MODELS_MAX)
  private readonly channels = new LabelValues(CHANNELS_MAX)
  private readonly context: Context.Context<never>
  private count = 0

  constructor(context: Context.Context<never>) {
    this.context = context
  }

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
    const made = new Series({ route, model, channel }, this.context)
    channels.set(channel, made)
    models.set(model, channels)
    this.routes.set(route, models)
    this.count++
    return made
  }
}
