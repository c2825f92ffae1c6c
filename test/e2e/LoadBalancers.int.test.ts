/**
 * Two servers over one database behind nginx and behind Caddy, as `docs/deployment` configures them: keys stay with their runner,
 * move when it is away and come back, nothing is lost or paid twice, streams pass as they come. The tests of a load balancer share
 * its servers, and each leaves both of them running, but the last.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { makeToken } from "../../src/identity/SessionStore.ts"
import { type BalancerKind, balancers, startBalancer } from "../support/Balancer.ts"
import { freePort } from "../support/FreePort.ts"
import { chatBody, chatPath, document, openSlow } from "../support/ProcessCalls.ts"
import { chargedOf, COST, noneOpen, streamBehind, USAGE } from "../support/RunnerCalls.ts"
import { makeInstallation, type RealmsProcess } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { answerWith, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 240_000
const LEASE_SECONDS = 2
const KEYS = 12

/** Failures that are shown, at most. */
const FAILURES_KEPT_MAX = 5

/** How often the SDKs of OpenAI send a call again, unless they are told otherwise. */
const SDK_RETRIES = 2

const BODY_BYTES_MAX = 20_971_520

const masterKey = randomBytes(32).toString("hex")

/** A server on a port of its own, which it has again when it is started again. */
interface Runner {
  readonly port: number
  server: RealmsProcess
  readonly start: Effect.Effect<RealmsProcess>
}

/** Requests for a path that this server has answered. */
const timesSeen = ({ server }: Runner, path: string): number => server.log.split(`"path":"${path}"`).length - 1

const start = Effect.fnUntraced(function*(kind: BalancerKind) {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", answerWith(completion("word", USAGE)))
  const url = yield* makeDatabase()
  const installations = yield* Effect.forEach([1, 2], () =>
    Effect.flatMap(freePort, (port) =>
      Effect.map(
        makeInstallation(
          document(upstream, LEASE_SECONDS, {
            server: { port, trusted_proxies: ["127.0.0.1"] },
            database: { url },
            log: { format: "json", access: true }
          }),
          { REALMS_MASTER_KEY: masterKey }
        ),
        (realms) => ({ port, realms })
      )))
  const runners: Array<Runner> = []
  for (const { port, realms } of installations) runners.push({ port, server: yield* realms.start, start: realms.start })
  const { realms } = installations[0] ?? (yield* Effect.die("there is an installation"))
  const balancer = yield* startBalancer(kind, runners.map(({ port }) => port))
  const keys = yield* Effect.forEach(
    Array.from({ length: KEYS }, (_, index) => index),
    (index) => realms.user(`user${index}@example.com`, "1.00")
  )
  return { ...balancer, keys, realms, runners, upstream, url }
})

type Installed = Effect.Success<ReturnType<typeof start>>

class World extends Context.Service<World, Installed>()("realms/test/e2e/LoadBalancers.int.test/World") {
  static readonly layerOf = (kind: BalancerKind) => Layer.effect(World, Effect.orDie(start(kind)))
}

/** Asks several times with a key; which runner has answered all of it. */
const runnerOf = Effect.fnUntraced(function*(
  { origin, runners }: Installed,
  key: string,
  headers: (key: string) => Readonly<Record<string, string>> = (key) => ({ authorization: `Bearer ${key}` })
) {
  const path = `/v1/models/${randomBytes(6).toString("hex")}`
  const times = 4
  for (let index = 0; index < times; index++) {
    const answer = yield* send(`${origin}${path}`, { headers: headers(key) })
    assert.strictEqual(answer.status, 404, answer.text)
  }
  const seen = () => runners.map((runner) => timesSeen(runner, path))
  yield* until("all is logged", () => seen().reduce((sum, count) => sum + count, 0) === times)
  const index = seen().indexOf(times)
  assert.notStrictEqual(index, -1, `one key met both runners: ${seen().join(", ")}`)
  return index
})

const runnersOf = (world: Installed) => Effect.forEach(world.keys, ({ key }) => runnerOf(world, key))

/** What a client sends again, as SDKs do: a connection that was reset, and what says that it may pass. */
const isPassing = (status: number): boolean => status === 0 || status === 502 || status === 503

