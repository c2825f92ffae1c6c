/**
 * The load balancers that `docs/deployment` has configurations for, started from these very files: only addresses are changed, and
 * where nginx keeps files of its own.
 */
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "./FreePort.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { until } from "./Until.ts"

const folder = join(import.meta.dirname, "../../docs/deployment")

export interface BalancerKind {
  readonly name: string
  /** What Debian calls its package. */
  readonly debianPackage: string
  readonly isInstalled: boolean
  /** What it says on standard error when it listens. */
  readonly ready: string
  /** Writes what it needs into a folder; how it is started. */
  readonly prepare: (
    scratch: string,
    port: number,
    runners: ReadonlyArray<number>
  ) => Promise<{ readonly args: ReadonlyArray<string>; readonly env: NodeJS.ProcessEnv }>
}

const runs = (program: string, argument: string): boolean => {
  try {
    execFileSync(program, [argument], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Where nginx keeps bodies and answers that do not fit into memory. */
const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]

/** The shipped configuration, on another port. */
const nginxConfig = (scratch: string, port: number): string => {
  const paths = temporary.map((name) => `  ${name}_temp_path ${join(scratch, name)};`).join("\n")
  return readFileSync(join(folder, "nginx/nginx.conf"), "utf8")
    .replace("listen 8080", `listen 127.0.0.1:${port}`)
    .replace("http {", `http {\n${paths}`)
}

/** The shipped list of runners, with these. */
const nginxRunners = (runners: ReadonlyArray<number>): string => {
  const [, options = ""] = /^server realms-1:8080 (.*)$/m.exec(
    readFileSync(join(folder, "nginx/runners.conf"), "utf8")
  ) ?? []
  return runners.map((runner) => `server 127.0.0.1:${runner} ${options}\n`).join("")
}

const nginx: BalancerKind = {
  name: "nginx",
  debianPackage: "nginx-light",
  isInstalled: runs("nginx", "-v"),
  ready: "start worker processes",
  prepare: async (scratch, port, runners) => {
    const path = join(scratch, "nginx.conf")
    await writeFile(path, nginxConfig(scratch, port))
    await writeFile(join(scratch, "runners.conf"), nginxRunners(runners))
    const own = `daemon off; pid ${join(scratch, "nginx.pid")}; error_log stderr notice;`
    return { args: ["-p", scratch, "-e", "stderr", "-c", path, "-g", own], env: process.env }
  }
}

const caddy: BalancerKind = {
  name: "caddy",
  debianPackage: "caddy",
  isInstalled: runs("caddy", "version"),
  ready: "serving initial configuration",
  prepare: (scratch, port, runners) =>
    Promise.resolve({
      args: ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"],
      env: {
        ...process.env,
        CADDY_ADMIN: "off",
        REALMS_SITE: `http://127.0.0.1:${port}`,
        REALMS_RUNNERS: runners.map((runner) => `127.0.0.1:${runner}`).join(" "),
        XDG_DATA_HOME: scratch,
        XDG_CONFIG_HOME: scratch
      }
    })
}

export const balancers: ReadonlyArray<BalancerKind> = [nginx, caddy]

/** Starts one in front of runners that serve on these ports of loopback; it runs as long as the scope. Answers where it listens. */
export const startBalancer = Effect.fnUntraced(function*(kind: BalancerKind, runners: ReadonlyArray<number>) {
  const scratch = yield* scratchFolder
  const port = yield* freePort
  const { args, env } = yield* Effect.promise(() => kind.prepare(scratch, port, runners))
  const found = { log: "", ended: false }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(kind.name, args, { env, stdio: ["ignore", "ignore", "pipe"] })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        found.log += text
      })
      child.once("exit", () => {
        found.ended = true
      })
      return child
    }),
    (child) =>
      Effect.suspend(() => {
        child.kill("SIGTERM")
        return until("the load balancer has ended", () => found.ended)
      })
  )
  const origin = `http://127.0.0.1:${port}`
  yield* until("the load balancer listens", () => found.log.includes(kind.ready) || found.ended)
  return found.ended ? yield* Effect.die(new Error(`${kind.name} ended: ${found.log}`)) : { origin }
})
