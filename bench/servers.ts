/**
 * What benches share: a folder of their own, processes that are started by their first line and ended with the bench, and Realms
 * over a simulated upstream.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout } from "node:timers/promises"

export const root = join(import.meta.dirname, "..")
export const folder = mkdtempSync(join(tmpdir(), "realms-bench-"))
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)
const children: Array<ChildProcess> = []

export interface Started {
  readonly child: ChildProcess
  /** What was found in its lines. */
  readonly found: string
}

/** What a process said last, as its failure repeats it, at most. */
const SEEN_CHARACTERS_MAX = 2_000

/** Starts a Node process, and waits for a line in which `find` finds something; `hear` is given every line. */
export const start = (
  args: ReadonlyArray<string>,
  find: (line: string) => string | undefined,
  env?: NodeJS.ProcessEnv,
  hear?: (line: string) => void
): Promise<Started> => startProgram(process.execPath, args, find, env, hear)

/** The same for any program. */
export const startProgram = (
  program: string,
  args: ReadonlyArray<string>,
  find: (line: string) => string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  hear: (line: string) => void = () => undefined
): Promise<Started> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] })
    children.push(child)
    let seen = ""
    const look = (line: string): void => {
      seen = `${seen}\n${line}`.slice(-SEEN_CHARACTERS_MAX)
      hear(line)
      const found = find(line)
      if (found !== undefined) resolve({ child, found })
    }
    for (const output of [child.stdout, child.stderr]) {
      if (output !== null) createInterface({ input: output }).on("line", look)
    }
    child.once("close", (code) => reject(new Error(`${args.join(" ")} ended with ${code}: ${seen}`)))
  })

/** The same for a process that ends by itself: what was found, once it has left nothing behind. */
export const run = async (...asked: Parameters<typeof start>): Promise<string> => {
  const { child, found } = await start(...asked)
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
  return found
}

/** A script of this folder that prints the port it listens on. */
export const startScript = async (script: string, ...args: ReadonlyArray<string>) => {
  const { child, found } = await start(
    [join(root, "bench", script), ...args],
    (line) => /^\d+$/.test(line) ? line : undefined
  )
  return { origin: `http://127.0.0.1:${found}`, pid: child.pid ?? 0 }
}

/** What probes that were loaded into a server say. */
export interface ProbeAnswers {
  /** What is left of its heap after garbage is collected. */
  readonly heap: { readonly heapBytes: number; readonly externalBytes: number }
  /** The delays of its event loop since the last question. */
  readonly delays: { readonly longestMs: number; readonly p99Ms: number }
}

/** Asks a probe that was loaded into a server. */
export const askProbe = <Question extends keyof ProbeAnswers>(
  server: ChildProcess,
  question: Question
): Promise<ProbeAnswers[Question]> =>
  new Promise((resolve) => {
    server.once("message", (answer: ProbeAnswers[Question]) => resolve(answer))
    server.send(question)
  })

export interface Realms {
  readonly child: ChildProcess
  readonly origin: string
  readonly dataDir: string
  /** Its `config.yaml`. */
  readonly config: string
  /** Runs a command on the same installation; what it prints. */
  readonly command: (...args: ReadonlyArray<string>) => string
  /** The same with a text on its standard input. */
  readonly commandGiven: (input: string, ...args: ReadonlyArray<string>) => string
  /** Stops the server and its database and starts them again; the ms from the start until it is ready. */
  readonly again: () => Promise<number>
}

export interface RealmsOptions {
  readonly nodeArgs?: ReadonlyArray<string>
  /** More of `config.yaml`, a line a key. */
  readonly settings?: string
  /** Models of the upstream besides the usual ones. */
  readonly moreModels?: ReadonlyArray<{ readonly id: string; readonly maxOutputTokens: number }>
  /** A built checkout of another version; else this one. */
  readonly checkout?: string
  readonly runners?: number
  /** Whether each call has a line of the log; absent: as it is without a setting. */
  readonly logsCalls?: boolean
  /** Is given every line of its log. */
  readonly hear?: (line: string) => void
}

let installations = 0

/** The models of the upstream. */
const usualModels = ["bench", "large", "five", "paced", "slow", "long"].map((id) => ({ id, maxOutputTokens: 1_000 }))

const listening = /listening on (http:\/\/127\.0\.0\.1:\d+)/

/** Realms on a fresh embedded PostgreSQL, with the models of the upstream. */
export const startRealms = async (
  upstreamOrigin: string,
  { checkout = root, hear, logsCalls, moreModels = [], nodeArgs = [], runners = 1, settings = "" }: RealmsOptions = {}
): Promise<Realms> => {
  const entry = join(checkout, "dist/main.js")
  const own = join(folder, String(++installations))
  const dataDir = join(own, "data")
  const models = [...usualModels, ...moreModels]
  mkdirSync(own)
  const config = join(own, "config.yaml")
  writeFileSync(
    config,
    `server: { port: 0${runners === 1 ? "" : `, runners: ${runners}`} }
${settings}
data_dir: ${dataDir}
log: { format: json, level: info${logsCalls === undefined ? "" : `, calls: ${logsCalls}`} }
channels: [{ name: bench, base_url: "${upstreamOrigin}/v1", api_key: bench, max_connections: 8192, models: { ${
      models.map(({ id }) => `${id}: ${id}`).join(", ")
    } } }]
models: [${
      models.map(({ id, maxOutputTokens }) =>
        `{ id: ${id}, input_usd_per_1m: "0.15", output_usd_per_1m: "0.60", max_output_tokens: ${maxOutputTokens} }`
      ).join(",\n         ")
    }]
`
  )
  const env = { ...process.env, REALMS_CONFIG: config }
  const serve = () => start([...nodeArgs, entry, "serve"], (line) => listening.exec(line)?.[1], env, hear)
  const { child, found } = await serve()
  const command = (...args: ReadonlyArray<string>): string =>
    execFileSync(process.execPath, [entry, ...args], { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
      .trim()
  const commandGiven = (input: string, ...args: ReadonlyArray<string>): string =>
    execFileSync(process.execPath, [entry, ...args], {
      env,
      encoding: "utf8",
      input,
      stdio: ["pipe", "pipe", "inherit"]
    })
      .trim()
  const again = async (): Promise<number> => {
    await endOne(running)
    const startedMs = performance.now()
    const { child: next, found: origin } = await serve()
    running = next
    while ((await fetch(`${origin}/readyz`)).status !== 200) await setTimeout(5)
    return performance.now() - startedMs
  }
  let running = child
  return { child, origin: found, dataDir, config, command, commandGiven, again }
}

/** A new user's key. */
export const keyOf = ({ command }: Realms, email: string, usd?: string): string => {
  command("user", "create", "--email", email)
  if (usd !== undefined) command("balance", "adjust", "--user", email, "--usd", usd, "--note", "bench")
  return command("key", "create", "--user", email)
}

const endOne = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGTERM")
  await ended
}

/** Ends every process, the last one first. */
export const endProcesses = async (): Promise<void> => {
  for (const child of children.splice(0).toReversed()) await endOne(child)
}

/** Ends every process and removes the folder. */
export const endAll = async (): Promise<void> => {
  await endProcesses()
  rmSync(folder, { recursive: true, force: true })
}
