/**
 * Commands beside a server with a database of its own: one that was there first lends it the database and leaves it
 * running; one that is still at work when the server stops keeps the database, and stops it at its own end.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { chatBody, chatPath, document } from "../support/ProcessCalls.ts"
import { type Installation, makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, completion, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 300_000
const LEASE_SECONDS = 30

const installed = Effect.gen(function*() {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
  return yield* makeInstallation(document(upstream, LEASE_SECONDS))
})

const pidFileOf = (realms: Installation) => join(realms.dataDir, "postgres", "postmaster.pid")

/** The process id of the database that is ready. */
const databaseOf = (realms: Installation) =>
  Effect.promise(async () => {
    const lines = (await readFile(pidFileOf(realms), "utf8")).split("\n")
    assert.strictEqual(lines[7]?.trim(), "ready")
    return lines[0]
  })

const isReady = (realms: Installation) =>
  Effect.promise(() => readFile(pidFileOf(realms), "utf8").then((text) => text.includes("ready"), () => false))

const Facts = Schema.fromJsonString(Schema.Struct({
  port: Schema.Number,
  user: Schema.String,
  password: Schema.String,
  database: Schema.String
}))

/** Whether so many processes have the database open. */
const isUsedBy = (realms: Installation, users: number) =>
  Effect.gen(function*() {
    const text = yield* Effect.promise(() => readFile(join(realms.dataDir, "postgres.json"), "utf8"))
    const { database, password, port, user } = yield* Schema.decodeUnknownEffect(Facts)(text)
    const rows = yield* queryAt(
      `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'realms-user'"
    )
    return rows.length === users
  })

/** A command that has the database open until its standard input ends. */
const waiting = (realms: Installation, email: string) =>
  realms.begin("user", "create", "--email", email, "--password-stdin")

describe("a command", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live("that precedes the server, and one that outlives it", () =>
    Effect.gen(function*() {
      const realms = yield* installed
      const first = waiting(realms, "first@example.com")
      yield* until("the command has started the database", isReady(realms))
      const database = yield* databaseOf(realms)
      const server = yield* realms.start
      assert.strictEqual(yield* databaseOf(realms), database, "the server uses the database that is up")
      first.child.stdin?.end("a secret\n")
      assert.strictEqual(yield* first.exit, 0, first.log)
      const user = yield* realms.user("user@example.com", "1.00")
      const call = send(`${server.origin}${chatPath}`, { key: user.key, body: chatBody("quick", false) })
      assert.strictEqual((yield* call).status, 200)
      assert.strictEqual(yield* databaseOf(realms), database, "the command left it to the server")

      const last = waiting(realms, "last@example.com")
      yield* until("the command is in", isUsedBy(realms, 2))
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
      assert.strictEqual(yield* databaseOf(realms), database, "the server left it to the command")
      last.child.stdin?.end("a secret\n")
      assert.strictEqual(yield* last.exit, 0, last.log)
      assert.isFalse(existsSync(pidFileOf(realms)), "the last one out stops it")
      assert.match(yield* realms.cli("user", "list"), /first@example\.com[^]*last@example\.com/)
      yield* realms.cli("audit")
    }))

  it.live("that audits: it fails when the books do not hold, and says whose", () =>
    Effect.gen(function*() {
      const url = yield* makeDatabase()
      const realms = yield* makeInstallation({ database: { url } })
      yield* realms.user("short@example.com", "1.00")
      assert.match(yield* realms.cli("audit"), /^clean: 1 user,/)
      const shown = realms.begin("balance", "show", "--user", "short@example.com", "--json")
      assert.strictEqual(yield* shown.exit, 0, shown.log)
      assert.deepInclude(JSON.parse(shown.log), { usd_micros: "1000000" })
      yield* queryAt(url, "UPDATE user_balances SET usd_micros = usd_micros - 1")
      const audit = realms.begin("audit")
      assert.strictEqual(yield* audit.exit, 1)
      assert.match(audit.log, /I2 user \d+: the balance is 999999, its rows sum to 1000000 micros/)
      assert.include(audit.log, "the books do not hold")
    }))
})
