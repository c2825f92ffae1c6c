/**
 * PostgreSQL hangs: every process of it is stopped, connections stay open and nothing answers. Every caller has an answer within
 * the bound, readiness says why, and all of it recovers by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { join } from "node:path"
import { DATABASE_WAIT_MS_MAX } from "../../src/postgres/DatabaseUnavailable.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { queryAt } from "../support/TestDatabase.ts"
import { microPriced, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** What an answer may take besides the wait for PostgreSQL, in ms. */
const SLACK_MS = 500

/** A PostgreSQL of the test's own, because all of its processes are stopped. */
const ownPostgres = Effect.gen(function*() {
  const server = yield* EmbeddedPostgres.acquire(join(yield* scratchFolder, "data"))
  return Redacted.value(server.url)
})

const processesOf = Effect.fnUntraced(function*(url: string) {
  const rows = yield* queryAt(
    url,
    `SELECT pid FROM pg_stat_activity
      UNION ALL SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int`
  )
  return rows.map((row) => Number(row["pid"]))
})

/** Sends a signal to processes; one that has ended by itself gets none. */
const signalAll = (pids: ReadonlyArray<number>, signal: "SIGSTOP" | "SIGCONT") =>
  Effect.forEach(pids, (pid) => Effect.ignore(Effect.try(() => process.kill(pid, signal))), { discard: true })

const timed = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const started = performance.now()
    const answer = yield* effect
    return { answer, ms: performance.now() - started }
  })

describe("PostgreSQL that hangs", () => {
  it.live("leaves nobody waiting for longer than the bound, and is recovered from", () =>
    Effect.gen(function*() {
      const url = yield* ownPostgres
      const gateway = yield* TestGateway.make((origin) => microPriced(origin), { url })
      gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
      const [known, fresh] = [yield* gateway.user(1_000_000n), yield* gateway.user(1_000_000n)]
      const call = (key: string) =>
        send(`${gateway.origin}/v1/chat/completions`, {
          key,
          body: { model: "m", messages: [{ role: "user", content: "Hi" }] }
        })
      assert.strictEqual((yield* call(known.key)).status, 200)
      const pids = yield* processesOf(url)
      yield* Effect.addFinalizer(() => signalAll(pids, "SIGCONT"))
      yield* signalAll(pids, "SIGSTOP")
      const ready = yield* timed(send(`${gateway.origin}/readyz`, {}))
      assert.strictEqual(ready.answer.status, 503)
      assert.isAtMost(ready.ms, DATABASE_WAIT_MS_MAX + SLACK_MS)
      // More than the pool has connections.
      const keys = Array.from({ length: 20 }, (_, at) => at % 2 === 0 ? fresh.key : known.key)
      const refused = yield* Effect.forEach(keys, (key) => timed(call(key)), { concurrency: "unbounded" })
      for (const { answer, ms } of refused) {
        assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [503, "service_unavailable"])
        assert.isAtLeast(Number(answer.headers["retry-after"]), 1)
        assert.isAtMost(ms, DATABASE_WAIT_MS_MAX + SLACK_MS)
      }
      yield* signalAll(pids, "SIGCONT")
      yield* until("it is ready", Effect.map(send(`${gateway.origin}/readyz`, {}), ({ status }) => status === 200))
      yield* until("a call is answered", Effect.map(call(fresh.key), ({ status }) => status === 200))
      yield* gateway.clean
    }))
})
