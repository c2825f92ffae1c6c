/**
 * How the embedded PostgreSQL is left: by one that gives up while it is made, and by one to whom it does not answer any more.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { PgConnection } from "@effect/sql-pg"
import { chmod, readdir, readFile, readlink, stat } from "node:fs/promises"
import { join } from "node:path"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { listenOn } from "../../src/postgres/ListenOn.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { until } from "../support/Until.ts"

const TEST_MS_MAX = 120_000

/** A hung server keeps those who leave it for a few waits of seconds at most. */
const LEFT_MS_MAX = 20_000

/** The processes whose folder is the cluster of this data folder. */
const processesOf = (dataDir: string) =>
  Effect.promise(async () => {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number)
    const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")))
    return pids.filter((_, at) => folders[at] === join(dataDir, "postgres"))
  })

const signalAll = (dataDir: string, signal: "SIGCONT" | "SIGKILL" | "SIGSTOP") =>
  Effect.map(processesOf(dataDir), (pids) => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  })

/** A folder for a server, of which nothing is left running when the test ends. */
const folder = Effect.gen(function*() {
  const dataDir = join(yield* scratchFolder, "data")
  yield* Effect.addFinalizer(() => signalAll(dataDir, "SIGKILL"))
  return dataDir
})

const logOf = (dataDir: string) => Effect.promise(() => readFile(join(dataDir, "postgres.log"), "utf8").catch(() => ""))

describe.skipIf(process.platform !== "linux")("the embedded PostgreSQL", () => {
  it.live(
    "is not left running by one that gives up as soon as it answers, before it has its database",
    () =>
      Effect.gen(function*() {
        const dataDir = yield* folder
        const starting = yield* Effect.forkChild(Effect.scoped(EmbeddedPostgres.acquire(dataDir)))
        yield* until("it answers", Effect.map(logOf(dataDir), (log) => log.includes("ready to accept connections")))
        yield* Fiber.interrupt(starting)
        yield* until("nothing of it runs", Effect.map(processesOf(dataDir), ({ length }) => length === 0))
        const again = yield* EmbeddedPostgres.acquire(dataDir)
        assert.isFalse(again.adopted)
      }).pipe(Effect.provide(NodeServices.layer)),
    TEST_MS_MAX
  )

  it.live(
    "keeps those who leave it for seconds, when it hangs; its folder is closed to others again at the start",
    () =>
      Effect.gen(function*() {
        const dataDir = yield* folder
        const use = yield* Scope.make()
        const { url } = yield* Scope.provide(EmbeddedPostgres.acquire(dataDir), use)
        const listening = yield* Scope.make()
        yield* Scope.provide(listenOn(PgConnection.make({ url }), { channel: "test" }), listening)
        yield* signalAll(dataDir, "SIGSTOP")
        const leave = Effect.andThen(Scope.close(listening, Exit.void), Scope.close(use, Exit.void))
        yield* leave.pipe(Effect.timeout(LEFT_MS_MAX), Effect.ensuring(signalAll(dataDir, "SIGCONT")))
        // As a copy of the folder may have it.
        const cluster = join(dataDir, "postgres")
        yield* Effect.promise(() => chmod(cluster, 0o755))
        const again = yield* EmbeddedPostgres.acquire(dataDir)
        assert.isTrue(again.adopted)
        assert.strictEqual((yield* Effect.promise(() => stat(cluster))).mode & 0o777, 0o700)
        const rows = yield* Effect.scoped(
          Effect.flatMap(
            PgConnection.make({ url: Redacted.make(Redacted.value(again.url)) }),
            (connection) => connection.query("SELECT 1 AS one")
          )
        )
        assert.deepStrictEqual(rows.rows, [{ one: 1 }])
      }).pipe(Effect.provide(NodeServices.layer)),
    TEST_MS_MAX
  )
})
