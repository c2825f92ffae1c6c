/**
 * What benches share: a folder of their own, processes that are started by their first line and ended with the bench, and Realms
 * over a simulated upstream.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "realms-bench-"))
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)
const children: Array<ChildProcess> = []

export interface Started {
  readonly child: ChildProcess
  /** What was found in its lines. */
  readonly found: string
}

/** Starts a Node process, and waits for a line in which `find` finds something. */
export const start = (
  args: ReadonlyArray<string>,
  find: (line: string) => string | undefined,
  env: NodeJS.ProcessEnv = process.env
): Promise<Started> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] })
    children.push(child)
    let seen = ""
    const look = (piece: Buffer) => {
      seen += piece.toString()
      for (const line of seen.split("\n")) {
        const found = find(line)
        if (found !== undefined) resolve({ child, found })
      }
    }
    child.stdout?.on("data", look)
    child.stderr?.on("data", look)
    child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}: ${seen.slice(-2_000)}`)))
  })

/** A script of this folder that prints the port it listens on; its origin. */
export const startScript = async (script: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const { found } = await start(
    [join(root, "bench", script), ...args],
    (line) => /^\d+$/.test(line) ? line : undefined
  )
  return `http://127.0.0.1:${found}`
}

/** What one round of load has measured. */
export interface Figures {
  readonly callsPerSecond: number
  readonly failed: number
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
}

export interface Load {
  readonly origin: string
  readonly key: string
  readonly stream: boolean
}

export const SECONDS = process.env.BENCH_SECONDS ?? "5"
export const CONNECTIONS = process.env.BENCH_CONNECTIONS ?? "64"

/** Calls a target for some seconds, from a process of its own. */
export const load = async ({ key, origin, stream }: Load): Promise<Figures> => {
  const { found } = await start(
    [join(root, "bench/load.ts"), origin, key, "bench", CONNECTIONS, SECONDS, String(stream)],
    (line) => line.startsWith("{") ? line : undefined
  )
  return JSON.parse(found) as Figures
}

export interface Realms {
  readonly child: ChildProcess
  readonly origin: string
  /** Runs a command on the same installation; what it prints. */
  readonly command: (...args: ReadonlyArray<string>) => string
}

export interface RealmsOptions {
  readonly nodeArgs?: ReadonlyArray<string>
  /** A built checkout of another version; else this one. */
  readonly checkout?: string
}

let installations = 0

/** Realms on a fresh embedded PostgreSQL, with two models of the upstream, `bench` and `large`. */
export const startRealms = async (
  upstreamOrigin: string,
  { checkout = root, nodeArgs = [] }: RealmsOptions = {}
): Promise<Realms> => {
  const entry = join(checkout, "dist/main.js")
  const own = join(folder, String(++installations))
  mkdirSync(own)
  const config = join(own, "config.yaml")
  writeFileSync(
    config,
    `server: { port: 0 }
data_dir: ${join(own, "data")}
log: { format: json, level: info }
channels: [{ name: bench, base_url: "${upstreamOrigin}/v1", api_key: bench, models: { bench: bench, large: large } }]
models: [{ id: bench, input_usd_per_1m: "0.15", output_usd_per_1m: "0.60", max_output_tokens: 1000 },
         { id: large, input_usd_per_1m: "0.15", output_usd_per_1m: "0.60", max_output_tokens: 1000 }]
`
  )
  const env = { ...process.env, REALMS_CONFIG: config }
  const { child, found } = await start(
    [...nodeArgs, entry, "serve"],
    (line) => /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1],
    env
  )
  const command = (...args: ReadonlyArray<string>): string =>
    execFileSync(process.execPath, [entry, ...args], { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
      .trim()
  return { child, origin: found, command }
}

/** A new user's key. */
export const keyOf = ({ command }: Realms, email: string, usd?: string): string => {
  command("user", "create", "--email", email)
  if (usd !== undefined) command("balance", "adjust", "--user", email, "--usd", usd, "--note", "bench")
  return command("key", "create", "--user", email)
}

/** Ends every process, the last one first, and removes the folder. */
export const endAll = async (): Promise<void> => {
  for (const child of children.toReversed()) {
    if (child.exitCode !== null) continue
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGTERM")
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
}
