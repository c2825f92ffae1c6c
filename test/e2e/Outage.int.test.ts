/**
 * The database away under open streams, and Ctrl-C in the terminal: nothing that was acknowledged is lost, and the books hold.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { makeProxy } from "../support/JournalProxy.ts"
import { balanceOf, chatBody, chatPath, document, openSlow } from "../support/ProcessCalls.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 300_000
const STREAMS = 10
const LEASE_SECONDS = 30

/** A server with open streams of which each costs 15 micros when the gate is opened. */
const busy = Effect.fnUntraced(function*(more: object = {}) {
  const upstream = yield* TestUpstream.acquire
  const gate = new Gate()
  upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
  upstream.on("slow", async (call) => {
    call.frame(chunk("word "))
    await gate.opened
    call.chatStream(["word "], chatUsage(10, 5))
  })
  const realms = yield* makeInstallation(document(upstream, LEASE_SECONDS, more))
  const server = yield* realms.start
  const user = yield* realms.user("outage@example.com", "1.00")
  const streams = Array.from({ length: STREAMS }, () => openSlow(server.origin, user.key))
  yield* until("the streams have begun", () => streams.every((stream) => stream.frames.length === 1))
  const balance = balanceOf(realms, user.email)
  const call = send(`${server.origin}${chatPath}`, { key: user.key, body: chatBody("quick", false) })
  return { balance, call, gate, realms, server, streams }
})

describe("outage", () => {
  it.live(
    "PostgreSQL stopped at once under open streams: it comes back, they end and are paid",
    () =>
      Effect.gen(function*() {
        const { balance, call, gate, realms, server, streams } = yield* busy()
        const pid = yield* Effect.promise(() => readFile(join(realms.dataDir, "postgres", "postmaster.pid"), "utf8"))
        process.kill(Number(pid.split("\n")[0]), "SIGQUIT")
        // Settlements meet the outage, or its end: whichever, they land.
        gate.open()
        yield* until("the streams have ended", () => streams.every((stream) => stream.ended))
        assert.isTrue(streams.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
        yield* until("calls are answered again", Effect.map(call, ({ status }) => status === 200))
        yield* until("every hold has ended", Effect.map(balance, ({ reserved_micros }) => reserved_micros === "0"))
        yield* realms.cli("audit")
        const spent = 1_000_000 - Number((yield* balance).usd_micros)
        assert.isAtLeast(spent, 15 * (STREAMS + 1))
        assert.strictEqual(spent % 15, 0)
        server.signal("SIGTERM")
        assert.strictEqual(yield* server.exit, 0)
      }),
    TEST_TIMEOUT_MS
  )

  it.live("Ctrl-C with open streams: they end and are paid before the database stops", () =>
    Effect.gen(function*() {
      const { balance, gate, realms, server, streams } = yield* busy()
      server.interruptGroup()
      yield* until("the server waits for them", () => server.log.includes("waiting for open calls"))
      gate.open()
      assert.strictEqual(yield* server.exit, 0)
      assert.isTrue(streams.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
      assert.deepStrictEqual(yield* balance, {
        usd_micros: String(1_000_000 - 15 * STREAMS),
        owed_micros: "0",
        reserved_micros: "0"
      })
      yield* realms.cli("audit")
    }), TEST_TIMEOUT_MS)

  it.live(
    "stopped while the database is away: what was answered is kept, and paid after the next start",
    () =>
      Effect.gen(function*() {
        const url = yield* makeDatabase()
        const proxy = yield* makeProxy(url)
        const { balance, gate, realms, server, streams } = yield* busy({ database: { url: proxy.url } })
        proxy.cut()
        server.signal("SIGTERM")
        yield* until("the server waits for them", () => server.log.includes("waiting for open calls"))
        gate.open()
        assert.strictEqual(yield* server.exit, 0)
        assert.isTrue(streams.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
        const kept = join(realms.dataDir, "unsettled.jsonl")
        assert.strictEqual(readFileSync(kept, "utf8").trim().split("\n").length, STREAMS)
        proxy.mend()
        const again = yield* realms.start
        yield* until("the file is replayed", () => !existsSync(kept) && !existsSync(`${kept}.replaying`))
        assert.deepStrictEqual(yield* balance, {
          usd_micros: String(1_000_000 - 15 * STREAMS),
          owed_micros: "0",
          reserved_micros: "0"
        })
        yield* realms.cli("audit")
        again.signal("SIGTERM")
        assert.strictEqual(yield* again.exit, 0)
      }),
    TEST_TIMEOUT_MS
  )
})
