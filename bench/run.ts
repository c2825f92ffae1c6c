/**
 * `npm run bench`: the upstream alone, a bare Node proxy before it, and Realms with billing on, in one run, so that the ratios
 * say something on any machine. `BENCH_SECONDS` and `BENCH_CONNECTIONS` change its size; the audit has to be clean after it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const SECONDS = process.env.BENCH_SECONDS ?? "5"
const CONNECTIONS = process.env.BENCH_CONNECTIONS ?? "64"
const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "realms-bench-"))
const children: Array<ChildProcess> = []
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Starts a process and waits for a line that `find` finds something in. */
const start = (
  script: string,
  args: ReadonlyArray<string>,
  find: (line: string) => string | undefined,
  env = {}
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    children.push(child)
    let seen = ""
    const look = (chunk: Buffer) => {
      seen += chunk.toString()
      for (const line of seen.split("\n")) {
        const found = find(line)
        if (found !== undefined) resolve(found)
      }
    }
    child.stdout?.on("data", look)
    child.stderr?.on("data", look)
    child.once("exit", (code) => reject(new Error(`${script} ended with ${code}: ${seen.slice(-2_000)}`)))
  })

const portOf = (line: string): string | undefined => /^\d+$/.test(line) ? line : undefined

interface Figures {
  readonly callsPerSecond: number
  readonly failed: number
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
}

const load = async (origin: string, key: string, stream: boolean): Promise<Figures> => {
  const script = join(root, "bench/load.ts")
  const line = await start(
    script,
    [origin, key, "bench", CONNECTIONS, SECONDS, String(stream)],
    (text) => text.startsWith("{") ? text : undefined
  )
  return JSON.parse(line) as Figures
}

const realms = (env: NodeJS.ProcessEnv, ...args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, [join(root, "dist/main.js"), ...args], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"]
  }).trim()

try {
  const upstream = await start(join(root, "bench/upstream.ts"), [], portOf)
  const upstreamOrigin = `http://127.0.0.1:${upstream}`
  const bare = await start(join(root, "bench/bareProxy.ts"), [upstreamOrigin], portOf)
  const config = join(folder, "config.yaml")
  writeFileSync(
    config,
    `server: { port: 0 }
data_dir: ${join(folder, "data")}
log: { format: json, level: info }
channels: [{ name: bench, base_url: "${upstreamOrigin}/v1", api_key: bench, models: { bench: bench } }]
models: [{ id: bench, input_usd_per_1m: "0.15", output_usd_per_1m: "0.60", max_output_tokens: 1000 }]
`
  )
  const env = { ...process.env, REALMS_CONFIG: config }
  say("starting Realms on a fresh embedded PostgreSQL ...")
  const port = await start(
    join(root, "dist/main.js"),
    ["serve"],
    (line) => /listening.*?127\.0\.0\.1:(\d+)/.exec(line)?.[1],
    env
  )
  realms(env, "user", "create", "--email", "bench@example.com")
  const key = realms(env, "key", "create", "--user", "bench@example.com")
  realms(env, "balance", "adjust", "--user", "bench@example.com", "--usd", "100000", "--note", "bench")
  const rows: Array<Record<string, string | number>> = []
  for (const stream of [false, true]) {
    const measured: Record<string, Figures> = {}
    for (
      const [name, origin, token] of [
        ["upstream", upstreamOrigin, "x"],
        ["bare proxy", `http://127.0.0.1:${bare}`, "x"],
        ["realms", `http://127.0.0.1:${port}`, key]
      ] as const
    ) {
      say(`measuring ${name}, ${stream ? "streams" : "JSON"}, ${CONNECTIONS} connections, ${SECONDS} s ...`)
      await load(origin, token, stream)
      measured[name] = await load(origin, token, stream)
    }
    const floor = measured["bare proxy"]?.callsPerSecond ?? 1
    for (const [name, figures] of Object.entries(measured)) {
      rows.push({
        kind: stream ? "stream" : "json",
        target: name,
        "calls/s": Math.round(figures.callsPerSecond),
        "of bare proxy": Number((figures.callsPerSecond / floor).toFixed(3)),
        "first byte p50 ms": Number(figures.firstByteP50Ms.toFixed(2)),
        "first byte p99 ms": Number(figures.firstByteP99Ms.toFixed(2)),
        failed: figures.failed
      })
    }
  }
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join("\n")}\n`)
  process.stdout.write(`${realms(env, "audit")}\n`)
} finally {
  for (const child of children.toReversed()) {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      child.kill("SIGTERM")
      await ended
    }
  }
  rmSync(folder, { recursive: true, force: true })
}
