/**
 * Charts as SVG, drawn on the server by a thread of their own that starts with the first one. The number of charts waiting and
 * the time of each are bounded; a thread that dies or hangs fails its charts and is replaced by the next.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { hash } from "node:crypto"
import { makeWorkerThread, workerUrl } from "../../../platform/WorkerThread.ts"
import { type ChartSpec, type ChartTheme, POINTS_MAX, SERIES_MAX } from "./ChartOption.ts"
import type { ChartOrder } from "./ChartWorker.ts"

/** Charts waiting to be drawn, at most. */
export const CHARTS_WAITING_MAX = 64

/** One chart takes no longer once it is its turn, in milliseconds; tests on a busy machine wait longer. */
export const ChartMsMax = Context.Reference<number>("realms/http/console/charts/Charts/MsMax", {
  defaultValue: () => 4_000
})

/** Beside that, it waits for its turn no longer, in milliseconds. */
const CHART_WAIT_MS_MAX = 1_000

/** Charts kept, at most; one is some ten kilobytes. */
const CHARTS_KEPT_MAX = 256

/** The chart was not drawn: too many are waiting, or the thread failed. */
export class ChartFailed extends Schema.TaggedError<ChartFailed>()("ChartFailed", { why: Schema.String }) {}

export class Charts extends Context.Service<Charts, {
  /** The SVG text of a chart. */
  render(spec: ChartSpec, theme: ChartTheme): Effect.Effect<string, ChartFailed>
}>()("realms/http/console/charts/Charts") {
  /** The thread ends with the layer, and keeps no process from ending. */
  static readonly layer = Layer.effect(Charts)(Effect.gen(function*() {
    const kept = new Map<string, string>()
    const msMax = yield* ChartMsMax
    const thread = yield* makeWorkerThread<ChartOrder, string | null>({
      url: workerUrl(import.meta.url, "ChartWorker"),
      answerMsMax: msMax
    })
    let waiting = 0

    const keep = (key: string, svg: string) => {
      const oldest = kept.size >= CHARTS_KEPT_MAX ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(key, svg)
    }

    const draw = Effect.fnUntraced(function*(spec: ChartSpec, theme: ChartTheme) {
      if (spec.labels.length > POINTS_MAX) return yield* new ChartFailed({ why: `more than ${POINTS_MAX} points` })
      if (spec.series.length > SERIES_MAX) return yield* new ChartFailed({ why: `more than ${SERIES_MAX} series` })
      if (waiting >= CHARTS_WAITING_MAX) return yield* new ChartFailed({ why: "too many charts are waiting" })
      waiting++
      const svg = yield* thread.ask({ spec, theme }).pipe(
        Effect.timeoutOrElse({ duration: msMax + CHART_WAIT_MS_MAX, orElse: () => Effect.undefined }),
        Effect.ensuring(Effect.sync(() => waiting--))
      )
      if (svg === undefined) return yield* new ChartFailed({ why: "the thread ended or took too long" })
      return svg ?? (yield* new ChartFailed({ why: "it could not be drawn" }))
    })

    const render = Effect.fn("Charts.render")(function*(spec: ChartSpec, theme: ChartTheme) {
      const key = hash("sha256", JSON.stringify([spec, theme]), "base64")
      const known = kept.get(key)
      if (known !== undefined) return known
      const svg = yield* draw(spec, theme)
      keep(key, svg)
      return svg
    })

    return Charts.of({ render })
  }))
}
