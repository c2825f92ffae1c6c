/**
 * The Codex CLI as a process, with a folder of its own for home, configuration and work, no network but this machine, and an
 * end: what runs longer than its bound is killed. Its configuration is what the README shows, and nothing more.
 */
import { Schema } from "effect"
import { spawn } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Target } from "./Target.ts"

const RUN_MS_MAX = 30_000

/** A port that nothing listens on: what is not on this machine cannot be reached. */
const NO_PROXY_HERE = "http://127.0.0.1:9"

const entry = join(import.meta.dirname, "node_modules/@openai/codex/bin/codex.js")

const Event = Schema.fromJsonString(Schema.Struct({
  type: Schema.String,
  thread_id: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  item: Schema.optionalKey(Schema.Struct({ type: Schema.String, text: Schema.optionalKey(Schema.String) })),
  error: Schema.optionalKey(Schema.Struct({ message: Schema.String }))
}))
const decodeEvent = Schema.decodeUnknownSync(Event)

export interface CodexRun {
  readonly exitCode: number | null
  readonly threadId: string
  /** What the agent said, message by message. */
  readonly texts: ReadonlyArray<string>
  /** What Codex reported as having gone wrong. */
  readonly errors: ReadonlyArray<string>
  readonly log: string
}

/** Its `config.toml`, as the README shows it. */
export const configOf = (target: Pick<Target, "baseUrl" | "model">): string =>
  `model = "${target.model}"
model_provider = "realms"

[model_providers.realms]
name = "Realms"
base_url = "${target.baseUrl}"
env_key = "REALMS_API_KEY"
wire_api = "responses"
`

const runProcess = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv, cwd: string) =>
  new Promise<{ readonly exitCode: number | null; readonly out: string; readonly log: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, so that what it starts ends with it.
      detached: true
    })
    let out = ""
    let log = ""
    const killGroup = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch {
        // It has ended.
      }
    }
    const timer = setTimeout(killGroup, RUN_MS_MAX)
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text
    })
    child.once("error", reject)
    child.once("close", (exitCode) => {
      clearTimeout(timer)
      killGroup()
      resolve({ exitCode, out, log })
    })
  })

export class Codex {
  private readonly folder: string
  private readonly env: NodeJS.ProcessEnv

  private constructor(folder: string, target: Target) {
    this.folder = folder
    this.env = {
      PATH: process.env["PATH"],
      HOME: folder,
      CODEX_HOME: join(folder, "codex"),
      REALMS_API_KEY: target.apiKey,
      HTTP_PROXY: NO_PROXY_HERE,
      HTTPS_PROXY: NO_PROXY_HERE,
      NO_PROXY: "127.0.0.1"
    }
  }

  static async make(target: Target): Promise<Codex> {
    const folder = await mkdtemp(join(tmpdir(), "realms-codex-"))
    await mkdir(join(folder, "codex"))
    await mkdir(join(folder, "project"))
    await writeFile(join(folder, "codex/config.toml"), configOf(target))
    return new Codex(folder, target)
  }

  private async run(args: ReadonlyArray<string>): Promise<CodexRun> {
    const ended = await runProcess(args, this.env, join(this.folder, "project"))
    const events = ended.out.split("\n").filter((line) => line !== "").map((line) => decodeEvent(line))
    return {
      exitCode: ended.exitCode,
      threadId: events.find((event) => event.type === "thread.started")?.thread_id ?? "",
      texts: events.flatMap(({ item }) => item?.type === "agent_message" && item.text !== undefined ? [item.text] : []),
      errors: events.flatMap(({ type, message, error }) =>
        type === "error" || type === "turn.failed" ? [message ?? error?.message ?? ""] : []
      ),
      log: `${ended.out}${ended.log}`
    }
  }

  /** One prompt in a new conversation. */
  exec(prompt: string): Promise<CodexRun> {
    return this.run(["exec", ...unattended, prompt])
  }

  /** The next prompt of a conversation. */
  resume(threadId: string, prompt: string): Promise<CodexRun> {
    return this.run(["exec", "resume", ...unattended, threadId, prompt])
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

const unattended = ["--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
