/**
 * Load by `wrk` (Debian's package of that name), where it is installed; else by the load generator of this folder, which takes
 * more of the machine for itself.
 */
import { execFile, execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { folder, root, start } from "./servers.ts"

/** What one round of load has measured. */
export interface Figures {
  readonly calls: number
  readonly callsPerSecond: number
  /** Answers other than 200, and calls without one. */
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface Load {
  readonly origin: string
  /** The keys that are called with in turn. */
  readonly keys: ReadonlyArray<string>
  readonly connections: number
  readonly seconds: number
  readonly headers?: Readonly<Record<string, string>>
  readonly stream?: boolean
  readonly model?: string
  /** The limit that each call sets. */
  readonly maxTokens?: number
  /** Which of the keys calls first. */
  readonly firstKey?: number
}

const isInstalled = (() => {
  try {
    execFileSync("wrk", ["-v"], { stdio: "ignore" })
    return true
  } catch (error) {
    // It prints its version and exits with 1.
    return typeof error === "object" && error !== null && "status" in error && error.status === 1
  }
})()

/** What makes the load. */
export const generator = isInstalled ? "wrk" : "bench/load.ts"

const body = ({ maxTokens = 64, model = "bench", stream = false }: Load): string =>
  JSON.stringify({ model, stream, max_tokens: maxTokens, messages: [{ role: "user", content: "Say twenty words." }] })

/** A file of a line a key: there may be very many. */
const keysPath = join(folder, "load.keys")

const script = (load: Load): string => `
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
${Object.entries(load.headers ?? {}).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`).join("\n")}
local keys = {}
local next = ${(load.firstKey ?? 0) % load.keys.length}
local body = ${JSON.stringify(body(load))}
function init()
  for key in io.lines("${keysPath}") do keys[#keys + 1] = "Bearer " .. key end
end
function request()
  next = next % #keys + 1
  wrk.headers["authorization"] = keys[next]
  return wrk.format(nil, nil, nil, body)
end
function done(summary, latency)
  io.write(string.format('{"calls":%d,"micros":%d,"failed":%d,"p50":%.1f,"p99":%.1f}\\n', summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`

interface Said {
  readonly calls: number
  readonly micros: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
}

const byWrk = (load: Load): Promise<Figures> =>
  new Promise((resolve, reject) => {
    const path = join(folder, "load.lua")
    writeFileSync(path, script(load))
    writeFileSync(keysPath, load.keys.join("\n"))
    const args = ["-t1", `-c${load.connections}`, `-d${load.seconds}s`, "--timeout", "30s", "-s", path]
    execFile("wrk", [...args, `${load.origin}/v1/chat/completions`], (error, stdout) => {
      const line = stdout.split("\n").find((one) => one.startsWith("{"))
      if (line === undefined) return reject(error ?? new Error(stdout))
      const { calls, failed, micros, p50, p99 } = JSON.parse(line) as Said
      resolve({
        calls: calls - failed,
        callsPerSecond: (calls - failed) * 1_000_000 / micros,
        failed,
        p50Ms: p50 / 1_000,
        p99Ms: p99 / 1_000
      })
    })
  })

const byOurs = async (load: Load) => {
  const { connections, firstKey = 0, headers = {}, keys, origin, seconds } = load
  writeFileSync(keysPath, keys.join("\n"))
  const args = [origin, keysPath, String(firstKey), body(load), String(connections), String(seconds)]
  const { found } = await start(
    [join(root, "bench/load.ts"), ...args, JSON.stringify(headers)],
    (line) => line.startsWith("{") ? line : undefined
  )
  return JSON.parse(found) as Figures
}

/** Calls a target for some seconds, from a process of its own. */
export const load = (asked: Load): Promise<Figures> => isInstalled ? byWrk(asked) : byOurs(asked)
