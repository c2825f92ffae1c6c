/**
 * The server as a process: killed in the middle of its work it leaves books that hold and holds that end; asked to stop
 * it lets open calls finish, or settles them; and what the command line changes it sees at the next call.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { balanceOf, chatBody, chatPath, document, openSlow, receiptOf } from "../support/ProcessCalls.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase, onTestServer } from "../support/TestDatabase.ts"
import { errorOf, OpenAnswer, send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 300_000
const LEASE_SECONDS = 2
const BALANCE_MICROS = 1_000_000n

describe("the process", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live(
    "killed under load and started again: the books hold, every answer given is paid, every hold ends",
    () =>
      Effect.gen(function*() {
        const upstream = yield* TestUpstream.acquire
        upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
        upstream.on("slow", (call) => call.frame(chunk("word ")))
        const realms = yield* makeInstallation(document(upstream, LEASE_SECONDS))
        const first = yield* realms.start
        const user = yield* realms.user("kill@example.com", "1.00")
        const open = Array.from({ length: 30 }, () => openSlow(first.origin, user.key))
        yield* until("the streams have begun", () => open.every((stream) => stream.frames.length === 1))
        const paid: Array<string> = []
        const load = yield* Effect.forkScoped(Effect.forEach(Array.from({ length: 40 }), () =>
          send(`${first.origin}${chatPath}`, { key: user.key, body: chatBody("quick", false) }).pipe(
            Effect.tap((answer) =>
              Effect.sync(() => {
                assert.strictEqual(answer.status, 200, answer.text)
                paid.push(String(answer.headers["x-request-id"]))
              })
            ),
            Effect.forever,
            // The connection breaks when the server is killed.
            Effect.catchDefect(() =>
              Effect.void
            )
          ), { concurrency: "unbounded", discard: true }))
        yield* until("the load is on", () =>
          paid.length >= 200)
        first.signal("SIGKILL")
        assert.strictEqual(yield* first.exit, "SIGKILL")
        yield* Fiber.join(load)
        yield* until("the streams are broken off", () => open.every((stream) => stream.ended))
        const second = yield* realms.start
        const balance = balanceOf(realms, user.email)
        yield* until("every hold has ended", Effect.map(balance, ({ reserved_micros }) => reserved_micros === "0"))
        yield* realms.cli("audit")
        for (const id of paid) {
          const receipt = yield* receiptOf(second.origin, user.key, id)
          assert.deepStrictEqual([receipt.state, receipt.charged_micros], ["committed", "15"])
        }
        for (const stream of open) {
          const receipt = yield* receiptOf(second.origin, user.key, stream.requestId)
          assert.deepStrictEqual([receipt.state, receipt.charged_micros], ["expired", "0"])
        }
        const left = BigInt((yield* balance).usd_micros)
        const settled = (BALANCE_MICROS - left) / 15n
        assert.strictEqual(left, BALANCE_MICROS - settled * 15n)
        assert.isAtLeast(Number(settled), paid.length)
        assert.isAtMost(Number(settled), upstream.callsOf("quick").length, "only what reached the upstream is charged")
        assert.strictEqual(
          (yield* send(`${second.origin}${chatPath}`, { key: user.key, body: chatBody("quick", false) })).status,
          200
        )
        second.signal("SIGTERM")
        assert.strictEqual(yield* second.exit, 0)
      }),
    TEST_TIMEOUT_MS
  )

  it.live("SIGTERM: open calls finish within their grace, new ones are not taken, and it exits with 0", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      const gate = new Gate()
      upstream.on("slow", async (call) => {
        call.frame(chunk("word "))
        await gate.opened
        call.chatStream(["word "], chatUsage(10, 5))
      })
      const realms = yield* makeInstallation(
        document(upstream, LEASE_SECONDS, { database: { url: yield* makeDatabase() } })
      )
      const server = yield* realms.start
      const user = yield* realms.user("term@example.com", "1.00")
      const open = Array.from({ length: 20 }, () => openSlow(server.origin, user.key))
      yield* until("the streams have begun", () => open.every((stream) => stream.frames.length === 1))
      server.signal("SIGTERM")
      yield* until("the server waits for them", () => server.log.includes("waiting for open calls"))
      const late = new OpenAnswer(`${server.origin}${chatPath}`, { key: user.key, method: "POST" })
      late.end(chatBody("slow", false))
      yield* until("a new call is turned away", () => late.ended)
      assert.include([0, 503], late.status)
      assert.isUndefined(server.ended)
      gate.open()
      yield* until("the streams have ended", () => open.every((stream) => stream.ended))
      assert.isTrue(open.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
      assert.strictEqual(yield* server.exit, 0)
      assert.strictEqual(upstream.calls.length, open.length)
      yield* realms.cli("audit")
      const balance = yield* balanceOf(realms, user.email)
      assert.deepStrictEqual(balance, {
        usd_micros: String(BALANCE_MICROS - 20n * 15n),
        owed_micros: "0",
        reserved_micros: "0"
      })
    }))

  it.live("SIGTERM: what outlives the grace gets an error frame, is settled, and it exits with 0", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      upstream.on("slow", (call) => {
        for (let index = 0; index < 10; index++) call.frame(chunk("word "))
      })
      const url = yield* makeDatabase()
      const realms = yield* makeInstallation(
        document(upstream, LEASE_SECONDS, { database: { url }, server: { port: 0, shutdown_grace_seconds: 1 } })
      )
      const server = yield* realms.start
      const user = yield* realms.user("grace@example.com", "1.00")
      const open = Array.from({ length: 10 }, () => openSlow(server.origin, user.key))
      yield* until("the streams have begun", () => open.every((stream) => stream.frames.length === 10))
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
      yield* until("the streams have ended", () => open.every((stream) => stream.ended))
      for (const stream of open) {
        const last = stream.text.trimEnd().split("\n\n").at(-1) ?? ""
        assert.strictEqual(errorOf(last.slice("data: ".length)).code, "service_unavailable")
      }
      assert.isTrue(upstream.calls.every((call) => call.aborted))
      yield* realms.cli("audit")
      const again = yield* realms.start
      for (const stream of open) {
        const receipt = yield* receiptOf(again.origin, user.key, stream.requestId)
        assert.deepStrictEqual([receipt.state, receipt.reason], ["committed", "service_unavailable"])
        assert.approximately(Number(receipt.charged_micros), 10 + 36, 36)
      }
    }))

  it.live("what the command line changes is seen at the next call, even when the listener has just died", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
      const url = yield* makeDatabase()
      const realms = yield* makeInstallation(document(upstream, LEASE_SECONDS, { database: { url } }))
      const server = yield* realms.start
      const user = yield* realms.user("cli@example.com", "1.00")
      const other = yield* realms.user("other@example.com", "1.00")
      const call = (key: string) => send(`${server.origin}${chatPath}`, { key, body: chatBody("quick", false) })
      const statuses = Effect.all([call(user.key), call(other.key)]).pipe(
        Effect.map((all) => all.map(({ status }) => status))
      )
      const killListener = onTestServer(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'realms-notifications'
          AND datname = '${new URL(url).pathname.slice(1)}'`
      )
      assert.deepStrictEqual(yield* statuses, [200, 200])
      assert.isAtLeast((yield* killListener).length, 1)
      yield* Effect.all([
        realms.cli("key", "revoke", user.id),
        realms.cli("balance", "adjust", "--user", other.email, "--usd=-0.999985", "--note", "all of it")
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* statuses, [401, 402])
      yield* killListener
      yield* realms.cli("balance", "adjust", "--user", other.email, "--usd", "1.00", "--note", "back")
      assert.deepStrictEqual(yield* statuses, [401, 200])
      yield* realms.cli("balance", "adjust", "--user", other.email, "--usd=-0.999985", "--note", "all of it, heard")
      assert.deepStrictEqual(yield* statuses, [401, 402])
      yield* realms.cli("audit")
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
    }))

  it.live("what goes wrong with a call is logged under its request id, and no secret with it", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      upstream.on("quick", (call) => call.error(500, `the key ${call.authorization} is not liked`))
      const realms = yield* makeInstallation(
        document(upstream, LEASE_SECONDS, { database: { url: yield* makeDatabase() }, log: { level: "debug" } })
      )
      const server = yield* realms.start
      const user = yield* realms.user("log@example.com", "1.00")
      const answer = yield* send(`${server.origin}${chatPath}`, { key: user.key, body: chatBody("quick", false) })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [502, "upstream_error"])
      const id = String(answer.headers["x-request-id"])
      yield* until("the failure is logged", () => server.log.includes(id))
      const line = server.log.split("\n").find((one) => one.includes(id)) ?? ""
      assert.include(line, "a channel failed a call")
      assert.isObject(JSON.parse(line))
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
      for (const secret of [user.key, "Bearer", "is not liked"]) assert.notInclude(server.log, secret)
    }))
})
