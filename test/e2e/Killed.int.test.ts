/**
 * `kill -9` at every step of a call: whatever the step, the books hold after the next start, the hold ends within its
 * lease, and a client that has its whole answer has paid for it, once.
 */
import { PgConnection } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { balanceOf, chatPath, document, openSlow, receiptOf } from "../support/ProcessCalls.ts"
import { noneOpen } from "../support/RunnerCalls.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, chunk, Gate, TestUpstream, type UpstreamCall } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 300_000
const LEASE_SECONDS = 2
const BALANCE_MICROS = 1_000_000n
const STREAMS = 60
const COST = 15n

const usage = chatUsage(10, 5)
const usageFrame = { ...chunk(""), choices: [], usage }

/** How far each call has come when the server is killed; they ask for the usage frame, to be seen receiving it. */
const steps = {
  reserved: () => undefined,
  begun: (call: UpstreamCall) => call.frame(chunk("word ")),
  usage: (call: UpstreamCall) => [chunk("word "), usageFrame].forEach((frame) => call.frame(frame)),
  done: (call: UpstreamCall) => call.chatStream(["word "], usage)
}

const installed = Effect.gen(function*() {
  const upstream = yield* TestUpstream.acquire
  const url = yield* makeDatabase()
  const realms = yield* makeInstallation(
    document(upstream, LEASE_SECONDS, { database: { url } }, { commit_wait_ms: 60_000 })
  )
  return { realms, server: yield* realms.start, upstream, url }
})

describe("kill -9", { timeout: TEST_TIMEOUT_MS }, () => {
  it.live("after the reserve, the first byte, the usage frame, [DONE], and before the commit", () =>
    Effect.gen(function*() {
      const { realms, server, upstream, url } = yield* installed
      const user = yield* realms.user("steps@example.com", "1.00")
      const locked = yield* realms.user("locked@example.com", "1.00")
      const open = (key: string, step: keyof typeof steps) => {
        const stream = openSlow(server.origin, key, { stream_options: { include_usage: true }, stop: step })
        return { stream, step, key }
      }
      upstream.on("slow", (call) => {
        for (const [name, step] of Object.entries(steps)) if (call.body["stop"] === name) step(call)
      })
      const calls = [
        open(user.key, "reserved"),
        open(user.key, "begun"),
        open(user.key, "usage"),
        open(user.key, "done")
      ]
      const [reserved, begun, reported, done] = calls
      yield* until("the answer is whole", () => done?.stream.ended === true)
      yield* until("the usage is known", () => reported?.stream.frames.length === 2)
      yield* until("an answer has begun", () => begun?.stream.frames.length === 1)
      // Another transaction holds the row that the commit needs.
      const connection = yield* PgConnection.make({ url: Redacted.make(url) })
      const waits = open(locked.key, "begun")
      yield* until("the call is held", () => waits.stream.frames.length === 1)
      yield* connection.query("BEGIN", [], false)
      yield* connection.query(
        "SELECT b.user_id FROM user_balances b JOIN users u ON u.id = b.user_id WHERE email = 'locked@example.com' FOR UPDATE OF b",
        [],
        false
      )
      const before = upstream.callsOf("slow").at(-1)
      before?.chatStream([], usage)
      yield* until(
        "the commit waits",
        Effect.map(
          queryAt(
            url,
            `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
              AND application_name LIKE 'realms-journal-%'`
          ),
          (rows) => rows.length > 0
        )
      )
      assert.strictEqual(upstream.calls.length, 5)
      server.signal("SIGKILL")
      assert.strictEqual(yield* server.exit, "SIGKILL")
      // The session that waits has not noticed: with the lock it would still commit.
      const sessions = "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'realms-%'"
      yield* queryAt(url, `SELECT pg_terminate_backend(pid) ${sessions}`)
      yield* until(
        "its sessions have ended",
        Effect.map(queryAt(url, `SELECT 1 ${sessions}`), (rows) => rows.length === 0)
      )
      yield* connection.query("ROLLBACK", [], false)
      assert.notInclude(waits.stream.text, "[DONE]", "who has a complete answer has paid")

      const again = yield* realms.start
      yield* until("every hold has ended", noneOpen(url))
      yield* realms.cli("audit")
      for (const call of [begun, reported, waits]) {
        const receipt = yield* receiptOf(again.origin, call?.key ?? "", call?.stream.requestId ?? "")
        assert.deepStrictEqual([receipt.state, receipt.charged_micros], ["expired", "0"], call?.step)
      }
      assert.strictEqual(reserved?.stream.status, 0)
      assert.include(done?.stream.text, "[DONE]")
      const paid = yield* receiptOf(again.origin, user.key, done?.stream.requestId ?? "")
      assert.deepStrictEqual([paid.state, paid.charged_micros], ["committed", String(COST)])
      const states = yield* queryAt(url, "SELECT state, count(*)::int AS n FROM usage_events GROUP BY 1 ORDER BY 1")
      assert.deepStrictEqual(states, [{ state: "committed", n: 1 }, { state: "expired", n: 4 }])
      assert.strictEqual((yield* balanceOf(realms, user.email)).usd_micros, String(BALANCE_MICROS - COST))
      assert.strictEqual((yield* balanceOf(realms, locked.email)).usd_micros, String(BALANCE_MICROS))
      const call = {
        key: locked.key,
        body: { model: "slow", stream: true, stop: "done", messages: [{ role: "user", content: "Hi" }] }
      }
      assert.include((yield* send(`${again.origin}${chatPath}`, call)).text, "[DONE]")
    }))

  it.live("while answers end: a client that has the end has paid, the others pay once or not at all", () =>
    Effect.gen(function*() {
      const { realms, server, upstream, url } = yield* installed
      const user = yield* realms.user("ends@example.com", "1.00")
      const gate = new Gate()
      upstream.on("slow", async (call) => {
        call.frame(chunk("word "))
        await gate.opened
        call.chatStream(["word "], usage)
      })
      const streams = Array.from({ length: STREAMS }, () => openSlow(server.origin, user.key))
      yield* until("the streams have begun", () => streams.every((stream) => stream.frames.length === 1))
      gate.open()
      const hasEnd = (stream: typeof streams[number]) => stream.text.includes("[DONE]")
      yield* until("one has ended", () => streams.some(hasEnd))
      server.signal("SIGKILL")
      assert.strictEqual(yield* server.exit, "SIGKILL")
      yield* until("all are broken off", () => streams.every((stream) => stream.ended))
      const again = yield* realms.start
      yield* until("every hold has ended", noneOpen(url))
      yield* realms.cli("audit")
      let paid = 0n
      for (const stream of streams) {
        const { charged_micros: charged, state } = yield* receiptOf(again.origin, user.key, stream.requestId)
        if (hasEnd(stream)) assert.strictEqual(state, "committed")
        assert.include(["committed 15", "expired 0"], `${state} ${charged}`)
        if (state === "committed") paid += COST
      }
      assert.strictEqual((yield* balanceOf(realms, user.email)).usd_micros, String(BALANCE_MICROS - paid))
    }))
})
