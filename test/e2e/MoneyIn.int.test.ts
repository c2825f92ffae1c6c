/**
 * Money in as an installation's owner sees it: a server process, the command line beside it, and two providers that call over
 * HTTP. Ordered, paid, told, credited and spent; killed in between; asked about when nobody tells.
 */
import { basicPlan } from "../../src/cli/DemoConfig.ts"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readdir, readFile, readlink } from "node:fs/promises"
import { acquireEpay } from "../../simulators/epay/EpaySimulator.ts"
import { acquireStripe } from "../../simulators/stripe/StripeSimulator.ts"
import { freePort } from "../support/FreePort.ts"
import { paymentAt } from "../support/PaymentWorld.ts"
import { balanceOf, chatBody, chatPath, document, receiptOf } from "../support/ProcessCalls.ts"
import { makeInstallation, type RealmsProcess } from "../support/SpawnRealms.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, completion, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const TEST_TIMEOUT_MS = 300_000
const email = "ada@example.com"

const installed = Effect.fnUntraced(function*(more: object) {
  const upstream = yield* TestUpstream.acquire
  upstream.on("quick", (call) => call.json(completion("word", chatUsage(10, 5))))
  const stripe = yield* acquireStripe()
  const epay = yield* acquireEpay()
  // Callback addresses have the port in them, so that it has to be known before the server runs.
  const port = yield* freePort
  stripe.setWebhookUrl(`http://127.0.0.1:${port}/api/pay/stripe/webhook`)
  const realms = yield* makeInstallation({
    ...document(upstream, 30),
    server: { port },
    plans: [basicPlan],
    ...more,
    payment: paymentAt(stripe, epay)
  })
  return { realms, stripe, epay }
})

type Installed = Effect.Success<ReturnType<typeof installed>>

const Created = Schema.fromJsonString(Schema.Struct({ id: Schema.String }))

const Key = Schema.fromJsonString(Schema.Struct({ key: Schema.String }))

const Shown = Schema.fromJsonString(Schema.Struct({
  state: Schema.String,
  attempts: Schema.Array(Schema.Struct({ state: Schema.String, reference: Schema.String }))
}))

const Form = Schema.fromJsonString(Schema.Struct({
  action: Schema.String,
  fields: Schema.Record(Schema.String, Schema.String)
}))

const order = ({ realms }: Installed, ...what: ReadonlyArray<string>) =>
  realms.cli("order", "create", "--user", email, ...what, "--json").pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Created)),
    Effect.map(({ id }) => id)
  )

const show = ({ realms }: Installed, id: string) =>
  Effect.flatMap(realms.cli("order", "show", id, "--json"), Schema.decodeUnknownEffect(Shown))

/** What the payer does at Stripe: opens the page that `order start` printed and presses Pay. */
const payByStripe = Effect.fnUntraced(function*({ realms }: Installed, id: string) {
  const page = yield* realms.cli("order", "start", id, "--provider", "stripe")
  const paid = yield* send(page, {
    method: "POST",
    body: "action=pay&method=card",
    headers: { "content-type": "application/x-www-form-urlencoded" }
  })
  assert.strictEqual(paid.status, 303)
})

/** What the payer's browser does at EPay: posts the form; answers the reference. */
const postToEpay = Effect.fnUntraced(function*({ realms }: Installed, id: string) {
  const text = yield* realms.cli("order", "start", id, "--provider", "epay", "--method", "alipay")
  const { action, fields } = yield* Schema.decodeUnknownEffect(Form)(text)
  const answer = yield* send(action, {
    method: "POST",
    body: String(new URLSearchParams(fields)),
    headers: { "content-type": "application/x-www-form-urlencoded" }
  })
  assert.strictEqual(answer.status, 303, answer.text)
  return fields["out_trade_no"] ?? ""
})

/** The ports that a process listens on, by Linux's own account. */
const listening = async (pid: number): Promise<ReadonlyArray<number>> => {
  const names = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")))
  const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8")))
  return tables.flatMap((table) =>
    table.split("\n").slice(1).flatMap((line) => {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/)
      return state === "0A" && sockets.has(inode) ? [Number.parseInt(local.split(":")[1] ?? "", 16)] : []
    })
  )
}

