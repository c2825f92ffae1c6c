/**
 * Questions to a gateway that answers well, badly, or not at all, over real HTTP; whatever happens, the key is in no error.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { epaySigned } from "../../simulators/epay/EpaySignature.ts"
import { acquireEpay, type EpayOptions, type EpaySimulator } from "../../simulators/epay/EpaySimulator.ts"
import { AppConfig, type EpayConfig, testConfig } from "../../src/config/Config.ts"
import { HostLookup } from "../../src/config/OutboundUrl.ts"
import { EpayClient, EpayLimits } from "../../src/payments/EpayClient.ts"
import { readNotify } from "../../src/payments/EpayNotify.ts"
import { epayForm } from "../../src/payments/EpayStart.ts"
import { rebound } from "../support/Rebound.ts"
import { withoutEvidence } from "../support/WithoutEvidence.ts"
import { epayConfig, KEY, PID, shown } from "./EpayWorld.ts"

const TRADE = "20160806151343349021"
const reference = "topup_1001_abc"

const client = EpayClient.layer.pipe(Layer.provide(AppConfig.layerOf(testConfig())))

const limited = (limits: Partial<EpayLimits>) =>
  client.pipe(Layer.provide(Layer.succeed(EpayLimits, { timeoutMs: 10_000, answerBytesMax: 65_536, ...limits })))

/** A gateway with one order, and how it is reached. */
const gatewayWithOrder = (options: EpayOptions = {}) =>
  Effect.gen(function*() {
    const sim = yield* acquireEpay({ pid: PID, key: KEY, notifies: "manual", ...options })
    const config = epayConfig({ gateway: sim.url })
    const { action, fields } = yield* epayForm(config, {
      reference,
      method: "alipay",
      amountFen: 2000n,
      name: "Realms Top-up",
      notifyUrl: "http://127.0.0.1:9/notify",
      returnUrl: "http://127.0.0.1:9/pay/topup/1001"
    })
    const body = new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value]))
    const answer = yield* Effect.promise(() => fetch(action, { method: "POST", body, redirect: "manual" }))
    assert.strictEqual(answer.status, 303)
    return { sim, config }
  })

const ask = (config: EpayConfig, asked = reference) =>
  Effect.flatMap(EpayClient, (epay) => epay.query(config, { reference: asked }))

/** What is said of a question that got no usable answer, seen to tell no secret. */
const problem = (config: EpayConfig) =>
  Effect.map(Effect.flip(ask(config)), (error) => {
    assert.strictEqual(error._tag, "ProviderUnavailable")
    assert.notInclude(shown(error), Redacted.value(config.key).slice(0, 8) || "no key is set")
    assert.notInclude(shown(error), "api.php")
    return error.why
  })

/** A server that answers every request as told; how many it got. */
const acquireServer = (answer: (response: ServerResponse, request: IncomingMessage) => void) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const requests: Array<string> = []
      const server = createServer((request, response) => {
        requests.push(request.url ?? "")
        answer(response, request)
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const address = server.address()
      return { server, requests, port: typeof address === "object" && address !== null ? address.port : 0 }
    }),
    ({ server }) =>
      Effect.promise(async () => {
        const closed = once(server, "close")
        server.close()
        server.closeAllConnections()
        await closed
      })
  )

const answering = (body: unknown) =>
  Effect.map(
    acquireServer((response) => response.end(typeof body === "string" ? body : JSON.stringify(body))),
    ({ port }) => epayConfig({ gateway: `http://127.0.0.1:${port}/` })
  )

const good = { code: 1, pid: 1001, out_trade_no: reference, trade_no: TRADE, type: "wxpay", money: "20.00", status: 1 }

