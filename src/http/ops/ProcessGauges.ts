/**
 * What a process takes of its machine: memory, processor time, and how long its event loop keeps others waiting.
 *
 * @internal
 */
import { type Context, Metric } from "effect"
import { monitorEventLoopDelay, performance } from "node:perf_hooks"
import { version } from "../../platform/Version.ts"
import { GaugeFamily } from "./GaugeFamily.ts"

/** How often the delay of the event loop is sampled, in ms. */
const DELAY_RESOLUTION_MS = 20

/** The delay is measured in windows of at least this length, in ms. */
const DELAY_WINDOW_MS = 10_000

const MICROS_PER_SECOND = 1_000_000
const NANOS_PER_SECOND = 1_000_000_000
const MS_PER_SECOND = 1_000

const cpuSeconds = Metric.counter("process_cpu_seconds_total", { description: "Processor time of this process" })
const residentBytes = Metric.gauge("process_resident_memory_bytes", { description: "Memory of this process" })
const startedSeconds = Metric.gauge("process_start_time_seconds", {
  description: "When this process started, in seconds since 1970"
})
const busySeconds = Metric.counter("realms_event_loop_busy_seconds_total", {
  description: "Seconds in which the event loop had work"
})

export interface ProcessGauges {
  /** Reads them now. */
  refresh(): void
  /** Stops sampling. */
  stop(): void
}

export const makeProcessGauges = (context: Context.Context<never>): ProcessGauges => {
  const memory = new GaugeFamily("realms_memory_bytes", "Memory of this process by kind")
  const delay = new GaugeFamily(
    "realms_event_loop_delay_seconds",
    "How late the event loop was, of the last 10 seconds"
  )
  new GaugeFamily("realms_build_info", "The version of this server; always 1").set([[{ version }, 1]], context)
  startedSeconds.updateUnsafe(performance.timeOrigin / MS_PER_SECOND, context)
  const loop = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  loop.enable()
  let begunAt = performance.now()
  let cpu = 0
  let busy = 0

  const readDelay = (): void => {
    // It also counts the time between two samples.
    const seconds = (nanos: number) => Math.max(0, nanos / NANOS_PER_SECOND - DELAY_RESOLUTION_MS / MS_PER_SECOND)
    if (loop.count === 0) return
    delay.set([
      [{ quantile: "0.5" }, seconds(loop.percentile(50))],
      [{ quantile: "0.99" }, seconds(loop.percentile(99))],
      [{ quantile: "1" }, seconds(loop.max)]
    ], context)
    if (performance.now() - begunAt < DELAY_WINDOW_MS) return
    loop.reset()
    begunAt = performance.now()
  }

  return {
    refresh: () => {
      const { arrayBuffers, external, heapTotal, heapUsed, rss } = process.memoryUsage()
      residentBytes.updateUnsafe(rss, context)
      memory.set([
        [{ kind: "heap_used" }, heapUsed],
        [{ kind: "heap_total" }, heapTotal],
        [{ kind: "external" }, external],
        [{ kind: "array_buffers" }, arrayBuffers]
      ], context)
      const { system, user } = process.cpuUsage()
      cpuSeconds.updateUnsafe((user + system) / MICROS_PER_SECOND - cpu, context)
      cpu = (user + system) / MICROS_PER_SECOND
      const { active } = performance.eventLoopUtilization()
      busySeconds.updateUnsafe(active / MS_PER_SECOND - busy, context)
      busy = active / MS_PER_SECOND
      readDelay()
    },
    stop: () => void loop.disable()
  }
}
