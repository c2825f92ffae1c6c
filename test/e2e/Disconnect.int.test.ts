/**
 * Clients that leave before the end: they pay for what was produced and the upstream is left too, or, where
 * that is wanted, read to its end for the exact usage.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { decode, encode } from "gpt-tokenizer/encoding/o200k_base"
import { setImmediate } from "node:timers/promises"
import { seeded } from "../support/Seeded.ts"
import { send } from "../support/TestHttp.ts"
import { gatewayTests, inGateway, microPriced, openChat, TestGateway } from "../support/TestGateway.ts"
import { chatUsage, chunk, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const STREAMS = 300
const FRAMES_MAX = 400

const words = " the a of and to in that is was for on with as it by from at which one all would there their".split(
  /(?= )/
)
  .concat([
    " Paris",
    " function",
    " international",
    "，",
    "的",
    "是",
    " мир",
    " être",
    "42",
    "\n\n",
    ".",
    ",",
    ' "',
    "();"
  ])

/** Chance that is the same in every run. */
const random = seeded(0x5eed)
/** Random words as a model streams them: a token each. */
const textOf = (tokens: number): ReadonlyArray<string> => {
  const text = Array.from({ length: tokens }, () => words[random(words.length)]).join("")
  return encode(text).slice(0, tokens).map((token) => decode([token]))
}
/** What each stream has said when its client cuts it. */
const streams = Array.from({ length: STREAMS }, () => textOf(1 + random(FRAMES_MAX)))

const Cancelling = TestGateway.layerOf((origin) => microPriced(origin, { default_max_output_tokens: 1_000 }))

layer(Cancelling, { excludeTestServices: true })("a client that leaves", (it) => {
  const test = inGateway(it)

  test(
    "300 streams cut at random frames: each upstream is left, each is charged for what it delivered",
    function*({ upstream, ...gateway }) {
      const user = yield* gateway.user(START)
      upstream.on("up", (call) => {
        for (const text of streams[Number(call.body["seed"])] ?? []) call.frame(chunk(text))
      })
      const ids = yield* Effect.forEach(streams, (texts, seed) =>
        Effect.gen(function*() {
          const answer = openChat(gateway.origin, user, { stream: true, seed })
          yield* until("the client has its frames", () => answer.frames.length === texts.length)
          answer.cut()
          return answer.requestId
        }), { concurrency: "unbounded" })
      yield* until("every upstream is left", () => upstream.calls.every((call) => call.aborted))
      assert.strictEqual(upstream.calls.length, STREAMS)
      yield* gateway.settled
      let charged = 0n
      for (const [index, { length }] of streams.entries()) {
        const row = yield* gateway.rowOf(ids[index] ?? "")
        assert.deepStrictEqual([row.state, row.reason, row.usage_source], ["committed", "client_gone", "estimated"])
        assert.approximately(Number(row.output_tokens), length, length / 10, streams[index]?.join("|"))
        assert.strictEqual(row.charged_micros, (row.input_tokens ?? 0n) + (row.output_tokens ?? 0n))
        assert.isAbove(Number(row.input_tokens), 0)
        charged += row.charged_micros ?? 0n
      }
      assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
    }
  )

  test(
    "streams cut while the upstream is sending: charged between what was received and what was sent",
    function*({ upstream, ...gateway }) {
      const user = yield* gateway.user(START)
      upstream.on("up", async (call) => {
        while (!call.isClosed) {
          call.frame(chunk("word "))
          await setImmediate()
        }
      })
      const before = upstream.calls.length
      const cut = yield* Effect.forEach(streams.slice(0, 20), ({ length: frames }, seed) =>
        Effect.gen(function*() {
          const answer = openChat(gateway.origin, user, { stream: true, seed })
          yield* until("the client has its frames", () => answer.frames.length >= frames)
          answer.cut()
          return { seed, received: answer.frames.length, id: answer.requestId }
        }), { concurrency: "unbounded" })
      const calls = upstream.calls.slice(before)
      yield* until("every upstream is left", () => calls.every((call) => call.aborted))
      yield* gateway.settled
      for (const { id, received, seed } of cut) {
        const sent = calls.find((call) => call.body["seed"] === seed)?.frames ?? 0
        const tokens = Number((yield* gateway.rowOf(id)).output_tokens)
        assert.isAtLeast(tokens, received * 0.9)
        assert.isAtMost(tokens, sent * 1.1)
      }
    }
  )

  it.effect("before the first byte: the input is charged", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", (call) =>
        void call.response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders())
      const before = upstream.calls.length
      const answer = openChat(gateway.origin, user, { stream: true })
      yield* until("the upstream has the call", () =>
        upstream.calls.length > before)
      answer.cut()
      yield* until("the upstream is left", () => upstream.calls.at(-1)?.aborted === true)
      yield* gateway.clean
      const [row] = yield* gateway.callsOf(user)
      assert.deepStrictEqual([row?.state, row?.reason, row?.output_tokens], ["committed", "client_gone", 0n])
      assert.isAbove(Number(row?.charged_micros), 0)
    }))
})

const Draining = TestGateway.layerOf((origin) => microPriced(origin, { on_disconnect: "drain" }))

gatewayTests(Draining)("on_disconnect: drain", (test) => {
  test("reads on and charges the exact usage", function*({ upstream, ...gateway }) {
    const user = yield* gateway.user(START)
    const left = new Gate()
    upstream.on("up", async (call) => {
      for (let index = 0; index < 10; index++) call.frame(chunk("word "))
      await left.opened
      call.chatStream(Array.from({ length: 90 }, () => "word "), chatUsage(17, 123))
    })
    const answer = openChat(gateway.origin, user, { stream: true })
    yield* until("the client has its frames", () => answer.frames.length === 10)
    answer.cut()
    // The server answers this after it has seen the other connection close.
    yield* send(`${gateway.origin}/v1/models`, { key: user.key })
    left.open()
    yield* gateway.settled
    const row = yield* gateway.rowOf(answer.requestId)
    assert.deepStrictEqual([row.state, row.usage_source, row.output_tokens], ["committed", "upstream", 123n])
    assert.strictEqual(row.charged_micros, 140n)
    assert.strictEqual(yield* gateway.balanceOf(user), START - 140n)
  })
})
