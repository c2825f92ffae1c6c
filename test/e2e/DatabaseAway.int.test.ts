/**
 * The database's connections lost under open streams, before, in and behind their settlements: what was answered is paid
 * once, what was promised holds, new calls are refused while it is away, and all of it recovers by itself.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type JournalProxy, makeProxy } from "../support/JournalProxy.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { microPriced, openChat, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, type OpenAnswer, send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 1_000_000n
const STREAMS = 10
const FIRST_TOKENS = 100
const COST = 310n
const messages = [{ role: "user", content: "Hi" }]

/** Streams that have begun; they end, each for 310 micros, when the gate is opened. */
const busy = Effect.fnUntraced(function*(billing: object, words: number = 1) {
  const directUrl = yield* makeDatabase()
  const proxy = yield* makeProxy(directUrl)
  const gateway = yield* TestGateway.make(
    (origin) => microPriced(origin, { default_max_output_tokens: FIRST_TOKENS, ...billing }),
    { url: proxy.url }
  )
  const user = yield* gateway.user(START)
  const gate = new Gate()
  gateway.upstream.on("up", async (call) => {
    if (call.body["stream"] !== true) return call.json(completion("word", chatUsage(10, 5)))
    call.frame(chunk("word "))
    await gate.opened
    call.chatStream(Array.from({ length: words }, () => "word "), chatUsage(10, 300))
  })
  const streams = Array.from({ length: STREAMS }, () => openChat(gateway.origin, user, { stream: true }))
  yield* until("the streams have begun", () => streams.every((stream) => stream.frames.length === 1))
  const call = send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: { model: "m", messages } })
  const ended = until("the streams have ended", () => streams.every((stream) => stream.ended))
  /** Calls are answered again. */
  const back = until("calls are answered again", Effect.map(call, ({ status }) => status === 200))
  const paid = Effect.suspend(() => paidOnce(gateway, directUrl, user, streams))
  /** The database is there again: the streams end, and are paid. */
  const recovered = Effect.suspend(() => {
    proxy.mend()
    return Effect.andThen(back, Effect.sync(() => gate.open()))
  }).pipe(Effect.andThen(ended), Effect.andThen(paid))
  return { back, call, directUrl, ended, gate, gateway, paid, proxy, recovered, streams, user }
})

/** What the database says when it is asked without the proxy, once nothing is open. */
const rowsOf = Effect.fnUntraced(function*(url: string, user: TestUser) {
  const select =
    `SELECT id, state, late, charged_micros + late_charged_micros AS charged_micros, reason FROM calls WHERE user_id = ${user.id} ORDER BY id`
  yield* until(
    "no reservation is open",
    Effect.map(queryAt(url, select), (rows) => rows.every((row) => row["state"] !== "reserved"))
  )
  return yield* queryAt(url, select)
})

const paidOnce = Effect.fnUntraced(
  function*(gateway: TestGateway["Service"], url: string, user: TestUser, streams: ReadonlyArray<OpenAnswer>) {
    assert.isTrue(streams.every((stream) => stream.text.trimEnd().endsWith("data: [DONE]")))
    const rows = yield* rowsOf(url, user)
    for (const stream of streams) {
      const row = rows.find(({ id }) => id === stream.requestId)
      assert.deepStrictEqual([row?.["state"], row?.["late"], row?.["charged_micros"]], ["committed", false, COST])
    }
    yield* gateway.clean
    const others = rows.length - streams.length
    const charged = rows.reduce((sum, row) => sum + BigInt(String(row["charged_micros"])), 0n)
    assert.isAtMost(Number(charged - COST * BigInt(streams.length)), others * 15)
    assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
  }
)

describe("the database away", () => {
  it.live("in mid-stream: new calls are refused, open ones go on and are paid when it is back", () =>
    Effect.gen(function*() {
      const { call, gateway, proxy, recovered } = yield* busy({})
      assert.strictEqual((yield* call).status, 200)
      const calls = gateway.upstream.calls.length
      proxy.cut()
      for (let tries = 0; tries < 3; tries++) {
        const refused = yield* call
        assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [503, "service_unavailable"])
        assert.isAtLeast(Number(refused.headers["retry-after"]), 1)
      }
      assert.strictEqual(gateway.upstream.calls.length, calls, "it fails closed")
      yield* recovered
    }))

  it.live("while the streams end: their answers are not kept from them, and are paid when it is back", () =>
    Effect.gen(function*() {
      const { back, directUrl, ended, gate, paid, proxy } = yield* busy({})
      proxy.cut()
      gate.open()
      yield* ended
      assert.isAtLeast(
        Number((yield* queryAt(directUrl, "SELECT 1 FROM open_holds")).length),
        1
      )
      proxy.mend()
      yield* back
      yield* paid
    }))

  const strikes: ReadonlyArray<readonly [what: string, strike: (proxy: JournalProxy) => Promise<void>]> = [
    ["lost on its way", (proxy) => proxy.loseRequest()],
    ["committed, but its answer lost", (proxy) => proxy.loseAnswer()],
    ["held in the network until all connections are reset", (proxy) => proxy.hold()]
  ]
  for (const [what, strike] of strikes) {
    it.live(`a batch of settlements ${what}: each is paid once`, () =>
      Effect.gen(function*() {
        const { back, ended, gate, paid, proxy } = yield* busy({ commit_wait_ms: 20_000 })
        const struck = strike(proxy)
        gate.open()
        yield* Effect.promise(() => struck)
        proxy.cut()
        proxy.release()
        proxy.mend()
        yield* ended
        yield* back
        yield* paid
      }))
  }

  it.live("for longer than a lease: it is renewed before anything is swept, and the stream is paid in time", () =>
    Effect.gen(function*() {
      const { directUrl, proxy, recovered } = yield* busy({
        reservation_lease_seconds: 1
      })
      proxy.cut()
      yield* until(
        "every lease is over",
        Effect.map(
          queryAt(directUrl, "SELECT bool_and(lease_expires_at < now()) AS over FROM open_holds"),
          ([row]) => row?.["over"] === true
        )
      )
      yield* recovered
    }))

  it.live("when streams outgrow their holds: they end with an error, and what was delivered is paid", () =>
    Effect.gen(function*() {
      const { directUrl, ended, gate, gateway, proxy, streams, user } = yield* busy({ extend_wait_ms: 300 }, 1_000)
      proxy.cut()
      gate.open()
      yield* ended
      proxy.mend()
      const rows = yield* rowsOf(directUrl, user)
      for (const stream of streams) {
        const last = stream.text.trimEnd().split("\n\n").at(-1) ?? ""
        assert.strictEqual(errorOf(last.slice("data: ".length)).code, "service_unavailable")
        const delivered = stream.text.split("word ").length - 1
        assert.isAtMost(delivered, FIRST_TOKENS)
        const row = rows.find(({ id }) => id === stream.requestId)
        assert.deepStrictEqual([row?.["state"], row?.["reason"]], ["committed", "service_unavailable"])
        assert.isAtLeast(Number(row?.["charged_micros"]), delivered)
        assert.isAtMost(Number(row?.["charged_micros"]), FIRST_TOKENS + 36)
      }
      yield* gateway.clean
    }))
})