/** Calls with every key in a loop, each sent again so many times where it may pass. */
const load = Effect.fnUntraced(function*({ keys, origin, url }: Installed, retriesMax: number) {
  const before = yield* chargedOf(url)
  const seen = { answered: 0, failures: new Array<string>(), stopped: false }
  const once = (key: string) =>
    send(`${origin}${chatPath}`, { key, body: chatBody("quick", false) }).pipe(
      Effect.catchDefect((error) => Effect.succeed({ status: 0, text: String(error), headers: {} }))
    )
  const call = Effect.fnUntraced(function*(key: string) {
    let answer = yield* once(key)
    for (let retries = 0; isPassing(answer.status) && retries < retriesMax; retries++) answer = yield* once(key)
    if (answer.status === 200) seen.answered++
    else if (seen.failures.length < FAILURES_KEPT_MAX) seen.failures.push(`${answer.status} ${answer.text}`)
  })
  const fiber = yield* Effect.forkScoped(Effect.forEach(
    keys,
    ({ key }) => Effect.repeat(call(key), { while: () => !seen.stopped }),
    { concurrency: "unbounded", discard: true }
  ))
  const stop = Effect.andThen(
    Effect.sync(() => {
      seen.stopped = true
    }),
    Fiber.join(fiber)
  )
  return { before, seen, stop }
})

type Load = Effect.Success<ReturnType<typeof load>>

/** The number of calls of a load that were paid; every user's balance is what is left of it. */
const paid = Effect.fnUntraced(function*({ realms, url }: Installed, { before }: Load) {
  yield* until("every hold has ended", noneOpen(url))
  const wrong = yield* queryAt(
    url,
    `SELECT u.email, b.usd_micros, count(e.id)::int AS calls
      FROM users u JOIN user_balances b ON b.user_id = u.id
        LEFT JOIN usage_events e ON e.user_id = u.id AND e.state = 'committed'
      GROUP BY u.email, b.usd_micros HAVING b.usd_micros <> 1000000 - ${COST} * count(e.id)`
  )
  assert.deepStrictEqual(wrong, [])
  yield* realms.cli("audit")
  return (yield* chargedOf(url)) - before
})

const title = ({ debianPackage, isInstalled, name }: BalancerKind): string =>
  isInstalled ? name : `${name} (left out: it is not installed; Debian's package is ${debianPackage})`

