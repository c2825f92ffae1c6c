/**
 * Realms as its users run it: an installation in a scratch folder, the built server as a process of its own, and commands
 * beside it. Most commands run in the test's process, over a pool of their own: to the server that is another process, and
 * it saves a start each. `begin` starts a real one. Nothing is left running when the scope ends, whatever was killed.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Exit, Layer, References, Schema } from "effect"
import { TestConsole } from "effect/testing"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { ChannelTest } from "../../src/gateway/ChannelTest.ts"
import { CliServices, migrate } from "../../src/CommandApp.ts"
import { makeCli, runCli } from "../../src/cli/Cli.ts"
import { AppConfig, load } from "../../src/config/Config.ts"
import { openFileLock } from "../../src/postgres/FileLock.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { until } from "./Until.ts"

const root = join(import.meta.dirname, "../..")

/** A module of the build. */
export const builtModule = (path: string): string => join(root, "dist", path)

const entry = join(root, "dist/main.js")
const bundle = join(root, "dist/bundle/CommandLine.js")

/** The environment without what would be another configuration. */
const { DATABASE_URL: _url, HOST: _host, PORT: _port, ...environment } = process.env

/** `npm run build`: what is run is what its users run. */
const compile = (): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(
      "npm",
      ["run", "--silent", "build"],
      { cwd: root, shell: process.platform === "win32" },
      (error, stdout, stderr) => error === null ? resolve() : reject(new Error(`${stdout}\n${stderr}`))
    )
  })

const changedMs = (path: string): Promise<number> => stat(path).then((found) => found.mtimeMs, () => 0)

const build = async (): Promise<void> => {
  const names = await readdir(join(root, "src"), { recursive: true })
  const times = await Promise.all(names.map((name) => changedMs(join(root, "src", name))))
  if (Math.max(...times) > await changedMs(bundle)) await compile()
}

/** Only one worker of the run builds at a time: what another has built meanwhile is not older any more. */
const buildLocked = Effect.gen(function*() {
  const lock = yield* openFileLock(join(root, "node_modules/.test-build.lock"))
  yield* until("no other worker builds", lock.tryToTake)
  yield* Effect.promise(build)
}).pipe(Effect.scoped, Effect.orDie)

let building: Promise<void> | undefined

/** Builds the server, once and only when its source is newer. */
export const built = Effect.promise(() => building ??= Effect.runPromise(buildLocked))

/** A process that runs, or has run: the server, unless another command is named. */
export class RealmsProcess {
  readonly child: ChildProcess
  /** What it logged. */
  log = ""
  /** Its exit code, or the signal that ended it. */
  ended: number | string | undefined

  constructor(env: NodeJS.ProcessEnv, args: ReadonlyArray<string> = ["serve"]) {
    this.child = spawn(process.execPath, [entry, ...args], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "pipe"],
      // A process group of its own, as a terminal gives it.
      detached: true
    })
    for (const output of [this.child.stdout, this.child.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text
      })
    }
    this.child.once("exit", (code, signal) => {
      this.ended = code ?? signal ?? "unknown"
    })
  }

  /** Where it listens; empty until it does. */
  get origin(): string {
    return /listening on (http:\/\/[\d.]+:\d+)/.exec(this.log)?.[1] ?? ""
  }

  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGHUP"): void {
    this.child.kill(name)
  }

  /** What Ctrl-C in its terminal does: SIGINT to its whole process group. */
  interruptGroup(): void {
    if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGINT")
  }

  /** Waits for its end; answers its exit code or the signal. */
  readonly exit = Effect.suspend(() =>
    Effect.as(until("the process has ended", () => this.ended !== undefined), undefined)
  ).pipe(Effect.map(() => this.ended))
}

const STOP_POLLS_MAX = 1_000
const STOP_POLL_MS = 20

/** Stops the database server of a data folder, where one was left without its owner. */
const stopPostgres = async (dataDir: string): Promise<void> => {
  const pidFile = join(dataDir, "postgres", "postmaster.pid")
  const read = () => readFile(pidFile, "utf8").catch(() => "")
  const pid = Number((await read()).split("\n")[0])
  if (!Number.isInteger(pid) || pid <= 1) return
  try {
    process.kill(pid, "SIGINT")
  } catch {
    // It had ended by itself, and left its file.
    return
  }
  for (let polls = 0; polls < STOP_POLLS_MAX && await read() !== ""; polls++) await setTimeout(STOP_POLL_MS)
}

/** Commands about channels are not among them. */
const channels = Layer.mergeAll(Layer.mock(ChannelAdmin, {}), Layer.mock(ChannelTest, {}))

