/**
 * Clients that read streams, begun within a second: `streamClients.ts ORIGIN KEYS MODEL COUNT TIMES`, in a process of its own. Prints
 * one JSON line: when their first frames with text came, the time between two of them, and how many came. The frames behind the last
 * text are not timed: they wait until the call is settled.
 */
import { setTimeout } from "node:timers/promises"
import { Pool } from "undici"
import { quantile } from "./statistics.ts"

const [origin = "", keyList = "", model = "", count = "1", times = "1"] = process.argv.slice(2)
const pool = new Pool(origin, { connections: Number(count), pipelining: 1, allowH2: false, bodyTimeout: 0 })
const keys = keyList.split(",")
const body = JSON.stringify({
  model,
  stream: true,
  max_tokens: 1000,
  messages: [{ role: "user", content: "Say words." }]
})
const firstMs: Array<number> = []
const gapsMs: Array<number> = []
let frames = 0
let failed = 0

const read = (index: number): Promise<void> =>
  new Promise((resolve) => {
    const started = performance.now()
    let last = 0
    let tail = ""
    let status = 0
    const headers = { "content-type": "application/json", authorization: `Bearer ${keys[index % keys.length]}` }
    pool.dispatch({ method: "POST", path: "/v1/chat/completions", headers, body }, {
      onRequestStart: () => undefined,
      onResponseStart: (_, code) => {
        status = code
      },
      onResponseData: (_, chunk) => {
        const now = performance.now()
        const parts = (tail + chunk.toString("latin1")).split("\n\n")
        tail = parts.pop() ?? ""
        const texts = parts.filter((part) => part.includes('"content":"word ')).length
        if (texts === 0) return
        if (last === 0) firstMs.push(now - started)
        else gapsMs.push(now - last)
        last = now
        frames += texts
      },
      onResponseEnd: () => {
        if (status !== 200) failed++
        resolve()
      },
      onResponseError: () => {
        failed++
        resolve()
      }
    })
  })

const begin = async (_: unknown, index: number): Promise<void> => {
  await setTimeout((index * 1_000) / Number(count))
  await read(index)
}

for (let round = 0; round < Number(times); round++) await Promise.all(Array.from({ length: Number(count) }, begin))
process.stdout.write(`${
  JSON.stringify({
    frames,
    failed,
    firstP50Ms: quantile(firstMs, 0.5),
    firstP99Ms: quantile(firstMs, 0.99),
    gapP50Ms: quantile(gapsMs, 0.5),
    gapP99Ms: quantile(gapsMs, 0.99)
  })
}\n`)
await pool.destroy()
