/**
 * Streams that do not run to their end, or outlive their hold or their lease: whoever leaves pays for what was produced
 * and the upstream is left too, a hold grows with its stream until the funds end, and no lease ends a stream that lives.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import { errorOf, OpenAnswer, send } from "../support/TestHttp.ts"
import { TestGateway, type TestUser, until } from "../support/TestGateway.ts"
import { chatUsage, chunk, Gate } from "../support/TestUpstream.ts"

const START = 10_000_000n
const STREAMS = 100

/** One micro a token, in and out. */
const document = (origin: string, billing: object) => ({
  billing,
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { m: "up" } }],
  models: [{ id: "m", input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 100_000 }]
})

const messages = [{ role: "user", content: "Hi" }]

const openStream = (origin: string, user: TestUser, body: object = {}) => {
  const answer = new OpenAnswer(`${origin}/v1/chat/completions`, { key: user.key, method: "POST" })
  answer.end({ model: "m", stream: true, messages, ...body })
  return answer
}

/** Where the streams are cut: spread over 20 to 419, the same in every run. */
const cuts = Array.from({ length: STREAMS }, (_, index) => 20 + (index * 7_919) % 400)

const Cancelling = TestGateway.layerOf((origin) => document(origin, { default_max_output_tokens: 1_000 }))

layer(Cancelling, { excludeTestServices: true })("a client that leaves", (it) => {
  it.effect("100 streams cut at any frame: each upstream is left, each is charged for what it delivered", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", (call) => {
        const frames = Number(call.body["seed"])
        for (let index = 0; index < frames; index++) call.frame(chunk("word "))
      })
      const ids = yield* Effect.forEach(cuts, (frames) =>
        Effect.gen(function*() {
          const answer = openStream(gateway.origin, user, { seed: frames })
          yield* until("the client has its frames", () => answer.frames.length === frames)
          answer.cut()
          return answer.requestId
        }), { concurrency: "unbounded" })
      yield* until("every upstream is left", () => upstream.calls.every((call) => call.aborted))
      yield* gateway.settled
      let charged = 0n
      for (const [index, frames] of cuts.entries()) {
        const row = yield* gateway.rowOf(ids[index] ?? "")
        assert.deepStrictEqual([row.state, row.reason, row.usage_source], ["committed", "client_gone", "estimated"])
        assert.approximately(Number(row.output_tokens), frames, frames / 10)
        assert.isAbove(Number(row.input_tokens), 0)
        charged += row.charged_micros ?? 0n
      }
      assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
      yield* gateway.clean
    }))

  it.effect("streams cut while the upstream is sending: charged between what was received and what was sent", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", async (call) => {
        while (!call.isClosed) {
          call.frame(chunk("word "))
          await setImmediate()
        }
      })
      const before = upstream.calls.length
      const streams = yield* Effect.forEach(cuts.slice(0, 20), (frames) =>
        Effect.gen(function*() {
          const answer = openStream(gateway.origin, user, { seed: frames })
          yield* until("the client has its frames", () => answer.frames.length >= frames)
          answer.cut()
          return { seed: frames, received: answer.frames.length, id: answer.requestId }
        }), { concurrency: "unbounded" })
      const calls = upstream.calls.slice(before)
      yield* until("every upstream is left", () => calls.every((call) => call.aborted))
      yield* gateway.settled
      for (const { id, received, seed } of streams) {
        const sent = calls.find((call) => call.body["seed"] === seed)?.frames ?? 0
        const tokens = Number((yield* gateway.rowOf(id)).output_tokens)
        assert.isAtLeast(tokens, received * 0.9)
        assert.isAtMost(tokens, sent * 1.1)
      }
      yield* gateway.clean
    }))

  it.effect("before the first byte: the input is charged", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", (call) =>
        void call.response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders())
      const before = upstream.calls.length
      const answer = openStream(gateway.origin, user)
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

const Draining = TestGateway.layerOf((origin) => document(origin, { on_disconnect: "drain" }))

layer(Draining, { excludeTestServices: true })("on_disconnect: drain", (it) => {
  it.effect("reads on and charges the exact usage", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      const left = new Gate()
      upstream.on("up", async (call) => {
        for (let index = 0; index < 10; index++) call.frame(chunk("word "))
        await left.opened
        call.chatStream(Array.from({ length: 90 }, () => "word "), chatUsage(17, 123))
      })
      const answer = openStream(gateway.origin, user)
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
      yield* gateway.clean
    }))
})

const FIRST = 100
const Extending = TestGateway.layerOf((origin) => document(origin, { default_max_output_tokens: FIRST }))

