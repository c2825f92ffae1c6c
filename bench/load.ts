/**
 * The load: keeps a number of calls open against one address for some seconds and prints a JSON line of what it saw. Run as a
 * process of its own: `load.ts ORIGIN KEYS_FILE FIRST_KEY BODY CONNECTIONS SECONDS HEADERS`.
 */
import { readFileSync } from "node:fs"
import { Pool } from "undici"
import { quantile } from "./statistics.ts"

const [origin = "", keysPath = "", firstKey = "0", body = "", connections = "64", seconds = "5", more = "{}"] = process
  .argv.slice(2)
const keys = readFileSync(keysPath, "utf8").split("\n")
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1, allowH2: false })
const extra = JSON.parse(more) as Record<string, string>
let turn = Number(firstKey)
const headers = () => ({
  "content-type": "application/json",
  authorization: `Bearer ${keys[turn++ % keys.length]}`,
  ...extra
})

const one = (): Promise<{ readonly ok: boolean; readonly totalMs: number }> =>
  new Promise((resolve) => {
    const started = performance.now()
    let status = 0
    const done = (ok: boolean) => resolve({ ok, totalMs: performance.now() - started })
    pool.dispatch({ method: "POST", path: "/v1/chat/completions", headers: headers(), body }, {
      onRequestStart: () => undefined,
      onResponseStart: (_, code) => {
        status = code
      },
      onResponseData: () => undefined,
      onResponseEnd: () => done(status === 200),
      onResponseError: () => done(false)
    })
  })

const until = performance.now() + Number(seconds) * 1_000
const totals: Array<number> = []
let failed = 0
const startedAt = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, async () => {
  while (performance.now() < until) {
    const { ok, totalMs } = await one()
    if (!ok) failed++
    totals.push(totalMs)
  }
}))
const elapsed = (performance.now() - startedAt) / 1_000
process.stdout.write(`${
  JSON.stringify({
    calls: totals.length - failed,
    callsPerSecond: (totals.length - failed) / elapsed,
    failed,
    p50Ms: quantile(totals, 0.5),
    p99Ms: quantile(totals, 0.99)
  })
}\n`)
await pool.destroy()
