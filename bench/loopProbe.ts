/**
 * Preloaded into a server by the event-loop bench: measures how long its event loop is held, and tells the parent process the
 * longest delay since it was last asked, and the 99th percentile, in milliseconds.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"

const NANOS_PER_MS = 1e6

const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()

process.on("message", () => {
  const longestMs = delays.max / NANOS_PER_MS
  const p99Ms = delays.percentile(99) / NANOS_PER_MS
  delays.reset()
  process.send?.({ longestMs, p99Ms })
})
// The server ends when it is told to, not when its parent hangs up.
process.channel?.unref()