layer(Extending, { excludeTestServices: true })("a stream that outgrows its hold", (it) => {
  it.effect("is extended as it goes, and charged exactly", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", (call) => call.chatStream(Array.from({ length: 1_000 }, () => "word "), chatUsage(10, 1_000)))
      const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", stream: true, messages }
      })
      assert.strictEqual(answer.text.split("word ").length - 1, 1_000)
      assert.include(answer.text, "[DONE]")
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.isAtLeast(Number(row.reserved_micros), 1_000)
      assert.strictEqual(row.charged_micros, 1_010n)
      assert.strictEqual(yield* gateway.balanceOf(user), START - 1_010n)
      yield* gateway.clean
    }))

  it.effect("ends with insufficient_quota when the funds do, and not one token later", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const funds = 400n
      const user = yield* gateway.user(funds)
      upstream.on("up", async (call) => {
        while (!call.isClosed) {
          call.frame(chunk("word "))
          await setImmediate()
        }
      })
      const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", stream: true, messages }
      })
      assert.strictEqual(answer.status, 200)
      const last = answer.text.trimEnd().split("\n\n").at(-1) ?? ""
      assert.strictEqual(errorOf(last.slice("data: ".length)).code, "insufficient_quota")
      const delivered = answer.text.split("word ").length - 1
      assert.isAbove(delivered, FIRST)
      yield* until("the upstream is left", () => upstream.calls.at(-1)?.aborted === true)
      yield* gateway.clean
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      const charged = row.charged_micros ?? 0n
      assert.deepStrictEqual([row.state, row.reason, row.cost_micros], ["committed", "insufficient_quota", charged])
      assert.isAtMost(delivered, Number(row.output_tokens))
      assert.isAtMost(Number(row.output_tokens), delivered * 1.1)
      assert.strictEqual(yield* gateway.balanceOf(user), funds - charged)
    }))

  it.effect("whose first frame is more than the funds hold is refused as 402, and what was made is charged", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const funds = 200n
      const user = yield* gateway.user(funds)
      upstream.on("up", (call) => call.chatStream(["word ".repeat(1_000)], chatUsage(10, 1_000)))
      const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", stream: true, messages }
      })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [402, "insufficient_quota"])
      yield* gateway.clean
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.deepStrictEqual([row.state, row.reason, row.cost_micros], [
        "committed",
        "insufficient_quota",
        row.charged_micros
      ])
      assert.isAtLeast(Number(row.charged_micros), FIRST)
      assert.strictEqual(yield* gateway.balanceOf(user), funds - (row.charged_micros ?? 0n))
    }))

  it.effect("a limit of the client's is held at once, and never extended", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      upstream.on("up", (call) => call.chatStream(Array.from({ length: 500 }, () => "word "), chatUsage(10, 500)))
      const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", stream: true, max_tokens: 500, messages }
      })
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.isAtLeast(Number(row.reserved_micros), 500)
      assert.isBelow(Number(row.reserved_micros), 600)
      assert.strictEqual(row.charged_micros, 510n)
      yield* gateway.clean
    }))
})

const LEASE_SECONDS = 1
const LEASES_PASSED = 3
const Leasing = TestGateway.layerOf((origin) => document(origin, { reservation_lease_seconds: LEASE_SECONDS }))

layer(Leasing, { excludeTestServices: true })("a lease of one second", (it) => {
  it.effect("is renewed as long as the stream lives, which is charged in full", () =>
    Effect.gen(function*() {
      const { upstream, ...gateway } = yield* TestGateway
      const user = yield* gateway.user(START)
      const renewed = new Gate()
      upstream.on("up", async (call) => {
        for (let index = 0; index < 10; index++) call.frame(chunk("word "))
        await renewed.opened
        call.chatStream(["word "], chatUsage(10, 11))
      })
      const answer = openStream(gateway.origin, user)
      yield* until(
        "the lease has been pushed well beyond its first end",
        Effect.map(gateway.callsOf(user), ([row]) =>
          row !== undefined &&
          row.lease_expires_at.getTime() - row.reserved_at.getTime() > (LEASES_PASSED + 1) * LEASE_SECONDS * 1_000)
      )
      renewed.open()
      yield* until("the stream has ended", () => answer.ended)
      assert.include(answer.text, "[DONE]")
      const row = yield* gateway.rowOf(answer.requestId)
      assert.deepStrictEqual([row.state, row.late, row.usage_source, row.charged_micros], [
        "committed",
        false,
        "upstream",
        21n
      ])
      assert.strictEqual(yield* gateway.balanceOf(user), START - 21n)
      yield* gateway.clean
    }))
})