const portOf = (server: RealmsProcess): number => Number(new URL(server.origin).port)

/** A server that runs, with a user. */
const installedForUser = Effect.gen(function*() {
  const world = yield* installed({ database: { url: yield* makeDatabase() } })
  const server = yield* world.realms.start
  yield* world.realms.cli("user", "create", "--email", email)
  return { ...world, server }
})

describe("money in, from the command line", () => {
  it.live(
    "a top-up by EPay and a plan by Stripe; a call is paid by the plan, the next by what is left",
    () =>
      Effect.gen(function*() {
        const world = yield* installedForUser
        const { realms, server } = world
        const { key } = yield* Schema.decodeUnknownEffect(Key)(
          yield* realms.cli("key", "create", "--user", email, "--json")
        )
        const topup = yield* order(world, "--topup-cny", "10.00")
        world.epay.pay(yield* postToEpay(world, topup))
        yield* Effect.promise(() => world.epay.idle())
        assert.strictEqual((yield* show(world, topup)).state, "paid")
        assert.strictEqual((yield* balanceOf(realms, email)).usd_micros, "1400000")
        const call = Effect.gen(function*() {
          const answer = yield* send(`${server.origin}${chatPath}`, { key, body: chatBody("quick", false) })
          assert.strictEqual(answer.status, 200, answer.text)
          return yield* receiptOf(server.origin, key, String(answer.headers["x-request-id"]))
        })
        assert.strictEqual((yield* call).charged_micros, "15")
        assert.strictEqual((yield* balanceOf(realms, email)).usd_micros, "1399985")
        const plan = yield* order(world, "--plan", "basic")
        yield* payByStripe(world, plan)
        assert.strictEqual((yield* show(world, plan)).state, "active")
        assert.strictEqual((yield* call).charged_micros, "15")
        assert.strictEqual((yield* balanceOf(realms, email)).usd_micros, "1399985", "the plan paid")
        assert.match(yield* realms.cli("audit"), /^clean/)
      }).pipe(Effect.scoped),
    TEST_TIMEOUT_MS
  )

  it.live(
    "paid while the server is dead: the next start settles what the provider tells again, reconcile the rest",
    () =>
      Effect.gen(function*() {
        const world = yield* installedForUser
        const { realms, server: first } = world
        const byStripe = yield* order(world, "--topup-cny", "10.00")
        const byEpay = yield* order(world, "--topup-cny", "20.00")
        const reference = yield* postToEpay(world, byEpay)
        const page = yield* realms.cli("order", "start", byStripe, "--provider", "stripe")
        first.signal("SIGKILL")
        yield* first.exit
        const session = world.stripe.sessionIds()[0] ?? assert.fail(`no session at ${page}`)
        world.stripe.pay(session)
        world.epay.pay(reference)
        // Both give up telling.
        yield* Effect.promise(() => Promise.all([world.stripe.idle(), world.epay.idle()]))
        assert.strictEqual((yield* show(world, byStripe)).state, "pending")
        yield* realms.start
        const paid = world.stripe.events.find((event) => event.type === "checkout.session.completed")
        if (paid === undefined) return assert.fail("no event")
        yield* Effect.promise(() => world.stripe.deliver(paid))
        assert.strictEqual((yield* show(world, byStripe)).state, "paid")
        assert.match(yield* realms.cli("reconcile"), /1 payments settled/)
        assert.strictEqual((yield* show(world, byEpay)).state, "paid")
        assert.strictEqual((yield* balanceOf(realms, email)).usd_micros, "4200000")
        assert.match(yield* realms.cli("audit"), /^clean/)
      }).pipe(Effect.scoped),
    TEST_TIMEOUT_MS
  )

  it.live("a normal start opens its one port and no simulator's", () =>
    Effect.gen(function*() {
      const { realms } = yield* installed({})
      const server = yield* realms.start
      yield* until("it answers", Effect.map(send(`${server.origin}/healthz`, {}), (answer) => answer.status === 200))
      const ports = yield* Effect.promise(() => listening(server.child.pid ?? 0))
      assert.deepStrictEqual(ports, [portOf(server)])
    }).pipe(Effect.scoped), TEST_TIMEOUT_MS)
})
