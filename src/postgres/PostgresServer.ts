/**
 * Starts and stops the embedded PostgreSQL's server process. The server has a session of its own, so that a Ctrl-C in
 * our terminal does not reach it and it outlives us when we are killed; it writes to a log file, listens on 127.0.0.1
 * only, and is told nothing of our environment.
 * @internal
 */
import { PgConnection } from "@effect/sql-pg"
import { Clock, Context, Effect, Option, Result, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { open, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import { causeText, EmbeddedPostgresError, USE_OWN_DATABASE } from "./EmbeddedPostgresError.ts"
import {
  freePort,
  type PostgresFacts,
  type PostgresHome,
  type PostgresInstallation,
  writeFacts
} from "./PostgresCluster.ts"
import { findPostmaster, isPostmaster, signal } from "./Postmaster.ts"
import { asUser, fileWork } from "./RunUser.ts"

const START_ATTEMPTS_MAX = 4
const READY_WAIT_MS = 120_000
const FAST_STOP_WAIT_MS = 20_000
const IMMEDIATE_STOP_WAIT_MS = 5_000
const POLL_MS = 50
const CONNECT_TIMEOUT_MS = 5_000
const LOG_BYTES_MAX = 10_485_760
const LOG_TAIL_BYTES = 4_096
const LOG_TAIL_LINES = 15

/** Whether what is committed outlives a power loss. Always so, but for databases that a test run throws away at its end. */
export const OutlivesPowerLoss = Context.Reference<boolean>("realms/postgres/PostgresServer/OutlivesPowerLoss", {
  defaultValue: () => true
})

const settings = (facts: PostgresFacts, connectionsMax: number, outlivesPowerLoss: boolean): ReadonlyArray<string> =>
  Object.entries({
    listen_addresses: "127.0.0.1",
    port: String(facts.port),
    unix_socket_directories: "",
    max_connections: String(connectionsMax),
    shared_buffers: "128MB",
    fsync: outlivesPowerLoss ? "on" : "off",
    synchronous_commit: "on",
    full_page_writes: outlivesPowerLoss ? "on" : "off",
    // Thousands of holds end in a second; what they leave is cleared before it slows the reading of those that are open.
    autovacuum_naptime: "10s",
    // What a backup that hangs may hold of the log: then the backup fails, and the disk does not fill.
    max_slot_wal_keep_size: "4GB",
    logging_collector: "off",
    log_destination: "stderr",
    log_checkpoints: "off",
    timezone: "UTC",
    log_timezone: "UTC"
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`])

/** A connection to a database of the server. */
export const connectTo = (
  facts: PostgresFacts,
  { applicationName, database }: { readonly database: string; readonly applicationName: string }
) =>
  PgConnection.make({
    host: "127.0.0.1",
    port: facts.port,
    username: facts.user,
    password: facts.password,
    database,
    applicationName,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ssl: false
  })

/** Opens the log for appending; a large one is set aside first. */
const openLog = async (home: PostgresHome) => {
  const size = await stat(home.logPath).then((file) => file.size, () => 0)
  if (size > LOG_BYTES_MAX) await rename(home.logPath, `${home.logPath}.1`)
  return open(home.logPath, "a", 0o600)
}

const logTail = (home: PostgresHome) =>
  Effect.promise(async () => {
    const handle = await open(home.logPath, "r")
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES))
    await handle.read(buffer, 0, buffer.length, size - buffer.length).finally(() => handle.close())
    return buffer.toString("utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n")
  }).pipe(Effect.catchDefect(() => Effect.succeed("(no log)")))

const spawnServer = Effect.fnUntraced(function*(installation: PostgresInstallation, facts: PostgresFacts) {
  const { binaries, connectionsMax, home, user } = installation
  const args = ["-D", home.clusterDir, ...settings(facts, connectionsMax, yield* OutlivesPowerLoss)]
  const fail = (cause: unknown) =>
    new EmbeddedPostgresError({
      dataDir: home.dataDir,
      message: `PostgreSQL cannot be started: ${causeText(cause)}`
    })
  return yield* Effect.acquireUseRelease(
    fileWork(home.dataDir, `${home.logPath} cannot be written`, () => openLog(home)),
    (log) =>
      Effect.callback<ChildProcess, EmbeddedPostgresError>((resume) => {
        const child = spawn(join(binaries.nativeDir, "bin", "postgres"), args, {
          ...asUser(user),
          detached: true,
          stdio: ["ignore", log.fd, log.fd]
        })
        child.once("error", (cause) => resume(Effect.fail(fail(cause))))
        child.once("spawn", () => {
          child.unref()
          resume(Effect.succeed(child))
        })
      }),
    (log) => Effect.promise(() => log.close())
  )
})

/** Whether the server at these facts is the one of this cluster and answers queries. */
const answers = Effect.fnUntraced(function*(home: PostgresHome, facts: PostgresFacts) {
  const connection = yield* connectTo(facts, { database: "postgres", applicationName: "realms-start" })
  const { rows } = yield* connection.query("SELECT current_setting('data_directory') AS folder", [], false)
  return rows[0]?.["folder"] === home.clusterDir
}, Effect.scoped)

const wrongPassword = (home: PostgresHome) =>
  new EmbeddedPostgresError({
    dataDir: home.dataDir,
    message:
      `${home.factsPath} does not have the password of the cluster beside it: restore it from a backup, remove ` +
      `both to start empty, or ${USE_OWN_DATABASE}.`
  })

const notReady = Effect.fnUntraced(function*(home: PostgresHome, what: string) {
  return yield* new EmbeddedPostgresError({
    dataDir: home.dataDir,
    message: `PostgreSQL ${what}. The end of ${home.logPath}:\n${yield* logTail(home)}\n` +
      `Put right what it says and start again, or ${USE_OWN_DATABASE}.`
  })
})

/** Waits until the server answers or has gone away. */
const awaitReady = Effect.fnUntraced(function*(
  home: PostgresHome,
  facts: PostgresFacts,
  isRunning: Effect.Effect<boolean>
) {
  const deadline = (yield* Clock.currentTimeMillis) + READY_WAIT_MS
  while ((yield* Clock.currentTimeMillis) < deadline) {
    const answer = yield* Effect.result(answers(home, facts))
    if (Result.isSuccess(answer) && answer.success) return "ready" as const
    if (Result.isFailure(answer) && answer.failure.reason._tag === "AuthenticationError") {
      return yield* wrongPassword(home)
    }
    if (!(yield* isRunning)) return "gone" as const
    yield* Effect.sleep(POLL_MS)
  }
  return yield* notReady(home, `did not become ready within ${READY_WAIT_MS / 1000} seconds`)
})

const ensureDatabase = Effect.fnUntraced(function*(facts: PostgresFacts) {
  const connection = yield* connectTo(facts, { database: "postgres", applicationName: "realms-start" })
  const { rows } = yield* connection.query("SELECT 1 FROM pg_database WHERE datname = $1", [facts.database])
  if (rows.length === 0) yield* connection.query(`CREATE DATABASE "${facts.database}"`, [], false)
}, Effect.scoped)

const requireDatabase = (home: PostgresHome, facts: PostgresFacts) =>
  ensureDatabase(facts).pipe(
    Effect.catchTag("SqlError", (error) => notReady(home, `has no usable database (${error.message})`))
  )

export interface RunningPostgres {
  readonly facts: PostgresFacts
  /** True when the server was up before: started by another process, or left behind by one that was killed. */
  readonly adopted: boolean
}

const adopt = Effect.fnUntraced(function*(home: PostgresHome, facts: PostgresFacts) {
  const found = yield* findPostmaster(home.clusterDir)
  if (Option.isNone(found)) return Option.none<RunningPostgres>()
  const actual = { ...facts, port: Option.getOrElse(found.value.port, () => facts.port) }
  const outcome = yield* awaitReady(home, actual, isPostmaster(found.value.pid, home.clusterDir))
  if (outcome === "gone") return Option.none<RunningPostgres>()
  yield* requireDatabase(home, actual)
  return Option.some<RunningPostgres>({ facts: actual, adopted: true })
})

const awaitGone = (pid: number, clusterDir: string, waitMs: number) =>
  isPostmaster(pid, clusterDir).pipe(
    Effect.repeat({ while: (running) => running, schedule: Schedule.spaced(POLL_MS) }),
    Effect.timeoutOption(waitMs),
    Effect.map(Option.isSome)
  )

/** Stops the server of this cluster, if it runs: by a fast shutdown, or else an immediate one (recovered at start). */
export const stopServer = Effect.fnUntraced(function*(home: PostgresHome) {
  const found = yield* findPostmaster(home.clusterDir)
  if (Option.isNone(found)) return
  const { pid } = found.value
  yield* signal(pid, "SIGINT")
  if (yield* awaitGone(pid, home.clusterDir, FAST_STOP_WAIT_MS)) return
  yield* Effect.logWarning(`PostgreSQL (process ${pid}) did not stop in ${FAST_STOP_WAIT_MS} ms: stopping it at once`)
  yield* signal(pid, "SIGQUIT")
  if (yield* awaitGone(pid, home.clusterDir, IMMEDIATE_STOP_WAIT_MS)) return
  yield* Effect.logError(`PostgreSQL (process ${pid}) does not stop`)
})

const startFresh = Effect.fnUntraced(function*(installation: PostgresInstallation, facts: PostgresFacts) {
  const { home } = installation
  const actual = { ...facts, port: yield* freePort(facts.port) }
  yield* writeFacts(home, actual)
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const child = yield* spawnServer(installation, actual)
      const isRunning = Effect.sync(() => child.exitCode === null && child.signalCode === null)
      // Given up on: it is told directly, because it may not have written its pid file yet.
      const giveUp = Effect.andThen(Effect.sync(() => child.kill("SIGINT")), stopServer(home))
      const awaitUse = Effect.gen(function*() {
        if ((yield* awaitReady(home, actual, isRunning)) === "gone") return Option.none<RunningPostgres>()
        yield* requireDatabase(home, actual)
        return Option.some<RunningPostgres>({ facts: actual, adopted: false })
      })
      return yield* Effect.onError(restore(awaitUse), () => giveUp)
    })
  )
})

/**
 * Makes the server of this cluster run, started here or by another process. To be called under the start lock. A few attempts: a server
 * found may be on its way down, and a port found free may be taken before the server has it. One that was started here is stopped again
 * when the caller gives up before it can be used.
 */
export const ensureRunning = Effect.fnUntraced(function*(installation: PostgresInstallation, facts: PostgresFacts) {
  const { home } = installation
  for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
    const adopted = yield* adopt(home, facts)
    const running = Option.isSome(adopted) ? adopted : yield* startFresh(installation, facts)
    if (Option.isSome(running)) return running.value
  }
  return yield* notReady(home, "did not start")
})
