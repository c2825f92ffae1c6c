/**
 * Clients that want too much at once, or begin and do not finish: each is answered where it can be and cut off in
 * bounded time, holds nothing meanwhile, and does not keep others from being served.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import { RawConnection } from "../support/RawConnection.ts"
import { gatewayTests, microPriced, openChat, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 1_000_000n
const CLIENTS = 20
const path = "/v1/chat/completions"
const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] })

const Gateway = TestGateway.layerOf((origin) => microPriced(origin), {
  client: {
    headersTimeoutMs: 300,
    bodySlowAfterMs: 300,
    discardMs: 300,
    keepAliveTimeoutMs: 300,
    checkMs: 50,
    callsPerKeyMax: CLIENTS + 1
  }
})

const head = (key: string, framing: string) =>
  `POST ${path} HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`

/** A body that lacks its last byte. */
const unfinished = body.slice(0, -1)

const stalls: ReadonlyArray<readonly [what: string, begin: (client: RawConnection, key: string) => void]> = [
  [
    "the last byte of a body of known length",
    (client, key) => client.write(head(key, `content-length: ${body.length}`) + unfinished)
  ],
  ["all of its body", (client, key) => client.write(head(key, `content-length: ${body.length}`))],
  [
    "the last chunk",
    (client, key) =>
      client.write(`${head(key, "transfer-encoding: chunked")}${body.length.toString(16)}\r\n${body}\r\n`)
  ],
  [
    "an end, sending byte after byte",
    (client, key) => {
      client.write(head(key, "transfer-encoding: chunked"))
      void (async () => {
        while (!client.closed) {
          client.write("1\r\n \r\n")
          await setImmediate()
        }
      })()
    }
  ]
]

gatewayTests(Gateway)("a key", (test) => {
  test(
    "has so many calls open at once; more are refused until one has ended, those of other keys are not",
    function*(gateway) {
      const [user, other] = [yield* gateway.user(START), yield* gateway.user(START)]
      const gate = new Gate()
      const before = gateway.upstream.calls.length
      gateway.upstream.on("up", async (call) => {
        if (call.body["stream"] === true) await gate.opened
        call.chatStream(["word "], chatUsage(10, 5))
      })
      const open = Array.from({ length: CLIENTS + 1 }, () => openChat(gateway.origin, user, { stream: true }))
      yield* until("all are open", () => gateway.upstream.calls.length === before + open.length)
      const refused = yield* send(`${gateway.origin}${path}`, { key: user.key, body })
      assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [429, "rate_limit_exceeded"])
      assert.strictEqual(refused.headers["retry-after"], "1")
      gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
      assert.strictEqual((yield* send(`${gateway.origin}${path}`, { key: other.key, body })).status, 200)
      gate.open()
      yield* until("all have ended", () => open.every((answer) => answer.ended))
      assert.strictEqual((yield* send(`${gateway.origin}${path}`, { key: user.key, body })).status, 200)
      assert.strictEqual((yield* gateway.callsOf(user)).length, open.length + 1)
    }
  )
})

layer(Gateway, { excludeTestServices: true })("a client that withholds", (it) => {
  it.effect.each(stalls)("%s: is refused and cut off, having held nothing", ([, begin]) =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      const before = gateway.upstream.calls.length
      gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
      const clients = yield* Effect.acquireRelease(
        Effect.sync(() => Array.from({ length: CLIENTS }, () => new RawConnection(gateway.origin))),
        (all) => Effect.sync(() => all.forEach((client) => client.end()))
      )
      for (const client of clients) begin(client, user.key)
      assert.strictEqual((yield* send(`${gateway.origin}${path}`, { key: user.key, body })).status, 200)
      yield* until("all are cut off", () => clients.every((client) => client.closed))
      for (const client of clients) {
        assert.strictEqual(client.status, 408, client.text)
        assert.strictEqual(errorOf(client.body).code, "request_timeout")
        assert.include(errorOf(client.body).message, "too slowly")
        assert.match(client.header("x-request-id"), /^[0-9a-f-]{36}$/)
        assert.strictEqual(client.header("connection"), "close")
      }
      assert.strictEqual(gateway.upstream.calls.length, before + 1)
      assert.strictEqual((yield* gateway.callsOf(user)).length, 1)
      assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
      yield* gateway.clean
    }))

  const silences: ReadonlyArray<readonly [what: string, text: string, status: number]> = [
    ["the end of its headers", `POST ${path} HTTP/1.1\r\nhost: realms\r\nauthorization: Bea`, 408],
    ["its next request", "GET /healthz HTTP/1.1\r\nhost: realms\r\n\r\n", 200]
  ]
  it.effect.each(silences)("%s: is cut off", ([, text, status]) =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new RawConnection(gateway.origin)),
        (one) => Effect.sync(() => one.end())
      )
      client.write(text)
      yield* until("it is cut off", () => client.closed)
      assert.strictEqual(client.status, status, client.text)
    }))
})

/** A user, their request, connections to send it on, and an upstream that answers once the gate is open. */
const behindGate = Effect.gen(function*() {
  const gateway = yield* TestGateway
  const user = yield* gateway.user(START)
  const gate = new Gate()
  gateway.upstream.on("up", async (call) => {
    await gate.opened
    call.json(completion("hello", chatUsage(10, 5)))
  })
  return {
    user,
    gate,
    before: gateway.upstream.calls.length,
    request: head(user.key, `content-length: ${body.length}`) + body,
    open: Effect.acquireRelease(
      Effect.sync(() => new RawConnection(gateway.origin)),
      (client) => Effect.sync(() => client.end())
    )
  }
})

gatewayTests(Gateway)("a client that pipelines", (test) => {
  test("is served one request after the other, and leaves nothing behind when it goes", function*(gateway) {
    const { before, gate, open, request, user } = yield* behindGate
    const [stays, leaves] = [yield* open, yield* open]
    stays.write(request.repeat(2))
    leaves.write(request.repeat(2))
    yield* until("the first of each is sent", () => gateway.upstream.calls.length === before + 2)
    leaves.end()
    gate.open()
    yield* until("both are answered", () => stays.text.split("hello").length === 3)
    yield* until("every call has ended", Effect.map(gateway.callsOf(user), (calls) => calls.length === 3))
    assert.strictEqual(gateway.upstream.calls.length, before + 3)
  })

  test("is cut off when it sends ahead by the hundred", function*(gateway) {
    const { before, gate, open, request, user } = yield* behindGate
    const models = `GET /v1/models HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${user.key}\r\n\r\n`
    const [few, many] = [yield* open, yield* open]
    few.write(request + models.repeat(20))
    many.write(request + models.repeat(2_000))
    yield* until("it is cut off", () => many.closed)
    assert.strictEqual(many.text, "")
    gate.open()
    yield* until("the other one is answered", () => few.text.split("HTTP/1.1 200").length === 22)
    yield* until("every call has ended", Effect.map(gateway.callsOf(user), (calls) => calls.length >= 1))
    assert.isAtMost(gateway.upstream.calls.length, before + 2)
  })
})
