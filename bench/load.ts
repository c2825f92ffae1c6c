/**
 * The load: keeps a number of calls open against one address for some seconds and prints a JSON line of what it saw. Run as a
 * process of its own: `load.ts ORIGIN KEY MODEL CONNECTIONS SECONDS STREAM`.
 */
import { Pool } from "undici"

const [origin = "", key = "", model = "", connections = "64", seconds = "5", stream = "false"] = process.argv.slice(2)
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1, allowH2: false })
const body = JSON.stringify({
  model,
  stream: stream === "true",
  max_tokens: 64,
  messages: [{ role: "user", content: "Say twenty words." }]
})
const headers = { "content-type": "application/json", authorization: `Bearer ${key}` }

const one = (): Promise<{ readonly ok: boolean; readonly firstByteMs: number; readonly totalMs: number }> =>
  new Promise((resolve) => {
    const started = performance.now()
    let status = 0
    let firstByteMs = 0
    const done = (ok: boolean) => resolve({ ok, firstByteMs, totalMs: performance.now() - started })
    pool.dispatch({ method: "POST", path: "/v1/chat/completions", headers, body }, {
      onRequestStart: () => undefined,
      onResponseStart: (_, code) => {
        status = code
      },
      onResponseData: () => {
        if (firstByteMs === 0) firstByteMs = performance.now() - started
      },
      onResponseEnd: () => done(status === 200),
      onResponseError: () => done(false)
    })
  })

const until = performance.now() + Number(seconds) * 1_000
const firstBytes: Array<number> = []
const totals: Array<number> = []
let failed = 0
const startedAt = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, async () => {
  while (performance.now() < until) {
    const { firstByteMs, ok, totalMs } = await one()
    if (!ok) failed++
    firstBytes.push(firstByteMs)
    totals.push(totalMs)
  }
}))
const elapsed = (performance.now() - startedAt) / 1_000
const percentile = (values: Array<number>, part: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}
process.stdout.write(`${
  JSON.stringify({
    callsPerSecond: (totals.length - failed) / elapsed,
    failed,
    firstByteP50Ms: percentile(firstBytes, 0.5),
    firstByteP99Ms: percentile(firstBytes, 0.99),
    totalP50Ms: percentile(totals, 0.5),
    totalP99Ms: percentile(totals, 0.99)
  })
}\n`)
await pool.destroy()
