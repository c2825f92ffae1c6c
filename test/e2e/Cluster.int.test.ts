/**
 * Several servers of one database that know one another, as they run on several machines: they share the money of a user to the last
 * micro, whichever of them decides, and go on when one of them is killed, frozen, cut off or stopped. Tests of servers of one kind share
 * them, and each leaves all of them running, but the last.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { acquireEpay } from "../../simulators/epay/EpaySimulator.ts"
import { freePort } from "../support/FreePort.ts"
import { makeProxy } from "../support/JournalProxy.ts"
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
import { epaySigned } from "../support/Signers.ts"
import { makeInstallation, type RealmsProcess } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { answerWith, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Each starts processes, which a busy machine takes its time for. */
const TEST_TIMEOUT_MS = 240_000
const LEASE_SECONDS = 2
const SHARDS = 300
const env = { REALMS_MASTER_KEY: "the master key of all servers of this test" }

interface Kind {
  readonly servers: number
  readonly decide: "arrival" | "owner"
}

/** Servers of one database, each with a folder of its own, that take money at a simulated EPay and reach one another through proxies. */
const start = Effect.fnUntraced(function*({ decide, servers }: Kind) {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", answerWith(completion("word", USAGE)))
  const epay = yield* acquireEpay()
  const url = yield* makeDatabase()
  const made = yield* Effect.forEach(Array.from({ length: servers }), () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const proxy = yield* makeProxy(`tcp://127.0.0.1:${port}`)
      const realms = yield* makeInstallation(
        document(upstream, LEASE_SECONDS, {
          database: { url },
          cluster: { host: "127.0.0.1", port, advertise: `127.0.0.1:${new URL(proxy.url).port}`, decide },
          payment: { epay: { enabled: true, gateway: epay.url, partner_id: epay.pid, key: epay.key } }
        }),
        env
      )
      return { realms, proxy, server: yield* realms.start }
    }))
  const [first] = made
  if (first === undefined) return assert.fail("no server")
  return { decide, epay, first, made, upstream, url }
})

class World extends Context.Service<World, Effect.Success<ReturnType<typeof start>>>()(
  "realms/test/e2e/Cluster.int.test/World"
) {
  static readonly layerOf = (kind: Kind) => Layer.effect(World, Effect.orDie(start(kind)))
}

/** The servers, once each owns accounts, and together all. */
const shared = Effect.gen(function*() {
  const world = yield* World
  const servers = world.made.map(({ server }) => server)
  yield* until(
    "each owns accounts, and together all",
    Effect.map(
      Effect.forEach(servers, shardsOf),
      (owned) => owned.every((count) => count > 0) && owned.reduce((sum, count) => sum + count, 0) === SHARDS
    )
  )
  return { ...world, servers, origins: servers.map(({ origin }) => origin) }
})

type Shared = Effect.Success<typeof shared>

/** A number of `/metrics`, of all its labels. */
const metricOf = Effect.fnUntraced(function*({ origin }: RealmsProcess, name: string) {
  const { text } = yield* send(`${origin}/metrics`, {})
  const found = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, "gm"))]
  return found.reduce((sum, [, value]) => sum + Number(value), 0)
})

const shardsOf = (server: RealmsProcess) => metricOf(server, "effect_cluster_shards")

const ownsAll = (server: RealmsProcess) => Effect.map(shardsOf(server), (count) => count === SHARDS)

/** What is charged, held and left of what a user had is right. */
const checked = Effect.fnUntraced(function*(
  { first, url }: Shared,
  email: string,
  had: bigint
) {
  yield* until("every hold has ended", noneOpen(url))
  const [row] = yield* queryAt(
    url,
    `SELECT coalesce(sum(charged_micros + late_charged_micros), 0)::text AS charged FROM usage_events
       WHERE user_id = (SELECT id FROM users WHERE email = '${email}')`
  )
  const balance = yield* balanceOf(first.realms, email)
  assert.strictEqual(BigInt(balance.usd_micros) - BigInt(balance.owed_micros), had - BigInt(String(row?.["charged"])))
  yield* first.realms.cli("audit")
})

