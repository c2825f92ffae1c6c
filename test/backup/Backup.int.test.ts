/**
 * Backups of a running installation, restored into another one: what was paid for is there, the books hold, keys work, and holds that were
 * open end by their lease. And what is no whole backup, or does not fit, is refused before anything is harmed.
 */
import { PgConnection } from "@effect/sql-pg"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { balanceOf, chatBody, chatPath, document, openSlow, receiptOf } from "../support/ProcessCalls.ts"
import { type Installation, makeInstallation } from "../support/SpawnRealms.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each makes clusters and starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 240_000
const LEASE_SECONDS = 2
const BALANCE_MICROS = 1_000_000

const scripted = Effect.map(TestUpstream.acquire, (upstream) => {
  upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
  upstream.on("slow", (call) => call.frame(chunk("word ")))
  return upstream
})

const call = (origin: string, key: string) => send(`${origin}${chatPath}`, { key, body: chatBody("quick", false) })

/** What a command that fails says. */
const refusal = (realms: Installation, ...args: ReadonlyArray<string>) =>
  Effect.map(Effect.flip(Effect.sandbox(realms.cli(...args))), (cause) => String(cause))

/** Lines of an outbox file: the commits of these calls, which used what `quick` uses. */
const settlements = (userId: string, ids: ReadonlyArray<string>): string =>
  ids.map((id) => {
    const usage = { inputTokens: 10, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5 }
    const outcome = { ...emptyOutcome, usage, usageSource: "upstream" }
    return `${JSON.stringify({ userId, command: { _tag: "Commit", id, outcome, atMs: 5 } })}\n`
  }).join("")

/** Runs a statement in the database of an installation that no server runs on; answers its rows. */
const inDatabase = Effect.fnUntraced(function*(dataDir: string, statement: string) {
  const { url } = yield* EmbeddedPostgres.acquire(dataDir)
  const connection = yield* PgConnection.make({ url })
  return (yield* connection.query(statement, [])).rows
}, Effect.scoped)

/** Seals a setting of the installation, as its server would. */
const sealSetting = Effect.fnUntraced(function*(dataDir: string) {
  const box = yield* SecretBox
  const sealed = yield* box.seal(Redacted.make("the EPay key"), "setting:payment.epay.key")
  const { url } = yield* EmbeddedPostgres.acquire(dataDir)
  const connection = yield* PgConnection.make({ url })
  yield* connection.query("INSERT INTO app_settings (key, secret, key_id) VALUES ('payment.epay.key', $1, $2)", [
    Buffer.from(sealed.bytes),
    sealed.keyId
  ])
  return sealed.keyId
}, Effect.scoped)

const sealing = (dataDir: string) =>
  Effect.provide(
    sealSetting(dataDir),
    SecretBox.layer.pipe(
      Layer.provide(AppConfig.layerOf(testConfig({ data_dir: dataDir }))),
      Layer.provide(NodeServices.layer)
    )
  )

const fileOf = ({ dataDir }: Installation, name: string) => join(dirname(dataDir), name)

const changedCopy = (path: string, to: string, change: (bytes: Buffer) => Buffer) =>
  Effect.promise(async () => {
    await writeFile(to, change(await readFile(path)))
    return to
  })

const replaced = (from: string, to: string) => (bytes: Buffer): Buffer => {
  const at = bytes.indexOf(from)
  assert.isAbove(at, 0, `${from} is in the backup`)
  bytes.write(to, at)
  return bytes
}