for (const kind of balancers) {
  describe.skipIf(!kind.isInstalled)(title(kind), { timeout: TEST_TIMEOUT_MS }, () => {
    layer(World.layerOf(kind), { excludeTestServices: true, timeout: TEST_TIMEOUT_MS })((it) => {
      it.effect("keeps each key with one runner, spreads keys, and knows a key under any header", () =>
        Effect.gen(function*() {
          const world = yield* World
          const { keys } = world
          const homes = yield* runnersOf(world)
          assert.deepStrictEqual([...new Set(homes)].toSorted(), [0, 1], "both runners have keys")
          for (const name of ["x-api-key", "api-key"]) {
            const found = yield* Effect.forEach(
              keys.slice(0, 4),
              ({ key }) => runnerOf(world, key, (key) => ({ [name]: key }))
            )
            assert.deepStrictEqual(found, homes.slice(0, 4), name)
          }
          const spelled = yield* runnerOf(world, keys[0]?.key ?? "", (key) => ({ authorization: `bearer  ${key}` }))
          assert.strictEqual(spelled, homes[0])
        }))

      it.effect("moves only the keys of a runner that is killed, back when it is there again; each answer is paid", () =>
        Effect.gen(function*() {
          const world = yield* World
          const homes = yield* runnersOf(world)
          const [first] = world.runners
          if (first === undefined) return
          const calls = yield* load(world, 1)
          const { seen, stop } = calls
          yield* until("the load is on", () => seen.answered >= 200)
          first.server.signal("SIGKILL")
          yield* first.server.exit
          const before = seen.answered
          yield* until("calls go on", () => seen.answered >= before + 400)
          assert.deepStrictEqual(yield* runnersOf(world), homes.map(() => 1), "all keys are with the other one")
          first.server = yield* first.start
          yield* until(
            "the keys are back",
            Effect.map(
              Effect.exit(runnersOf(world)),
              (exit) => exit._tag === "Success" && exit.value.every((index, at) => index === homes[at])
            )
          )
          yield* stop
          assert.deepStrictEqual(seen.failures, [])
          const charged = yield* paid(world, calls)
          assert.isAtLeast(charged, seen.answered, "what was answered is paid")
          // Each client has one call open, and what was killed with its answer on the way is asked for again.
          assert.isAtMost(charged, seen.answered + KEYS)
        }).pipe(Effect.scoped))

      it.effect("loses no call while the runners are stopped and started again in turn", () =>
        Effect.gen(function*() {
          const world = yield* World
          const calls = yield* load(world, SDK_RETRIES)
          const { seen, stop } = calls
          yield* until("the load is on", () => seen.answered >= 100)
          for (const runner of world.runners) {
            runner.server.signal("SIGTERM")
            assert.strictEqual(yield* runner.server.exit, 0)
            runner.server = yield* runner.start
            // Else the next one stops while this one is still thought to be away.
            yield* until(
              "its keys are back",
              Effect.map(
                Effect.exit(runnersOf(world)),
                (exit) => exit._tag === "Success" && new Set(exit.value).size === world.runners.length
              )
            )
          }
          yield* stop
          assert.deepStrictEqual(seen.failures, [])
          assert.strictEqual(yield* paid(world, calls), seen.answered, "each answer is paid once, and nothing else")
        }).pipe(Effect.scoped))

      it.effect("passes a stream frame by frame, and large bodies up to the runners' own bound", () =>
        Effect.gen(function*() {
          const { origin, realms, upstream } = yield* World
          const gate = new Gate()
          upstream.on("slow", streamBehind(gate))
          const user = yield* realms.user("stream@example.com", "1.00")
          const stream = openSlow(origin, user.key)
          yield* until("the first frame is there before the last is sent", () => stream.frames.length === 1)
          assert.isFalse(stream.ended)
          gate.open()
          yield* until("the stream has ended", () => stream.ended)
          assert.isTrue(stream.text.trimEnd().endsWith("data: [DONE]"))

          const body = (bytes: number) => ({ ...chatBody("quick", false), metadata: { filling: "x".repeat(bytes) } })
          const large = yield* send(`${origin}${chatPath}`, { key: user.key, body: body(3_000_000) })
          assert.strictEqual(large.status, 200, large.text)
          const tooLarge = yield* send(`${origin}${chatPath}`, { key: user.key, body: body(BODY_BYTES_MAX) })
          assert.strictEqual(tooLarge.status, 413)
          assert.strictEqual(errorOf(tooLarge.text).code, "request_too_large")
          const metrics = yield* send(`${origin}/metrics`, {})
          assert.strictEqual(metrics.status, 404, "a runner's own figures are not shown to everybody")
        }))

      it.effect("says who calls, and believes nobody else about it", () =>
        Effect.gen(function*() {
          const { origin, realms, url } = yield* World
          yield* realms.cli("user", "create", "--email", "root@example.com", "--role", "root")
          const session = makeToken()
          yield* queryAt(
            url,
            `INSERT INTO sessions (id_hash, user_id, expires_at)
             SELECT '\\x${
              session.tokenHash.toString("hex")
            }', id, now() + interval '1 hour' FROM users WHERE email = 'root@example.com'`
          )
          const ask = (method: string, path: string, headers: Readonly<Record<string, string>>, body?: object) =>
            send(`${origin}/api/admin${path}`, {
              method,
              from: "127.0.0.3",
              headers: {
                cookie: `realms_session=${Redacted.value(session.token)}`,
                "x-forwarded-for": "6.6.6.6",
                ...headers
              },
              ...(body === undefined ? {} : { body })
            })
          const me = yield* ask("GET", "/me", {})
          assert.strictEqual(me.status, 200, me.text)
          const token = String(JSON.parse(me.text).csrf_token)
          const made = yield* ask("POST", "/users", { "x-csrf-token": token }, { email: "new@example.com" })
          assert.isBelow(made.status, 300, made.text)
          const rows = yield* queryAt(url, "SELECT address FROM audit_log WHERE actor LIKE 'user:%'")
          assert.deepStrictEqual(rows.map((row) => row["address"]), ["127.0.0.3"])
        }))

      it.effect("answers as the gateway does when no runner is there", () =>
        Effect.gen(function*() {
          const { keys: [user], origin, runners } = yield* World
          for (const { server } of runners) {
            server.signal("SIGKILL")
            yield* server.exit
          }
          const answer = yield* send(`${origin}${chatPath}`, { key: user?.key ?? "", body: chatBody("quick", false) })
          assert.strictEqual(answer.status, 503, answer.text)
          assert.strictEqual(errorOf(answer.text).code, "service_unavailable")
          assert.strictEqual(answer.headers["retry-after"], "1")
        }))
    })
  })
}