describe("EpayClient.query", () => {
  it.live("knows nothing of an order before it is paid, or of one that never was", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      assert.isUndefined(yield* ask(config))
      assert.isUndefined(yield* ask(config, "topup_9"))
      assert.deepStrictEqual(sim.requests, [
        { method: "GET", act: "order", outTradeNo: reference },
        { method: "GET", act: "order", outTradeNo: "topup_9" }
      ])
    }).pipe(Effect.provide(client)))

  for (const options of [{ moneyStyle: "20" }, { moneyStyle: "20.0" }, { numbersAsText: false }] as const) {
    it.live(`finds a payment, the same event as its notify (${JSON.stringify(options)})`, () =>
      Effect.gen(function*() {
        const { config, sim } = yield* gatewayWithOrder(options)
        sim.pay(reference, { trade_no: TRADE })
        const found = yield* ask(config)
        const fact = found && withoutEvidence(found)
        assert.deepStrictEqual(fact, {
          _tag: "Paid",
          provider: "epay",
          eventKey: `${new URL(sim.url).host}:1001:${TRADE}:TRADE_SUCCESS:${
            createHash("sha256").update(`${reference}\n2000`).digest("hex").slice(0, 16)
          }`,
          gateway: new URL(sim.url).host,
          account: PID,
          kind: "TRADE_SUCCESS",
          payment: TRADE,
          reference,
          atSeconds: 0,
          merchant: PID,
          method: "alipay",
          amountMinor: 2000n,
          currency: "cny"
        })
        const notify = epaySigned(
          Object.entries({
            pid: PID,
            trade_no: TRADE,
            out_trade_no: reference,
            type: "alipay",
            name: "Realms Top-up",
            money: "20",
            trade_status: "TRADE_SUCCESS"
          }),
          KEY
        )
        assert.deepStrictEqual(withoutEvidence(yield* readNotify(notify, config)), fact)
      }).pipe(Effect.provide(client)))
  }

  it.live("reads an answer with NUL as one without", () =>
    Effect.gen(function*() {
      const config = yield* answering({ ...good, trade_no: `${TRADE}\0`, type: "\0wxpay", "x\0": "\ud800" })
      assert.deepInclude(yield* ask(config), { _tag: "Paid", payment: TRADE, method: "wxpay" })
    }).pipe(Effect.provide(client)))

  it.live("is refused in words that can be stored, wherever they are cut", () =>
    Effect.gen(function*() {
      const config = yield* answering({ code: -1, msg: `\0${"x".repeat(199)}😀` })
      const epay = yield* EpayClient
      const error = yield* Effect.flip(epay.refund(config, { trade: TRADE, amountFen: 1n }))
      assert.strictEqual(error.why, `${"x".repeat(199)}\ufffd`)
    }).pipe(Effect.provide(client)))

  it.live("is asked about also while EPay is switched off", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.pay(reference)
      assert.strictEqual((yield* ask({ ...config, enabled: false, types: [] }))?._tag, "Paid")
    }).pipe(Effect.provide(client)))

  it.live("passes on what was paid, which may be another amount, or none", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.pay(reference, { trade_no: TRADE })
      sim.next({ money: "19.99" })
      const less = yield* ask(config)
      assert.strictEqual(less?._tag === "Paid" ? less.amountMinor : undefined, 1999n)
      for (const money of ["", "-20", "2e1", "20.001"]) {
        sim.next({ money })
        const fact = yield* ask(config)
        assert.strictEqual(fact?._tag === "Unreadable" ? fact.why : "", "the money is no amount")
        assert.notStrictEqual(fact?.eventKey, less?.eventKey)
      }
    }).pipe(Effect.provide(client)))

  it.live("is told no by a gateway that knows another merchant or key", () =>
    Effect.gen(function*() {
      const { config } = yield* gatewayWithOrder()
      assert.strictEqual(yield* problem({ ...config, partnerId: "1002" }), "the answer has code -3")
      assert.strictEqual(
        yield* problem({ ...config, key: Redacted.make("another key that is secret") }),
        "the answer has code -3"
      )
    }).pipe(Effect.provide(client)))

  it.live.each<[object, string]>([
    [{ pid: 1002 }, "the answer is for another merchant"],
    [{ pid: undefined }, "the answer is for another merchant"],
    [{ out_trade_no: "topup_2" }, "the answer is for another order"],
    [{ out_trade_no: undefined }, "the answer is for another order"],
    [{ trade_no: undefined }, "the answer names no trade"],
    [{ trade_no: "" }, "the answer names no trade"],
    // Written without quotes it is no whole number of JavaScript: another trade would be named.
    [{ trade_no: Number(TRADE) }, "the answer names no trade"],
    [{ code: undefined }, "the answer has no code"],
    [{ code: "success" }, "the answer has no code"],
    [{ code: KEY }, "the answer has no code"],
    [{ code: true }, "the answer has no code"],
    [{ code: 2 }, "the answer has code 2"]
  ])("believes no answer with %j", ([changed, why]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* problem(yield* answering({ ...good, ...changed })), why)
    }).pipe(Effect.provide(client)))

  it.live.each<[object, string]>([
    [{}, "Paid"],
    [{ code: "1", status: "1", pid: "1001", money: 20 }, "Paid"],
    [{ money: 20.5, trade_no: 42 }, "Paid"],
    [{ money: 20.001 }, "Unreadable"],
    [{ money: 1e21 }, "Unreadable"],
    [{ money: -20 }, "Unreadable"],
    [{ money: null }, "Unreadable"],
    [{ status: 0 }, "none"],
    [{ status: "2" }, "none"],
    [{ status: true }, "none"],
    [{ status: undefined }, "none"],
    [{ code: -1 }, "none"],
    [{ code: "0" }, "none"]
  ])("takes an answer with %j for: %s", ([changed, tag]) =>
    Effect.gen(function*() {
      const fact = yield* ask(yield* answering({ ...good, ...changed }))
      assert.strictEqual(fact?._tag ?? "none", tag)
    }).pipe(Effect.provide(client)))

  it.live.each(["", "null", "[]", "1", '"paid"', "{", `{"code":1`, "<html>"])(
    "makes nothing of %j",
    (text) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* problem(yield* answering(text)), "the answer is no JSON object")
      }).pipe(Effect.provide(client))
  )
})

