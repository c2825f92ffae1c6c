/**
 * What is known of a running PostgreSQL server from outside: its postmaster.pid, and whether the process of that number
 * really is the server of this cluster. After a crash or a reboot the file may name a dead process, or one that has
 * nothing to do with PostgreSQL.
 * @internal
 */
import { Effect, Option } from "effect"
import { readFile, readlink, rm } from "node:fs/promises"
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

/** The pid file, if there is one that makes sense. */
const readPidFile = (clusterDir: string) =>
  Effect.promise(() => readFile(join(clusterDir, "postmaster.pid"), "utf8").catch(() => "")).pipe(
    Effect.map((text): Option.Option<Postmaster> => {
      const lines = text.split("\n")
      return Option.map(toPositive(lines[0]), (pid) => ({ pid, port: toPositive(lines[PORT_LINE]) }))
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

/**
 * The server of this cluster, if it runs. To be called under the start lock: a pid file that names somebody else's live
 * process is removed, because PostgreSQL would take that process for a server and refuse to start. One that names a dead
 * process stays: PostgreSQL reads in it whether children of the dead server are still about.
 */
export const findPostmaster = Effect.fnUntraced(function*(clusterDir: string) {
  const found = yield* readPidFile(clusterDir)
  if (Option.isNone(found) || (yield* isPostmaster(found.value.pid, clusterDir))) return found
  if (yield* isAlive(found.value.pid)) {
    yield* Effect.promise(() => rm(join(clusterDir, "postmaster.pid"), { force: true }))
  }
  return Option.none<Postmaster>()
})

/** Sends a signal; a process that is gone gets none. */
export const signal = (pid: number, name: "SIGINT" | "SIGQUIT") =>
  Effect.sync(() => process.kill(pid, name)).pipe(Effect.asVoid, Effect.catchDefect(() => Effect.void))