const isProcess = Effect.die(new Error("this command is a process of its own"))

/** What runs commands: each over a pool of its own, or all over one that is there as long as the scope. */
const commandLine = Effect.fnUntraced(function*(configPath: string, { isShared }: { readonly isShared: boolean }) {
  const config = yield* load({ cwd: root, env: { ...environment, REALMS_CONFIG: configPath } })
  const layer = AppConfig.layerOf(config)
  const own = CliServices.pipe(Layer.provide(layer))
  const services = isShared ? Layer.succeedContext(yield* Layer.build(own)) : own
  return Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
    const exit = yield* Effect.exit(
      runCli(makeCli({ config: layer, services, channels, serve: () => isProcess, migrate, demo: isProcess }), {
        version: "test",
        args
      })
    )
    const printed = yield* Exit.isSuccess(exit) ? TestConsole.logLines : TestConsole.errorLines
    const text = printed.join("\n").trim()
    return Exit.isSuccess(exit) ? text : yield* Effect.die(new Error(`${args.join(" ")}: ${text}`))
  }, Effect.provide(Layer.fresh(TestConsole.layer)))
})

type CommandLine = Effect.Success<ReturnType<typeof commandLine>>

/** What is done with commands of the configuration at a path, in this process. */
const withCommands = <A, E, R>(
  configPath: string,
  options: { readonly isShared: boolean },
  use: (run: CommandLine) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(commandLine(configPath, options), use).pipe(
    Effect.scoped,
    Effect.provide(NodeServices.layer),
    Effect.provideService(References.MinimumLogLevel, "None"),
    // A map of its own: nothing of another command or server in this process is shared.
    Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe()),
    Effect.orDie
  )

/** Commands of the configuration at a path, run in this process. What each printed; one that fails is a defect. */
export const commandsOf = (configPath: string) => (...args: ReadonlyArray<string>): Effect.Effect<string> =>
  withCommands(configPath, { isShared: false }, (run) => run(args))

const Created = Schema.fromJsonString(Schema.Struct({ id: Schema.String, key: Schema.String }))

export interface Installation {
  readonly dataDir: string
  /** Starts the server and waits until it listens. */
  readonly start: Effect.Effect<RealmsProcess>
  /** Starts a command that goes on until its standard input ends. */
  begin(...args: ReadonlyArray<string>): RealmsProcess
  /** Runs a command in this process; what it printed. A command that fails is a defect. */
  cli(...args: ReadonlyArray<string>): Effect.Effect<string>
  /** A user with money, and a key. */
  user(email: string, usd: string): Effect.Effect<{ readonly email: string; readonly id: string; readonly key: string }>
}

/**
 * An installation as long as the scope. Without a database's URL it brings its own PostgreSQL. Its processes see `env` beside the
 * environment of the tests.
 */
export const makeInstallation = Effect.fnUntraced(function*(document: object, env: NodeJS.ProcessEnv = {}) {
  yield* built
  const processes: Array<RealmsProcess> = []
  const folder = yield* scratchFolder
  yield* Effect.addFinalizer(() => Effect.promise(() => stopPostgres(join(folder, "data"))))
  yield* Effect.addFinalizer(() =>
    Effect.forEach(processes.filter((process) => process.ended === undefined), (process) => {
      process.signal("SIGKILL")
      return process.exit
    })
  )
  const path = join(folder, "config.yaml")
  yield* Effect.promise(() =>
    writeFile(
      path,
      JSON.stringify({ server: { port: 0 }, data_dir: join(folder, "data"), log: { format: "json" }, ...document })
    )
  )
  const cli = commandsOf(path)
  const begin = (...args: ReadonlyArray<string>) => {
    const process = new RealmsProcess({ ...environment, ...env, REALMS_CONFIG: path }, args)
    processes.push(process)
    return process
  }
  const start = Effect.gen(function*() {
    const process = begin("serve")
    yield* until("the server listens", () => process.origin !== "" || process.ended !== undefined)
    if (process.ended !== undefined) {
      return yield* Effect.die(new Error(`the server ended with ${process.ended}: ${process.log}`))
    }
    return process
  })
  const user = (email: string, usd: string) =>
    withCommands(
      path,
      { isShared: true },
      Effect.fnUntraced(function*(run) {
        yield* run(["user", "create", "--email", email])
        yield* run(["balance", "adjust", "--user", email, "--usd", usd, "--note", "test"])
        const made = yield* run(["key", "create", "--user", email, "--json"])
        return { email, ...yield* Schema.decodeUnknownEffect(Created)(made) }
      })
    )
  return { dataDir: join(folder, "data"), start, begin, cli, user } satisfies Installation
})