/** No call of a load has failed, and each is paid once. */
const endedWell = Effect.fnUntraced(function*(
  { first, url }: Shared,
  { answered, seen, stop }: Effect.Success<ReturnType<typeof load>>,
  emails: ReadonlyArray<string>
) {
  yield* stop
  assert.deepStrictEqual([[...seen.answers.keys()], seen.broken], [[200], 0])
  yield* until("every hold has ended", noneOpen(url))
  assert.strictEqual(yield* chargedOf(url, emails), answered())
  yield* first.realms.cli("audit")
})

const Created = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))
const Form = Schema.fromJsonString(Schema.Struct({ fields: Schema.Record(Schema.String, Schema.String) }))

const options = { excludeTestServices: true, timeout: TEST_TIMEOUT_MS } as const

describe("servers of one database", { timeout: TEST_TIMEOUT_MS }, () => {
  for (const decide of ["arrival", "owner"] as const) {
    layer(World.layerOf({ servers: 3, decide }), options)(
      `of which ${decide === "owner" ? "owners decide" : "any decides"}`,
      (it) => {
        it.effect("share a user's last money and the windows of a subscription", () =>
          Effect.gen(function*() {
            const world = yield* shared
            const { first, origins, servers, upstream, url } = world
            const user = yield* first.realms.user("last@example.com", "0.005")
            const byBalance = yield* callsAtOnce(origins, user.key)
            assert.isTrue(byBalance > 0 && BigInt(byBalance) * COST <= 5_000n)
            yield* checked(world, user.email, 5_000n)
            const limit = 5_000n
            const subscriber = yield* first.realms.user("window@example.com", "0.000001")
            yield* subscribe(url, subscriber.email, limit)
            const byPlan = yield* callsWhileThereIsMoney(url, origins, subscriber)
            yield* until("every hold has ended", noneOpen(url))
            assert.isTrue(BigInt(byPlan) * COST <= limit, "the window holds")
            assert.isTrue(BigInt(byPlan) * COST > limit - HOLD_MAX, "all of it is used")
            assert.strictEqual(yield* chargedOf(url), byBalance + byPlan)
            assert.strictEqual(upstream.callsOf("quick").length, byBalance + byPlan)
            const sent = yield* Effect.forEach(servers, (server) => metricOf(server, "realms_account_messages_total"))
            assert.isTrue(decide === "arrival" || sent.some((count) => count > 0), "owners were asked")
            yield* first.realms.cli("audit")
          }))

        it.effect("are told of one payment by many callbacks at once, and credit it once", () =>
          Effect.gen(function*() {
            const { epay, first, origins } = yield* shared
            const user = yield* first.realms.user("paid@example.com", "0.000001")
            const { id } = yield* Effect.flatMap(
              first.realms.cli("order", "create", "--user", user.email, "--topup-cny", "10.00", "--json"),
              Schema.decodeUnknownEffect(Created)
            )
            const { fields } = yield* Effect.flatMap(
              first.realms.cli("order", "start", id, "--provider", "epay", "--method", "alipay"),
              Schema.decodeUnknownEffect(Form)
            )
            const facts = ["pid", "type", "out_trade_no", "name", "money"].map((name) =>
              [name, fields[name] ?? ""] as const
            )
            const pairs = epaySigned(
              [...facts, ["trade_no", "2026113000000001"], ["trade_status", "TRADE_SUCCESS"]],
              epay.key
            )
            const query = new URLSearchParams(pairs.map(([name, value]) => [name, value]))
            const answers = yield* Effect.forEach(
              Array.from({ length: 24 }, (_, index) => origins[index % origins.length] ?? ""),
              (origin) => send(`${origin}/api/pay/epay/notify?${query}`, {}),
              { concurrency: "unbounded" }
            )
            assert.deepStrictEqual([...new Set(answers.map(({ text }) => text))], ["success"])
            const balance = yield* balanceOf(first.realms, user.email)
            assert.strictEqual(balance.usd_micros, "1400001")
            yield* first.realms.cli("audit")
          }))
      }
    )
  }

  layer(World.layerOf({ servers: 2, decide: "owner" }), options)("of which owners decide, two,", (it) => {
    it.effect("decide by themselves while they cannot reach one another, and no call fails by it", () =>
      Effect.gen(function*() {
        const world = yield* shared
        const { first, made, origins, servers } = world
        const rich = yield* first.realms.user("rich@example.com", "10.00")
        const poor = yield* first.realms.user("poor@example.com", "0.005")
        const answers = Effect.map(
          Effect.forEach(servers, (server) => metricOf(server, "realms_account_messages_total")),
          (counts) => counts.reduce((sum, count) => sum + count, 0)
        )
        const { answered, seen, stop } = yield* load(origins, [rich.key], { clients: 8 })
        yield* until("owners are asked", Effect.map(answers, (count) => count > 0))
        for (const { proxy } of made) proxy.silence()
        const before = answered()
        yield* until("calls go on", () => answered() >= before + 100)
        yield* callsWhileThereIsMoney(world.url, origins, poor)
        for (const { proxy } of made) proxy.speak()
        const after = answered()
        yield* until("calls go on", () => answered() >= after + 100)
        yield* stop
        assert.deepStrictEqual([[...seen.answers.keys()], seen.broken], [[200], 0])
        yield* checked(world, poor.email, 5_000n)
        yield* checked(world, rich.email, 10_000_000n)
      }).pipe(Effect.scoped))

    it.effect("lose no money to one that stands still until it owns nothing, and then goes on", () =>
      Effect.gen(function*() {
        const world = yield* shared
        const { first, origins, servers: [frozen, living], upstream } = world
        if (frozen === undefined || living === undefined) return assert.fail("no servers")
        const gate = new Gate()
        upstream.on("slow", streamBehind(gate))
        const user = yield* first.realms.user("frozen@example.com", "0.02")
        const open = Array.from({ length: 3 }, () => openSlow(frozen.origin, user.key))
        yield* until("its streams have begun", () => open.every(({ frames }) => frames.length === 1))
        frozen.child.kill("SIGSTOP")
        yield* until("the other owns all accounts", ownsAll(living))
        yield* callsWhileThereIsMoney(world.url, [living.origin], user)
        frozen.child.kill("SIGCONT")
        gate.open()
        yield* until("its streams have ended", () => open.every(({ ended }) => ended))
        yield* callsAtOnce(origins, user.key)
        yield* checked(world, user.email, 20_000n)
      }))

    it.effect("are stopped and started one after the other under load: no call fails of a client that tries again once", () =>
      Effect.gen(function*() {
        const world = yield* shared
        const { first, made, origins } = world
        const user = yield* first.realms.user("roll@example.com", "10.00")
        const addresses = [...origins]
        const calls = yield* load(addresses, [user.key], { clients: 8, retries: true })
        const { answered } = calls
        yield* until("the load is on", () => answered() >= 100)
        for (const [index, one] of made.entries()) {
          // The load balancer takes it out, and puts its successor in.
          addresses[index] = origins[1 - index] ?? ""
          one.server.signal("SIGTERM")
          assert.strictEqual(yield* one.server.exit, 0)
          one.server = yield* one.realms.start
          addresses[index] = origins[index] = one.server.origin
          const before = answered()
          yield* until("calls go on", () => answered() >= before + 100)
        }
        yield* endedWell(world, calls, [user.email])
      }).pipe(Effect.scoped))

    it.effect("go on when one is killed under load: no call of another fails, and another owns its accounts", () =>
      Effect.gen(function*() {
        const world = yield* shared
        const { first, servers: [killed, living] } = world
        if (killed === undefined || living === undefined) return assert.fail("no servers")
        const users = yield* Effect.forEach(
          [1, 2, 3, 4, 5, 6],
          (number) => first.realms.user(`user${number}@example.com`, "10.00")
        )
        const calls = yield* load([living.origin], users.map(({ key }) => key), { clients: 12 })
        const { answered } = calls
        yield* until("the load is on", () => answered() >= 200)
        killed.signal("SIGKILL")
        yield* until("the other owns all accounts", ownsAll(living))
        const before = answered()
        yield* until("calls go on", () => answered() >= before + 100)
        yield* endedWell(world, calls, users.map(({ email }) => email))
      }).pipe(Effect.scoped))
  })
})