describe("backup and restore", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live(
    "a backup under load is restored elsewhere: everything paid before it is there, and the books hold",
    () =>
      Effect.gen(function*() {
        const upstream = yield* scripted
        const realms = yield* makeInstallation(document(upstream, LEASE_SECONDS))
        const server = yield* realms.start
        const user = yield* realms.user("backup@example.com", "5.00")
        const open = openSlow(server.origin, user.key)
        yield* until("a stream is open", () => open.frames.length === 1)
        const paid: Array<string> = []
        const load = yield* Effect.forkScoped(Effect.forEach(Array.from({ length: 16 }), () =>
          call(server.origin, user.key).pipe(
            Effect.tap((answer) =>
              Effect.sync(() => {
                assert.strictEqual(answer.status, 200, answer.text)
                paid.push(String(answer.headers["x-request-id"]))
              })
            ),
            Effect.forever
          ), { concurrency: "unbounded", discard: true }))
        yield* until("the load is on", () =>
          paid.length >= 200)
        const file = fileOf(realms, "one.tar")
        const before = [...paid]
        const said = JSON.parse(yield* realms.cli("backup", file, "--json"))
        assert.deepInclude(said, { file, key_ids: [], with_key: false, settlements: 0 })
        const { mode, size } = yield* Effect.promise(() => stat(file))
        assert.deepStrictEqual([mode & 0o777, size], [0o600, said.bytes])
        assert.isAbove(paid.length, before.length, "calls went on during the backup")
        yield* Fiber.interrupt(load)
        assert.deepStrictEqual(
          (yield* Effect.promise(() => readdir(dirname(realms.dataDir)))).toSorted(),
          ["config.yaml", "data", "one.tar"],
          "nothing else is left"
        )

        const other = yield* makeInstallation(document(upstream, LEASE_SECONDS))
        assert.match(yield* other.cli("restore", file), /^clean: 1 user, [\d,]+ calls, 1 ledger entry/)
        assert.notInclude(yield* Effect.promise(() => readdir(other.dataDir)), "postgres.unfinished")
        const again = yield* other.start
        for (const id of before) {
          const receipt = yield* receiptOf(again.origin, user.key, id)
          assert.deepStrictEqual([receipt.state, receipt.charged_micros], ["committed", "15"])
        }
        const balance = balanceOf(other, user.email)
        yield* until("every hold has ended", Effect.map(balance, ({ reserved_micros }) => reserved_micros === "0"))
        const stream = yield* receiptOf(again.origin, user.key, open.requestId)
        assert.deepStrictEqual([stream.state, stream.charged_micros], ["expired", "0"])
        const { usd_micros } = yield* balance
        assert.strictEqual((yield* call(again.origin, user.key)).status, 200, "an old key works")
        yield* until(
          "it is charged",
          Effect.map(balance, (now) => BigInt(now.usd_micros) === BigInt(usd_micros) - 15n)
        )
        yield* other.cli("audit")
        yield* realms.cli("audit")
      }),
    TEST_TIMEOUT_MS
  )

  it.live(
    "a backup without a server has the outbox, needs the key that sealed its secrets, and says so",
    () =>
      Effect.gen(function*() {
        const upstream = yield* scripted
        const realms = yield* makeInstallation(document(upstream, 60))
        const file = fileOf(realms, "one.tar")
        assert.include(yield* refusal(realms, "backup", file), "has no database yet")
        const user = yield* realms.user("quiet@example.com", "1.00")
        yield* inDatabase(
          realms.dataDir,
          `WITH said AS (INSERT INTO notices (key, kind, user_id, spread_at) VALUES
              ('spread', 'low_balance', ${user.id}, now()), ('new', 'low_balance', ${user.id}, NULL) RETURNING id, key)
            INSERT INTO notice_deliveries (notice_id, channel, user_id, mail_to)
              SELECT id, 'mail', ${user.id}, 'somebody@example.com' FROM said WHERE key = 'spread'`
        )
        const keyId = yield* sealing(realms.dataDir)
        const server = yield* realms.start
        const paid = String((yield* call(server.origin, user.key)).headers["x-request-id"])
        const open = openSlow(server.origin, user.key)
        yield* until("a stream is open", () => open.frames.length === 1)
        server.signal("SIGKILL")
        yield* server.exit
        // As if it had been stopped while the database was away: one settlement has landed, one has not.
        yield* Effect.promise(() =>
          appendFile(join(realms.dataDir, "unsettled.jsonl"), settlements(user.id, [paid, open.requestId]))
        )
        const said = JSON.parse(yield* realms.cli("backup", file, "--json"))
        assert.deepInclude(said, { key_ids: [keyId], with_key: false, settlements: 2 })
        assert.include(yield* refusal(realms, "backup", file), "exists")
        const left = fileOf(realms, "two.tar.0123abcd.unfinished")
        yield* Effect.promise(() => writeFile(left, "left by a backup that was killed"))
        const second = realms.begin("backup", file, "--force")
        assert.strictEqual(yield* second.exit, 0, second.log)
        assert.include(second.log, `${left} was not finished: remove it`)
        assert.isFalse((yield* Effect.promise(() => readFile(file))).includes("master.key"))

        const other = yield* makeInstallation(document(upstream, 60))
        assert.include(yield* refusal(other, "restore", file), `sealed by the master key ${keyId}`)
        yield* Effect.promise(async () => {
          await mkdir(other.dataDir, { recursive: true, mode: 0o711 })
          await writeFile(join(other.dataDir, "master.key"), await readFile(join(realms.dataDir, "master.key")))
        })
        yield* other.cli("restore", file)
        assert.deepStrictEqual(
          yield* inDatabase(
            other.dataDir,
            `SELECT (SELECT count(*)::integer FROM notices WHERE spread_at IS NULL) AS notices,
              (SELECT string_agg(state, ' ') FROM notice_deliveries) AS deliveries`
          ),
          [{ notices: 0, deliveries: "dropped" }],
          "nobody is told what the other installation tells"
        )
        const again = yield* other.start
        yield* until("the settlement is replayed", () => again.log.includes("replaying settlements"))
        const receipt = receiptOf(again.origin, user.key, open.requestId)
        yield* until("the call is settled", Effect.map(receipt, ({ state }) => state === "committed"))
        assert.deepStrictEqual(
          (yield* balanceOf(other, user.email)).usd_micros,
          String(BALANCE_MICROS - 30),
          "each call is charged once"
        )
        yield* other.cli("audit")

        const withKey = fileOf(realms, "with-key.tar")
        yield* realms.cli("backup", withKey, "--with-key")
        const third = yield* makeInstallation(document(upstream, 60))
        // A key file that is there is kept, also an empty one that nothing can be opened with.
        const keyFile = join(third.dataDir, "master.key")
        yield* Effect.promise(async () => {
          await mkdir(third.dataDir, { recursive: true, mode: 0o711 })
          await writeFile(keyFile, "")
        })
        assert.include(yield* refusal(third, "restore", withKey), "the backup has its master key: remove")
        assert.strictEqual(yield* Effect.promise(() => readFile(keyFile, "utf8")), "")
        yield* Effect.promise(() => rm(keyFile))
        yield* third.cli("restore", withKey)
        const { mode } = yield* Effect.promise(() => stat(join(third.dataDir, "master.key")))
        assert.strictEqual(mode & 0o777, 0o600)
        const thirdServer = yield* third.start
        assert.strictEqual((yield* call(thirdServer.origin, user.key)).status, 200)
      }),
    TEST_TIMEOUT_MS
  )

  it.live(
    "refuses what is damaged, cut short or does not fit, and a folder that is not empty",
    () =>
      Effect.gen(function*() {
        const upstream = yield* scripted
        const realms = yield* makeInstallation(document(upstream, 60))
        yield* realms.user("refused@example.com", "1.00")
        const file = fileOf(realms, "one.tar")
        yield* realms.cli("backup", file)
        const copy = (name: string, change: (bytes: Buffer) => Buffer) =>
          changedCopy(file, fileOf(realms, name), change)
        const early: ReadonlyArray<readonly [string, (bytes: Buffer) => Buffer, string]> = [
          ["format.tar", replaced('"format":1', '"format":2'), "a newer version of realms made this backup"],
          ["schema.tar", replaced('"id":14,', '"id":99,'), "written by a newer Realms"],
          ["major.tar", replaced('"postgres":"18"', '"postgres":"19"'), "the backup is of PostgreSQL 19"],
          ["other.tar", () => Buffer.from("not a backup"), "not a backup of realms"],
          ["begun.tar", (bytes) => bytes.subarray(0, 700), "not a backup of realms"]
        ]
        const fresh = yield* makeInstallation(document(upstream, 60))
        for (const [name, change, text] of early) {
          assert.include(yield* refusal(fresh, "restore", yield* copy(name, change)), text)
        }
        assert.include(yield* refusal(fresh, "restore", fileOf(realms, "none.tar")), "cannot be restored")
        const late: ReadonlyArray<readonly [string, (bytes: Buffer) => Buffer, RegExp]> = [
          ["damaged.tar", replaced("refused@example.com", "refusex@example.com"), /is damaged|manifest/],
          ["wal.tar", damagedLog, /pg_wal\/\w+ is damaged/],
          ["cut.tar", (bytes) => bytes.subarray(0, bytes.length / 2), /cut short/],
          ["end.tar", (bytes) => bytes.subarray(0, bytes.length - 2_048), /cut short|no manifest/]
        ]
        for (const [name, change, text] of late) {
          const target = yield* makeInstallation(document(upstream, 60))
          assert.match(yield* refusal(target, "restore", yield* copy(name, change)), text)
          assert.include(yield* Effect.promise(() => readdir(target.dataDir)), "postgres.unfinished")
          assert.include(yield* refusal(target, "restore", file), "was not finished")
          assert.include(yield* refusal(target, "user", "list"), "was not finished", "no server starts on it")
        }
        assert.include(yield* refusal(realms, "restore", file), "is not empty")
        const external = yield* makeInstallation(document(upstream, 60, {
          database: { url: "postgres://realms@127.0.0.1:1/realms" }
        }))
        assert.include(
          yield* refusal(external, "backup", fileOf(realms, "two.tar")),
          "database.url names another server"
        )
        assert.include(yield* refusal(external, "restore", file), "database.url names another server")
        assert.match(yield* fresh.cli("restore", file), /^clean: 1 user/)
      }),
    TEST_TIMEOUT_MS
  )
})

/** A byte of PostgreSQL's log changed, which its own manifest does not cover. */
const damagedLog = (bytes: Buffer): Buffer => {
  const at = bytes.indexOf("pg_wal/0000")
  assert.isAbove(at, 0)
  bytes.writeUInt8(bytes.readUInt8(at + 4_096) ^ 0xff, at + 4_096)
  return bytes
}
