import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Redacted, Schedule, Scope } from "effect"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { appendFile, chown, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { testsOf } from "../support/Steps.ts"

/** Of a server that is made, in milliseconds. */
const MADE_MS_MAX = 120_000

const isRoot = process.getuid?.() === 0

const dataFolder = Effect.map(scratchFolder, (folder) => join(folder, "data"))

const pidOf = (dataDir: string) =>
  Effect.promise(async () =>
    Number((await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8")).split("\n")[0])
  )

const isRunning = (pid: number) =>
  Effect.sync(() => process.kill(pid, 0)).pipe(Effect.as(true), Effect.catchDefect(() => Effect.succeed(false)))

/** Waits until a process that is nobody's child any more has been reaped. */
const isGone = (pid: number) =>
  isRunning(pid).pipe(Effect.repeat({ while: (running) => running, schedule: Schedule.spaced("20 millis") }))

/** The last user leaves: the server says that it is stopped a moment before its process is gone. */
const stops = ({ leave }: { readonly leave: Effect.Effect<unknown> }, pid: number) => Effect.andThen(leave, isGone(pid))

const query = (url: Redacted.Redacted<string>, statement: string) =>
  Effect.scoped(Effect.gen(function*() {
    const connection = yield* PgConnection.make({ url })
    return (yield* connection.query(statement)).rows
  }))

/** A signal ends the server, which has a row that is kept; answers which process it was. */
const endedBy = Effect.fnUntraced(
  function*(signal: "SIGKILL" | "SIGQUIT", { url }: { readonly url: Redacted.Redacted<string> }, dataDir: string) {
    yield* query(url, "CREATE TABLE kept AS SELECT 42 AS n")
    const pid = yield* pidOf(dataDir)
    process.kill(pid, signal)
    yield* isGone(pid)
    return pid
  }
)

/** Uses the server in a scope of its own, so that a test can leave when it wants. */
const enter = Effect.fnUntraced(function*(dataDir: string) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const server = yield* Scope.provide(EmbeddedPostgres.acquire(dataDir), scope)
  return { ...server, leave: Scope.close(scope, Exit.void) }
})

const firstLine = async (child: ChildProcess): Promise<string> => {
  let text = ""
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    if (text.includes("\n")) return text
  }
  return text
}

/** Another process that uses the server; in a process group of its own, killed with the scope. */
const enterElsewhere = Effect.fnUntraced(function*(dataDir: string) {
  const script = join(import.meta.dirname, "fixtures", "holdPostgres.ts")
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script, dataDir], { detached: true, stdio: ["pipe", "pipe", "inherit"] })
    ),
    (process) => Effect.sync(() => process.kill("SIGKILL"))
  )
  const exited = once(child, "exit")
  const line = yield* Effect.promise(() => firstLine(child))
  const { adopted, url }: { readonly adopted: boolean; readonly url: string } = JSON.parse(line)
  const ended = Effect.promise(() => exited)
  return {
    adopted,
    url: Redacted.make(url),
    leave: Effect.andThen(Effect.sync(() => child.stdin.end()), ended),
    kill: Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), ended),
    interruptGroup: Effect.andThen(Effect.sync(() => process.kill(-(child.pid ?? 0), "SIGINT")), ended)
  }
})

/** A folder with a server that was made and is stopped: to make one takes longer than all else that is done to it. */
class MadeServer
  extends Context.Service<MadeServer, string>()("realms/test/postgres/EmbeddedPostgres.int.test/MadeServer")
{
  static readonly layer = Layer.effect(MadeServer)(Effect.gen(function*() {
    const dataDir = yield* dataFolder
    yield* Effect.orDie(Effect.scoped(EmbeddedPostgres.acquire(dataDir)))
    return dataDir
  }))
}

/** A copy of it. */
const madeFolder = Effect.gen(function*() {
  const [made, dataDir] = [yield* MadeServer, yield* dataFolder]
  yield* Effect.promise(() => promisify(execFile)("cp", ["-a", made, dataDir]))
  return dataDir
})

