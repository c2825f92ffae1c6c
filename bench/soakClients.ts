/**
 * A steady mixed load: `soakClients.ts ORIGIN KEYS SECONDS RATE`, in a process of its own. Of ten calls six are answered in JSON, three
 * are streams that are read to their end, and one is a stream whose client goes away in the middle. Prints one JSON line at the end.
 */
import { setTimeout } from "node:timers/promises"
import { type Dispatcher, Pool } from "undici"

const [origin = "", keyList = "", seconds = "60", rate = "100"] = process.argv.slice(2)
const keys = keyList.split(",")

/** Calls under way, at most: a server that hangs is not given ever more. */
const OPEN_MAX = 512
/** Frames with text after which a client goes away. */
const FRAMES_READ = 3

type Kind = "json" | "stream" | "dropped"
const kinds: ReadonlyArray<Kind> = [
  "json",
  "stream",
  "json",
  "json",
  "dropped",
  "json",
  "stream",
  "json",
  "stream",
  "json"
]

const pool = new Pool(origin, { connections: OPEN_MAX, pipelining: 1, allowH2: false })
const bodies = new Map(kinds.map((kind) => [
  kind,
  JSON.stringify({
    model: kind === "dropped" ? "paced" : "bench",
    stream: kind !== "json",
    max_tokens: 64,
    messages: [{ role: "user", content: "Say twenty words." }]
  })
]))
const done = { json: 0, stream: 0, dropped: 0, failed: 0, left: 0, open: 0 }
const goneAway = new Error("the client goes away")

const call = (kind: Kind, index: number): void => {
  done.open++
  let status = 0
  let frames = 0
  let text = ""
  const end = (isGood: boolean): void => {
    done.open--
    done[isGood ? kind : "failed"]++
  }
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: () => undefined,
    onResponseStart: (_, code) => {
      status = code
    },
    onResponseData: (controller, chunk) => {
      if (kind === "json") return
      text = `${text.slice(-LAST_CHARACTERS)}${chunk.toString("latin1")}`
      if (kind !== "dropped") return
      frames += chunk.toString("latin1").split('"content":"word ').length - 1
      if (frames >= FRAMES_READ) controller.abort(goneAway)
    },
    onResponseEnd: () => end(status === 200 && (kind === "json" || (kind === "stream" && text.includes("[DONE]")))),
    onResponseError: (_, error) => end(status === 200 && error === goneAway)
  }
  const headers = { "content-type": "application/json", authorization: `Bearer ${keys[index % keys.length]}` }
  pool.dispatch({ method: "POST", path: "/v1/chat/completions", headers, body: bodies.get(kind) ?? null }, handler)
}

/** Enough of a stream to see how it ended. */
const LAST_CHARACTERS = 20

const startedMs = performance.now()
const untilMs = startedMs + Number(seconds) * 1_000
for (let made = 0; performance.now() < untilMs;) {
  const due = Math.floor(((performance.now() - startedMs) / 1_000) * Number(rate))
  for (; made < due; made++) {
    if (done.open >= OPEN_MAX) done.left++
    else call(kinds[made % kinds.length] ?? "json", Math.floor(made / kinds.length))
  }
  await setTimeout(5)
}
for (let waited = 0; done.open > 0 && waited < 60_000; waited += 50) await setTimeout(50)
process.stdout.write(`${JSON.stringify(done)}\n`)
await pool.destroy()
