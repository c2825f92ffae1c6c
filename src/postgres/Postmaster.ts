/**
 * What is known of a running PostgreSQL server from outside: its postmaster.pid, and whether the process of that number
 * really is the server of this cluster. After a crash or a reboot the file may name a dead process, or one that has
 * nothing to do with PostgreSQL; after a power loss it may be empty. PostgreSQL refuses to start over such a file.
 * @internal
 */
import { Effect, Option } from "effect"
import { readdir, readFile, readlink, rm } from "node:fs/promises"
import { join } from "node:path"
import { runCommand } from "./RunUser.ts"

export interface Postmaster {
  readonly pid: number
  /** Absent while the server is still starting. */
  readonly port: Option.Option<number>
}

const PORT_LINE = 3

const toPositive = (text: string | undefined): Option.Option<number> => {
  const value = Number(text?.trim())
  return Number.isSafeInteger(value) && value > 0 ? Option.some(value) : Option.none()
}

const pidFileOf = (clusterDir: string): string => join(clusterDir, "postmaster.pid")

/** The pid file; what it says is none where no process is named. */
const readPidFile = (clusterDir: string) =>
  Effect.promise(() => readFile(pidFileOf(clusterDir), "utf8").catch(() => undefined)).pipe(
    Effect.map((text) => {
      const lines = text?.split("\n") ?? []
      const named = Option.map(toPositive(lines[0]), (pid): Postmaster => ({ pid, port: toPositive(lines[PORT_LINE]) }))
      return { exists: text !== undefined, named }
    })
  )

const readProc = (pid: number, clusterDir: string): Promise<boolean> =>
  readlink(`/proc/${pid}/cwd`).then((folder) => folder === clusterDir, () => false)

/** True while `pid` is the server of this cluster: a postmaster's working directory is its data directory. */
export const isPostmaster = Effect.fnUntraced(function*(pid: number, clusterDir: string) {
  if (process.platform === "linux") return yield* Effect.promise(() => readProc(pid, clusterDir))
  const { output, succeeded } = yield* runCommand("ps", ["-o", "command=", "-p", String(pid)], Option.none())
  return succeeded && output.includes("postgres") && output.includes(clusterDir)
})

const isAlive = (pid: number) =>
  Effect.sync(() => process.kill(pid, 0)).pipe(Effect.as(true), Effect.catchDefect(() => Effect.succeed(false)))

/** The parent of a process, by Linux's /proc; its name is in brackets and may hold anything. */
const parentOf = async (pid: number): Promise<number> => {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "")
  return Number(text.slice(text.lastIndexOf(")") + 1).trim().split(" ")[1])
}

const isPostgresIn = async (pid: number, clusterDir: string): Promise<boolean> =>
  (await readProc(pid, clusterDir)) &&
  (await readFile(`/proc/${pid}/comm`, "latin1").catch(() => "")).trim() === "postgres"

/** PostgreSQL's processes in this cluster's folder, by Linux's /proc: the server, or what is left of one. */
const findInProc = async (clusterDir: string): Promise<number | undefined> => {
  const names = await readdir("/proc")
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map((pid) => isPostgresIn(pid, clusterDir)))
  const inside = pids.filter((_, index) => found[index])
  const parents = await Promise.all(inside.map(parentOf))
  return inside.find((_, index) => !inside.includes(parents[index] ?? 0))
}

/** A live server of this cluster that no pid file names. */
const findUnnamed = Effect.fnUntraced(function*(clusterDir: string) {
  if (process.platform === "linux") return Option.fromUndefinedOr(yield* Effect.promise(() => findInProc(clusterDir)))
  const { stdout } = yield* runCommand("ps", ["-axo", "pid=,command="], Option.none())
  const line = stdout.split("\n").find((one) => one.includes("postgres") && one.includes(`-D ${clusterDir}`))
  return toPositive(line?.trim().split(" ")[0])
})

/**
 * The server of this cluster, if it runs. To be called under the start lock. A pid file that names somebody else's live process is
 * removed, because PostgreSQL would take that process for a server and refuse to start. So is one that names no process, but only
 * while no process of PostgreSQL is in the cluster's folder: that would be a live server, over which no second one may start.
 * A file that names a dead process stays: PostgreSQL reads in it whether children of the dead server are still about.
 */
export const findPostmaster = Effect.fnUntraced(function*(clusterDir: string) {
  const { exists, named } = yield* readPidFile(clusterDir)
  const remove = Effect.promise(() => rm(pidFileOf(clusterDir), { force: true }))
  if (Option.isNone(named)) {
    const unnamed = yield* findUnnamed(clusterDir)
    if (Option.isSome(unnamed)) return Option.some<Postmaster>({ pid: unnamed.value, port: Option.none() })
    if (exists) {
      yield* Effect.logWarning(
        "postmaster.pid names no process, as after a power loss; PostgreSQL is started without it"
      )
      yield* remove
    }
    return Option.none<Postmaster>()
  }
  if (yield* isPostmaster(named.value.pid, clusterDir)) return named
  if (yield* isAlive(named.value.pid)) yield* remove
  return Option.none<Postmaster>()
})

/** Sends a signal; a process that is gone gets none. */
export const signal = (pid: number, name: "SIGINT" | "SIGQUIT") =>
  Effect.sync(() => process.kill(pid, name)).pipe(Effect.asVoid, Effect.catchDefect(() => Effect.void))