layer(MadeServer.layer, { excludeTestServices: true, timeout: MADE_MS_MAX })("EmbeddedPostgres", (it) => {
  /** A test with a data folder of its own, in which nothing is. */
  const fresh = testsOf(it.effect, dataFolder)
  /** The same with a server that was made before. */
  const test = testsOf(it.effect, madeFolder)

  fresh("makes a durable, private server, starts it and stops it", function*(dataDir) {
    const server = yield* enter(dataDir)
    assert.isFalse(server.adopted)
    const names = ["fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "unix_socket_directories"]
    const others = ["server_encoding", "data_checksums", "password_encryption", "max_connections", "TimeZone"]
    const rows = yield* query(
      server.url,
      `SELECT ${[...names, ...others].map((name) => `current_setting('${name}')`).join(" || ' ' || ")} AS settings`
    )
    assert.deepStrictEqual(rows, [{ settings: "on on on 127.0.0.1  UTF8 on scram-sha-256 100 UTC" }])
    assert.deepStrictEqual(yield* query(server.url, "SELECT current_database() AS name"), [{ name: "realms" }])
    const { mode } = yield* Effect.promise(() => stat(join(dataDir, "postgres.json")))
    assert.strictEqual(mode & 0o777, 0o600)
    const wrong = yield* Effect.flip(query(
      Redacted.make(Redacted.value(server.url).replace(/:[^:@]+@/, ":wrong@")),
      "SELECT 1"
    ))
    assert.strictEqual(wrong.reason._tag, "AuthenticationError")
    const pid = yield* pidOf(dataDir)
    yield* stops(server, pid)
  })

  test("is shared: later users take it as it is, the last one out stops it", function*(dataDir) {
    const first = yield* enter(dataDir)
    const second = yield* enterElsewhere(dataDir)
    const third = yield* enter(dataDir)
    assert.deepStrictEqual([first.adopted, second.adopted, third.adopted], [false, true, true])
    const pid = yield* pidOf(dataDir)
    yield* first.leave
    yield* third.leave
    assert.deepStrictEqual(yield* query(second.url, "SELECT 1 AS one"), [{ one: 1 }])
    yield* stops(second, pid)
  })

  fresh(
    "of several that start at once, one starts it; of several that leave at once, one stops it",
    function*(dataDir) {
      const entries = [enter(dataDir), enter(dataDir), enterElsewhere(dataDir)]
      const users = yield* Effect.all(entries, { concurrency: "unbounded" })
      assert.deepStrictEqual(users.map((user) => user.adopted).toSorted(), [false, true, true])
      const pid = yield* pidOf(dataDir)
      yield* Effect.all(users.map((user) => user.leave), { concurrency: "unbounded" })
      yield* isGone(pid)
    }
  )

  test("keeps its data and its password over restarts", function*(dataDir) {
    const before = yield* enter(dataDir)
    yield* query(before.url, "CREATE TABLE kept AS SELECT 42 AS n")
    yield* before.leave
    const after = yield* enter(dataDir)
    assert.isFalse(after.adopted)
    assert.deepStrictEqual(yield* query(after.url, "SELECT n FROM kept"), [{ n: 42 }])
  })

  test("is taken over from a process that was killed", function*(dataDir) {
    const killed = yield* enterElsewhere(dataDir)
    const pid = yield* pidOf(dataDir)
    yield* killed.kill
    const server = yield* enter(dataDir)
    assert.isTrue(server.adopted)
    assert.strictEqual(yield* pidOf(dataDir), pid)
    yield* stops(server, pid)
  })

  test("a Ctrl-C in the terminal of the one that started it does not reach it", function*(dataDir) {
    const starter = yield* enterElsewhere(dataDir)
    const pid = yield* pidOf(dataDir)
    const server = yield* enter(dataDir)
    const connection = yield* PgConnection.make({ url: server.url })
    yield* starter.interruptGroup
    assert.deepStrictEqual((yield* connection.query("SELECT 1 AS one")).rows, [{ one: 1 }])
    assert.strictEqual(yield* pidOf(dataDir), pid)
  })

  test("a Ctrl-C ends the only user in order, and so the server", function*(dataDir) {
    const starter = yield* enterElsewhere(dataDir)
    const pid = yield* pidOf(dataDir)
    yield* starter.interruptGroup
    yield* isGone(pid)
    const log = yield* Effect.promise(() => readFile(join(dataDir, "postgres.log"), "utf8"))
    assert.include(log, "database system is shut down")
  })

  test("starts over a pid file whose process is another one, or dead", function*(dataDir) {
    const server = yield* enter(dataDir)
    const pidFile = join(dataDir, "postgres", "postmaster.pid")
    const text = yield* Effect.promise(() => readFile(pidFile, "utf8"))
    const deadPid = text.split("\n")[0] ?? ""
    yield* server.leave
    // Of the server's own user: that is whose process PostgreSQL would take for a server.
    const { gid, uid } = yield* Effect.promise(() => stat(join(dataDir, "postgres")))
    const stranger = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("sleep", ["600"], { cwd: "/", stdio: "ignore", ...(isRoot ? { uid, gid } : {}) })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    for (const pid of [String(stranger.pid), deadPid]) {
      yield* Effect.promise(() => writeFile(pidFile, text.replace(deadPid, pid), { mode: 0o600 }))
      yield* Effect.promise(() => chown(pidFile, uid, gid))
      const again = yield* enter(dataDir)
      assert.isFalse(again.adopted)
      assert.deepStrictEqual(yield* query(again.url, "SELECT 1 AS one"), [{ one: 1 }])
      yield* again.leave
    }
  })

  const emptied: ReadonlyArray<readonly [what: string, text: string]> = [
    ["empty", ""],
    ["a blank line", "\n"],
    ["zeros", "\0".repeat(80)],
    ["half a word", "po"]
  ]
  it.effect.each(emptied)("starts over a pid file that a power loss left as %s", ([, text]) =>
    Effect.gen(function*() {
      const dataDir = yield* madeFolder
      const server = yield* enter(dataDir)
      yield* query(server.url, "CREATE TABLE kept AS SELECT 42 AS n")
      const { gid, uid } = yield* Effect.promise(() => stat(join(dataDir, "postgres")))
      const pid = yield* pidOf(dataDir)
      // Killed with all of its processes, as a power loss does it.
      process.kill(pid, "SIGKILL")
      yield* stops(server, pid)
      const pidFile = join(dataDir, "postgres", "postmaster.pid")
      yield* Effect.promise(() => writeFile(pidFile, text, { mode: 0o600 }))
      yield* Effect.promise(() => chown(pidFile, uid, gid))
      const again = yield* enter(dataDir)
      assert.deepStrictEqual(yield* query(again.url, "SELECT n FROM kept"), [{ n: 42 }])
    }))

  test("starts no second server over a live one whose pid file was emptied", function*(dataDir) {
    const server = yield* enter(dataDir)
    const pid = yield* pidOf(dataDir)
    const started = "SELECT pg_postmaster_start_time()::text AS at"
    const before = yield* query(server.url, started)
    yield* Effect.promise(() => writeFile(join(dataDir, "postgres", "postmaster.pid"), ""))
    const other = yield* enter(dataDir)
    assert.isTrue(other.adopted)
    assert.deepStrictEqual(yield* query(other.url, started), before)
    yield* other.leave
    yield* stops(server, pid)
  })

  test("recovers after the server itself was killed", function*(dataDir) {
    const server = yield* enter(dataDir)
    const pid = yield* endedBy("SIGKILL", server, dataDir)
    // Started by the newcomer or, before it, by the user that it died under.
    const again = yield* enter(dataDir)
    assert.notStrictEqual(yield* pidOf(dataDir), pid)
    assert.deepStrictEqual(yield* query(again.url, "SELECT n FROM kept"), [{ n: 42 }])
  })

  test("is started again for the users it died under, where they know it to be", function*(dataDir) {
    const server = yield* enter(dataDir)
    yield* endedBy("SIGQUIT", server, dataDir)
    const rows = yield* query(server.url, "SELECT n FROM kept").pipe(
      Effect.retry(Schedule.spaced("50 millis")),
      Effect.timeout("30 seconds")
    )
    assert.deepStrictEqual(rows, [{ n: 42 }])
  })

  test("a user whose connection is lost stays a user", function*(dataDir) {
    const stays = yield* enter(dataDir)
    const held =
      "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted"
    const lost =
      "SELECT pg_terminate_backend(pid, 5000) AS ok FROM pg_stat_activity WHERE application_name = 'realms-user'"
    assert.deepStrictEqual(yield* query(stays.url, lost), [{ ok: true }])
    yield* query(stays.url, held).pipe(
      Effect.repeat({ while: (rows) => rows[0]?.["n"] !== 1, schedule: Schedule.spaced("20 millis") })
    )
    const other = yield* enter(dataDir)
    yield* other.leave
    assert.deepStrictEqual(yield* query(stays.url, "SELECT 1 AS one"), [{ one: 1 }])
  })

  fresh("heals a start that was killed while the cluster was being made", function*(dataDir) {
    yield* Effect.promise(async () => {
      await mkdir(join(dataDir, "postgres.init-left-over", "data"), { recursive: true })
      await writeFile(join(dataDir, "postgres.json"), "{}")
    })
    const server = yield* enter(dataDir)
    assert.deepStrictEqual(yield* query(server.url, "SELECT 1 AS one"), [{ one: 1 }])
    const names = yield* Effect.promise(() => readdir(dataDir))
    assert.deepStrictEqual(names.filter((name) => name.startsWith("postgres.init-")), [])
  })

  test("says what the server's log says when it does not start", function*(dataDir) {
    const server = yield* enter(dataDir)
    yield* server.leave
    yield* Effect.promise(() => appendFile(join(dataDir, "postgres", "postgresql.conf"), "\nnonsense_setting = 1\n"))
    const error = yield* Effect.flip(enter(dataDir))
    assert.strictEqual(error._tag, "EmbeddedPostgresError")
    assert.include(error.message, "PostgreSQL did not start")
    assert.include(error.message, "nonsense_setting")
    assert.include(error.message, "set DATABASE_URL")
  })

  test("says what to do when the password is lost or the cluster is of another version", function*(dataDir) {
    const server = yield* enter(dataDir)
    yield* server.leave
    const factsPath = join(dataDir, "postgres.json")
    const facts = yield* Effect.promise(() => readFile(factsPath, "utf8"))
    yield* Effect.promise(() => writeFile(factsPath, facts.replace(/"password":"[^"]+"/, '"password":"wrong"')))
    assert.include((yield* Effect.flip(enter(dataDir))).message, "does not have the password")
    yield* Effect.promise(() => writeFile(factsPath, '{ "password": "hunter2" }'))
    const unreadable = (yield* Effect.flip(enter(dataDir))).message
    assert.include(unreadable, "cannot be used")
    assert.notInclude(unreadable, "hunter2")
    yield* Effect.promise(() => writeFile(join(dataDir, "postgres", "PG_VERSION"), "12\n"))
    assert.include((yield* Effect.flip(enter(dataDir))).message, "was made by PostgreSQL 12")
    yield* Effect.promise(() => writeFile(join(dataDir, "postgres", "PG_VERSION"), ""))
    const empty = (yield* Effect.flip(enter(dataDir))).message
    assert.include(empty, "is no database of PostgreSQL")
    assert.include(empty, "remove it together with")
    yield* Effect.promise(() => writeFile(join(dataDir, "postgres.lock"), "no lock of ours ".repeat(100)))
    assert.include(
      (yield* Effect.flip(enter(dataDir))).message,
      "postgres.lock cannot be locked: file is not a database. Remove it"
    )
  })

  it.effect.skipIf(!isRoot)(
    "as root, names the folder that the unprivileged user cannot enter",
    () =>
      Effect.gen(function*() {
        const closed = join(yield* scratchFolder, "closed")
        yield* Effect.promise(() => mkdir(closed, { mode: 0o700 }))
        const error = yield* Effect.flip(enter(join(closed, "data")))
        assert.include(error.message, `who cannot enter ${closed}.`)
        assert.include(error.message, `chmod o+x ${closed}`)
        assert.include(error.message, "/opt or /srv")
        assert.include(error.message, "start Realms as an ordinary user")
        assert.include(error.message, "set DATABASE_URL")
      })
  )

  it.effect.skipIf(!isRoot)(
    "as root, runs as somebody else and keeps the data folder its own",
    () =>
      Effect.gen(function*() {
        const dataDir = yield* dataFolder
        const server = yield* enter(dataDir)
        const [folder, cluster] = yield* Effect.promise(() =>
          Promise.all([stat(dataDir), stat(join(dataDir, "postgres"))])
        )
        assert.strictEqual(folder.uid, 0)
        assert.strictEqual(folder.mode & 0o777, 0o711)
        assert.notStrictEqual(cluster.uid, 0)
        assert.strictEqual(cluster.mode & 0o777, 0o700)
        yield* server.leave
      })
  )
})
