/**
 * Several runners behind one socket: they share the calls and the money, one that is killed is started again, all are replaced under
 * load, and a stop - of the supervisor too - finishes and settles what is open. Tests that leave them running share them.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { balanceOf, document, openSlow } from "../support/ProcessCalls.ts"
import {
  callsAtOnce,
  callsWhileThereIsMoney,
  chargedOf,
  COST,
  HOLD_MAX,
  load,
  noneOpen,
  streamBehind,
  subscribe,
  USAGE
} from "../support/RunnerCalls.ts"
import { makeInstallation, type RealmsProcess } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { answerWith, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 240_000
const LEASE_SECONDS = 2
const RUNNERS = 2

const installed = Effect.fnUntraced(function*(more: object = {}) {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", answerWith(completion("word", USAGE)))
  const url = yield* makeDatabase()
  const realms = yield* makeInstallation(
    document(upstream, LEASE_SECONDS, { server: { port: 0, runners: RUNNERS }, database: { url }, ...more })
  )
  return { realms, server: yield* realms.start, upstream, url }
})

class World extends Context.Service<World, Effect.Success<ReturnType<typeof installed>>>()(
  "realms/test/e2e/Runners.int.test/World"
) {
  static readonly layer = Layer.effect(World, Effect.orDie(installed()))
}

/** The processes that the supervisor named last. */
const pidsOf = (server: RealmsProcess): ReadonlyArray<number> => {
  const found = [...server.log.matchAll(/"pids":\[([\d,]+)\]/g)].at(-1)?.[1] ?? ""
  return found.split(",").map(Number)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe("runners", { timeout: TEST_TIMEOUT_MS }, () => {
  layer(World.layer, { excludeTestServices: true, timeout: TEST_TIMEOUT_MS })((it) => {
    it.effect("share a user's last money: no call too many is answered, and what each cost is paid", () =>
      Effect.gen(function*() {
        const { realms, server, upstream, url } = yield* World
        const user = yield* realms.user("last@example.com", "0.005")
        const sentBefore = upstream.callsOf("quick").length
        const answered = yield* callsAtOnce([server.origin], user.key)
        yield* until("every hold has ended", noneOpen(url))
        assert.strictEqual(yield* chargedOf(url, [user.email]), answered)
        assert.strictEqual(upstream.callsOf("quick").length, sentBefore + answered)
        assert.isTrue(answered > 0 && BigInt(answered) * COST <= 5_000n)
        const balance = yield* balanceOf(realms, user.email)
        assert.strictEqual(BigInt(balance.usd_micros), 5_000n - BigInt(answered) * COST)
        assert.strictEqual(balance.owed_micros, "0")
        yield* realms.cli("audit")
      }))

    it.effect("share the windows of a subscription: what is left of the tightest is spent, and not a call more", () =>
      Effect.gen(function*() {
        const { realms, server, upstream, url } = yield* World
        const user = yield* realms.user("window@example.com", "0.000001")
        const limit = 5_000n
        yield* subscribe(url, user.email, limit)
        const sentBefore = upstream.callsOf("quick").length
        const answered = yield* callsWhileThereIsMoney(url, [server.origin], user)
        yield* until("every hold has ended", noneOpen(url))
        assert.strictEqual(yield* chargedOf(url, [user.email]), answered)
        assert.strictEqual(upstream.callsOf("quick").length, sentBefore + answered)
        const [used] = yield* queryAt(url, "SELECT sum(micros)::text AS used FROM subscription_usage")
        assert.strictEqual(used?.["used"], String(BigInt(answered) * COST))
        assert.isTrue(BigInt(answered) * COST <= limit, "the window holds")
        assert.isTrue(BigInt(answered) * COST > limit - HOLD_MAX, "all of it is used")
        yield* realms.cli("audit")
      }))

    it.effect("are replaced one by one on SIGHUP under load: no call fails", () =>
      Effect.gen(function*() {
        const { realms, server, url } = yield* World
        const user = yield* realms.user("roll@example.com", "10.00")
        const { answered, seen, stop } = yield* load([server.origin], [user.key], { clients: 20 })
        yield* until("the load is on", () => answered() >= 200)
        const before = pidsOf(server)
        server.signal("SIGHUP")
        yield* until("all are replaced", () => server.log.includes("all runners are replaced"))
        yield* stop
        const after = pidsOf(server)
        assert.isTrue(before.every((pid) => !after.includes(pid) && !isAlive(pid)))
        assert.isTrue(after.length === RUNNERS && after.every(isAlive))
        assert.deepStrictEqual([...seen.answers.keys()], [200])
        // A connection may be closed while a call is sent on it; a client sends it again.
        assert.isAtMost(seen.broken, 20 * RUNNERS)
        yield* until("every hold has ended", noneOpen(url))
        const charged = yield* chargedOf(url, [user.email])
        assert.strictEqual(charged, answered(), "each answer is paid once, and nothing else")
        yield* realms.cli("audit")
      }))

    it.effect("of which one is killed under load: it is started again, the other answers all the while, the books hold", () =>
      Effect.gen(function*() {
        const { realms, server, url } = yield* World
        const user = yield* realms.user("kill@example.com", "10.00")
        const { answered, seen, stop } = yield* load([server.origin], [user.key], { clients: 20 })
        yield* until("the load is on", () => answered() >= 200)
        const [killed = 0, living = 0] = pidsOf(server)
        const loggedBefore = server.log.length
        process.kill(killed, "SIGKILL")
        yield* until("it is started again", () => server.log.includes("is ready again", loggedBefore))
        const before = answered()
        yield* until("calls go on", () => answered() >= before + 200)
        yield* stop
        assert.isTrue(isAlive(living))
        assert.deepStrictEqual([...seen.answers.keys()], [200], "what was answered at all was answered well")
        assert.isAtMost(seen.broken, 20, "only calls of the runner that was killed broke off")
        yield* until("every hold has ended", noneOpen(url))
        const charged = yield* chargedOf(url, [user.email])
        assert.isAtLeast(charged, answered(), "what was answered is paid")
        assert.isAtMost(charged, answered() + seen.broken)
        const balance = yield* balanceOf(realms, user.email)
        assert.strictEqual(BigInt(balance.usd_micros), 10_000_000n - BigInt(charged) * COST)
        yield* realms.cli("audit")
      }))

    it.effect("do not start where the port is taken, and leave nothing behind", () =>
      Effect.gen(function*() {
        const { realms, server, upstream } = yield* World
        const other = yield* makeInstallation(
          document(upstream, LEASE_SECONDS, { server: { port: Number(new URL(server.origin).port), runners: RUNNERS } })
        )
        const second = other.begin("serve")
        assert.strictEqual(yield* second.exit, 1)
        assert.include(second.log, "is already in use")
        assert.notInclude(second.log, "this runner serves")
        yield* realms.cli("audit")
      }))
  })

  it.live("that are replaced leave open calls time, however little a stop would leave them", () =>
    Effect.gen(function*() {
      const { realms, server, upstream, url } = yield* installed({
        server: { port: 0, runners: RUNNERS, shutdown_grace_seconds: 0 }
      })
      const gate = new Gate()
      upstream.on("slow", streamBehind(gate))
      const user = yield* realms.user("long@example.com", "1.00")
      const stream = openSlow(server.origin, user.key)
      yield* until("the stream has begun", () => stream.frames.length === 1)
      server.signal("SIGHUP")
      yield* until("its runner waits for it", () => server.log.includes("waiting for open calls"))
      gate.open()
      yield* until("all are replaced", () => server.log.includes("all runners are replaced"))
      yield* until("the stream has ended", () => stream.ended)
      assert.isTrue(stream.text.trimEnd().endsWith("data: [DONE]"))
      yield* until("its hold has ended", noneOpen(url))
      assert.strictEqual(yield* chargedOf(url), 1)
      yield* realms.cli("audit")
    }))

  it.live("finish and settle open calls when their supervisor is stopped, and when it is killed", () =>
    Effect.forEach(["SIGTERM", "SIGKILL"] as const, (signal) =>
      Effect.gen(function*() {
        const { realms, server, upstream, url } = yield* installed()
        const gate = new Gate()
        upstream.on("slow", streamBehind(gate))
        const user = yield* realms.user("stop@example.com", "1.00")
        const pids = pidsOf(server)
        const open = Array.from({ length: 20 }, () => openSlow(server.origin, user.key))
        yield* until("the streams have begun", () => open.every((stream) => stream.frames.length === 1))
        server.signal(signal)
        yield* until("both wait for them", () => (server.log.match(/waiting for open calls/g)?.length ?? 0) === RUNNERS)
        gate.open()
        yield* until("the streams have ended", () => open.every((stream) => stream.ended))
        assert.isTrue(open.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
        assert.strictEqual(yield* server.exit, signal === "SIGTERM" ? 0 : "SIGKILL")
        yield* until("no runner is left", () => pids.every((pid) => !isAlive(pid)))
        assert.isTrue(yield* noneOpen(url))
        const balance = yield* balanceOf(realms, user.email)
        assert.strictEqual(BigInt(balance.usd_micros), 1_000_000n - 20n * COST)
        yield* realms.cli("audit")
      }), { discard: true }))
})
