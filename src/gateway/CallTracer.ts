/**
 * Which calls are traced, and where their traces go: to an OpenTelemetry collector by OTLP over HTTP, through Effect's exporter. Off
 * unless `telemetry.traces.url` says where. A collector that is away or slow loses traces; it keeps no call, and a bounded number of
 * spans waits for it.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Context, Effect, Layer, Record, Redacted } from "effect"
import { OtlpExporter, OtlpSerialization, OtlpTracer } from "effect/observability"
import { AppConfig, type RealmsConfig } from "../config/Config.ts"
import { makePerSecond } from "../platform/PerSecond.ts"
import { version } from "../platform/Version.ts"
import { CallTrace } from "./CallTrace.ts"
import { readTraceParent } from "./TraceParent.ts"

/** Calls whose spans are recorded in one second, at most, whatever the share is. */
export const TRACES_PER_SECOND_MAX = 100

/** Spans of one request to the collector, at most. */
const BATCH_SPANS_MAX = 1_000

/** Between two requests to the collector, in ms. */
const EXPORT_EVERY_MS = 2_000

/** The collector is waited for no longer, in ms: by a request, and at the stop. */
const EXPORT_MS_MAX = 5_000
const STOP_MS_MAX = 2_000

/** Connections to the collector, at most. */
const CONNECTIONS_MAX = 2

const RATIO_ONE = 1_000_000

/** Of a trace id, the digits that decide whether it is recorded, and how many values they have. */
const DECIDING_DIGITS = 8
const DECIDING_VALUES = 16 ** DECIDING_DIGITS

export class CallTracer extends Context.Service<CallTracer, {
  /** The trace of a call with this `traceparent`; undefined where it has none and begins none. */
  begin(name: string, traceparent: string | ReadonlyArray<string> | undefined): CallTrace | undefined
}>()("realms/gateway/CallTracer") {
  static readonly layer = Layer.effect(CallTracer)(Effect.gen(function*() {
    const { telemetry: { traces }, server } = yield* AppConfig
    if (traces.url === "") return CallTracer.of({ begin: () => undefined })
    const tracer = yield* makeTracer(traces)
    yield* Effect.logInfo("calls are traced", { url: new URL(traces.url).origin, runners: server.runners })
    const clock = yield* Clock.Clock
    const ratio = Number(traces.sampleRatioMicros) / RATIO_ONE
    let due = 0
    /** Of calls without a trace of their client's, every so-manyth. */
    const isNext = (): boolean => {
      due += ratio
      if (due < 1) return false
      due -= 1
      return true
    }

    const isRoom = makePerSecond(TRACES_PER_SECOND_MAX, () => clock.currentTimeMillisUnsafe())

    return CallTracer.of({
      begin: (name, traceparent) => {
        const parent = readTraceParent(traceparent)
        // A client that leaves its own call out of its trace leaves ours out, too; none can ask for more than the share.
        const isDue = parent === undefined ? isNext() : parent.sampled && chanceOf(parent.traceId) < ratio
        const isChosen = isDue && isRoom()
        // Nobody asks about a trace that neither its client nor we record: most calls cost nothing here.
        return parent === undefined && !isChosen ? undefined : new CallTrace(tracer, name, parent, isChosen)
      }
    })
  }))
}

/** The same number for a trace wherever it is decided on. */
const chanceOf = (traceId: string): number => Number.parseInt(traceId.slice(-DECIDING_DIGITS), 16) / DECIDING_VALUES

const makeTracer = ({ headers, url }: RealmsConfig["telemetry"]["traces"]) =>
  Effect.flatMap(
    Layer.build(
      OtlpExporter.layerFlusher.pipe(
        Layer.merge(OtlpSerialization.layerJson),
        Layer.merge(NodeHttpClient.layerUndiciOptions({
          connections: CONNECTIONS_MAX,
          connect: { timeout: EXPORT_MS_MAX },
          headersTimeout: EXPORT_MS_MAX,
          bodyTimeout: EXPORT_MS_MAX
        }))
      )
    ),
    (needs) =>
      OtlpTracer.make({
        url,
        headers: Record.map(headers, Redacted.value),
        resource: { serviceName: "realms", serviceVersion: version },
        maxBatchSize: BATCH_SPANS_MAX,
        exportInterval: EXPORT_EVERY_MS,
        shutdownTimeout: STOP_MS_MAX
      }).pipe(Effect.provideContext(needs))
  )