describe("EpayClient and a gateway in trouble", () => {
  const troubles: ReadonlyArray<readonly [string, Parameters<EpaySimulator["next"]>[0], string]> = [
    ["a page", { html: true }, "the answer is no JSON object"],
    ["a status of 500", { status: 500 }, "the answer has status 500"],
    ["a page and a status", { html: true, status: 503 }, "the answer has status 503"],
    ["a redirect", { status: 302 }, "the answer has status 302"],
    ["a huge body", { hugeBytes: 65_537 }, "the answer is too large"],
    ["a dropped connection", { dropConnection: true }, "the connection failed (UND_ERR_SOCKET)"]
  ]
  it.live.each(troubles)("says what is wrong: %s", ([, fault, why]) =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.pay(reference)
      sim.next(fault)
      assert.strictEqual(yield* problem(config), why)
      assert.strictEqual((yield* ask(config))?._tag, "Paid", "it answers again")
    }).pipe(Effect.provide(client)))

  it.live("bounds an answer by its bytes", () =>
    Effect.gen(function*() {
      const body = JSON.stringify(good)
      const config = yield* answering(body)
      const asked = (answerBytesMax: number) =>
        Effect.provide(Effect.result(ask(config)), limited({ answerBytesMax }), { local: true })
      assert.strictEqual((yield* asked(body.length))._tag, "Success")
      assert.strictEqual((yield* asked(body.length - 1))._tag, "Failure")
    }))

  it.live("does not wait for a gateway that hangs, before its answer or within it", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.next({ gate: "never" })
      assert.strictEqual(yield* problem(config), "there was no answer in time")
      const started = yield* acquireServer((response) => {
        response.writeHead(200, { "content-length": 100 })
        response.write("{")
      })
      assert.strictEqual(
        yield* problem(epayConfig({ gateway: `http://127.0.0.1:${started.port}` })),
        "there was no answer in time"
      )
      assert.lengthOf(started.requests, 1)
    }).pipe(Effect.provide(limited({ timeoutMs: 100 }))))

  it.live("hangs up on a gateway when nobody waits for the answer any more", () =>
    Effect.gen(function*() {
      const gone = Promise.withResolvers<void>()
      const { port } = yield* acquireServer((_, request) => request.socket.once("close", () => gone.resolve()))
      yield* problem(epayConfig({ gateway: `http://127.0.0.1:${port}` }))
      yield* Effect.promise(() => gone.promise)
    }).pipe(Effect.provide(limited({ timeoutMs: 100 }))))

  it.live("follows no redirect, which would carry the key elsewhere", () =>
    Effect.gen(function*() {
      const other = yield* acquireServer((response) => response.end(JSON.stringify(good)))
      const { port } = yield* acquireServer((response, request) => {
        response.writeHead(302, { location: `http://127.0.0.1:${other.port}${request.url}` })
        response.end()
      })
      assert.strictEqual(
        yield* problem(epayConfig({ gateway: `http://127.0.0.1:${port}` })),
        "the answer has status 302"
      )
      assert.deepStrictEqual(other.requests, [])
    }).pipe(Effect.provide(client)))

  it.live("says so when nobody listens", () =>
    Effect.gen(function*() {
      const sim = yield* acquireEpay({})
      yield* Effect.promise(sim.close)
      assert.strictEqual(
        yield* problem(epayConfig({ gateway: sim.url })),
        "the connection failed (ECONNREFUSED)"
      )
    }).pipe(Effect.provide(client)))

  it.live.each<[string, Partial<EpayConfig>, string]>([
    ["http", { gateway: "http://pay.example.com" }, "not https"],
    ["http that looks like loopback", { gateway: "http://127.0.0.1.example.com" }, "not https"],
    ["http on a host named like loopback", { gateway: "http://localhost.example.com" }, "not https"],
    ["a metadata address", { gateway: "https://169.254.169.254" }, "does not connect"],
    ["no gateway", { gateway: "" }, "not set up"],
    ["a user in the address", { gateway: "https://a:b@pay.example.com" }, "not set up"],
    ["no pid", { partnerId: "" }, "not set up"],
    ["no key", { key: Redacted.make("") }, "not set up"]
  ])("asks nobody with %s", ([, changed, why]) =>
    Effect.gen(function*() {
      assert.include(yield* problem(epayConfig(changed)), why)
    }).pipe(Effect.provide(client)))

  it.live("connects to no address that is not called, whatever its name says", () =>
    Effect.gen(function*() {
      assert.include(yield* problem(epayConfig({ gateway: "https://pay.example.com" })), "ERR_OUTBOUND_REFUSED")
    }).pipe(Effect.provide(client), Effect.provideService(HostLookup, rebound)))
})

