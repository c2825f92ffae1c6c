/**
 * Charts as SVG, drawn on the server by a thread of their own that starts with the first one. The number of charts waiting and
 * the time of each are bounded; a thread that dies or hangs fails its charts and is replaced by the next.
 */
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { hash } from "node:crypto"
import { Worker } from "node:worker_threads"
import { type ChartSpec, type ChartTheme, POINTS_MAX } from "./ChartSpec.ts"
import type { ChartAnswer, ChartOrder } from "./ChartWorker.ts"

/** Charts waiting to be drawn, at most. */
export const CHARTS_WAITING_MAX = 64

/** One chart takes no longer, waiting included, in milliseconds. */
const CHART_MS_MAX = 5_000

/** Charts kept, at most; one is some ten kilobytes. */
const CHARTS_KEPT_MAX = 256

/** The chart was not drawn: too many are waiting, or the thread failed. */
export class ChartFailed extends Schema.TaggedError<ChartFailed>()("ChartFailed", { why: Schema.String }) {}

export class Charts extends Context.Service<Charts, {
  /** The SVG text of a chart. */
  render(spec: ChartSpec, theme: ChartTheme): Effect.Effect<string, ChartFailed>
}>()("realms/http/console/charts/Charts") {
  /** The thread ends with the layer, and keeps no process from ending. */
  static readonly layer = Layer.effect(Charts, Effect.suspend(() => make))
}

/** The same folder holds TypeScript when run from the source, JavaScript when built. */
const workerUrl = new URL(`./ChartWorker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url)

type Waiting = Deferred.Deferred<string, ChartFailed>

/** The thread at work, and who waits for it. */
class DrawingThread {
  readonly waiting = new Map<number, Waiting>()
  private readonly worker = new Worker(workerUrl)
  /** It takes no more charts. */
  ended = false

  constructor() {
    this.worker.unref()
    this.worker.on("message", ({ id, svg }: ChartAnswer) => this.settle(id, svg))
    this.worker.on("error", (error: Error) => this.end(error.message))
    this.worker.on("exit", () => this.end("the thread ended"))
  }

  ask(order: ChartOrder, answer: Waiting): void {
    this.waiting.set(order.id, answer)
    this.worker.postMessage(order)
  }

  end(why: string): void {
    if (this.ended) return
    this.ended = true
    for (const answer of this.waiting.values()) Deferred.doneUnsafe(answer, Effect.fail(new ChartFailed({ why })))
    this.waiting.clear()
    void this.worker.terminate()
  }

  private settle(id: number, svg: string | undefined): void {
    const answer = this.waiting.get(id)
    if (answer === undefined) return
    this.waiting.delete(id)
    Deferred.doneUnsafe(
      answer,
      svg === undefined ? Effect.fail(new ChartFailed({ why: "it could not be drawn" })) : Effect.succeed(svg)
    )
  }
}

const make = Effect.gen(function*() {
  const kept = new Map<string, string>()
  let thread: DrawingThread | undefined
  let lastId = 0
  yield* Effect.addFinalizer(() => Effect.sync(() => thread?.end("the server stops")))

  const keep = (key: string, svg: string) => {
    const oldest = kept.size >= CHARTS_KEPT_MAX ? kept.keys().next().value : undefined
    if (oldest !== undefined) kept.delete(oldest)
    kept.set(key, svg)
  }

  const draw = Effect.fnUntraced(function*(spec: ChartSpec, theme: ChartTheme) {
    if (spec.values.length > POINTS_MAX) return yield* new ChartFailed({ why: `more than ${POINTS_MAX} points` })
    if (thread === undefined || thread.ended) thread = new DrawingThread()
    const mine = thread
    if (mine.waiting.size >= CHARTS_WAITING_MAX) return yield* new ChartFailed({ why: "too many charts are waiting" })
    const answer = yield* Deferred.make<string, ChartFailed>()
    const id = ++lastId
    mine.ask({ id, spec, theme }, answer)
    return yield* Deferred.await(answer).pipe(
      Effect.timeoutOrElse({
        duration: CHART_MS_MAX,
        orElse: () => {
          // It hangs: whoever waits behind this chart would wait in vain.
          mine.end("the thread did not answer in time")
          return Effect.fail(new ChartFailed({ why: "it took too long" }))
        }
      }),
      Effect.onInterrupt(() => Effect.sync(() => mine.waiting.delete(id)))
    )
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
})