describe("EpayClient.refund", () => {
  const back = (config: EpayConfig, amountFen: bigint, trade = TRADE) =>
    Effect.flatMap(EpayClient, (epay) => epay.refund(config, { trade, amountFen }))

  it.live("gives money back, a part and the rest, and no more", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.pay(reference, { trade_no: TRADE })
      yield* back(config, 505n)
      assert.strictEqual(sim.orders.get(reference)?.refundedFen, 505)
      const tooMuch = yield* Effect.flip(back(config, 1_496n))
      assert.strictEqual(tooMuch._tag, "ProviderRefused")
      yield* back(config, 1_495n)
      assert.strictEqual(sim.orders.get(reference)?.refundedFen, 2_000)
      assert.isTrue(sim.requests.every(({ act, method }) => act === "refund" && method === "POST"))
      const unknown = yield* Effect.flip(back(config, 1n, "another"))
      assert.strictEqual(unknown._tag === "ProviderRefused" ? unknown.why : "", "订单号不存在")
    }).pipe(Effect.provide(client)))

  it.live("has the key in no address and, though the gateway repeats it, in no error", () =>
    Effect.gen(function*() {
      const server = yield* acquireServer((response) =>
        response.end(JSON.stringify({ code: -1, msg: `${"x".repeat(180)} wrong key ${KEY}, ${KEY}` }))
      )
      const config = epayConfig({ gateway: `http://127.0.0.1:${server.port}` })
      const error = yield* Effect.flip(back(config, 1n))
      assert.strictEqual(error._tag, "ProviderRefused")
      assert.notInclude(shown(error), KEY.slice(0, 6))
      assert.isAtMost(error.why.length, 200)
      assert.deepStrictEqual(server.requests, ["/api.php?act=refund"])
    }).pipe(Effect.provide(client)))

  it.live("does not know what became of it when the answer has a code that is neither 1 nor below 0", () =>
    Effect.gen(function*() {
      let body: unknown
      const server = yield* acquireServer((response) => response.end(JSON.stringify(body)))
      const config = epayConfig({ gateway: `http://127.0.0.1:${server.port}` })
      for (
        const [answer, expected] of [
          [{ code: 0, msg: "退款成功" }, "ProviderUnavailable"],
          [{ code: "200", msg: "ok" }, "ProviderUnavailable"],
          [{ code: true }, "ProviderUnavailable"],
          [[{ code: 1 }], "ProviderUnavailable"],
          [{ code: -1, msg: "余额不足" }, "ProviderRefused"],
          [{ code: "-3" }, "ProviderRefused"]
        ] as const
      ) {
        body = answer
        assert.strictEqual((yield* Effect.flip(back(config, 1n)))._tag, expected, JSON.stringify(answer))
      }
      body = { code: "1" }
      yield* back(config, 1n)
    }).pipe(Effect.provide(client)))

  it.live("does not know what became of it when the answer is lost", () =>
    Effect.gen(function*() {
      const { config, sim } = yield* gatewayWithOrder()
      sim.pay(reference, { trade_no: TRADE })
      sim.next({ dropConnection: true, takesEffect: true })
      const error = yield* Effect.flip(back(config, 2_000n))
      assert.strictEqual(error._tag, "ProviderUnavailable")
      assert.strictEqual(sim.orders.get(reference)?.refundedFen, 2_000)
      assert.lengthOf(sim.requests, 1, "it is not asked twice")
    }).pipe(Effect.provide(client)))
})
