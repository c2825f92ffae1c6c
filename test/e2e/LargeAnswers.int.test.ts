/**
 * Answers that are larger than the gateway keeps: they were made, so they are charged - never above what was held -, and no other
 * channel is asked to make them once more. What answers take of the memory is given back when their clients have taken them.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "node:net"
import { chatUsage, completion, Gate, type UpstreamScript } from "../support/TestUpstream.ts"
import { openChat, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { until } from "../support/Until.ts"

const BOUND = 200_000
const START = 10_000_000n

const Gateway = TestGateway.layerOf((origin) => {
  const channel = { base_url: `${origin}/v1`, api_key: "x" }
  const terms = { input_usd_per_1m: "1", output_usd_per_1m: "1", input_overhead_tokens: 0, max_output_tokens: 10_000 }
  return {
    channels: [
      { ...channel, name: "first", priority: 2, models: { m: "first", e: "first" } },
      { ...channel, name: "second", priority: 1, models: { m: "second" } }
    ],
    models: [{ id: "m", ...terms }, { id: "e", ...terms }]
  }
}, {
  upstream: {
    answerBytesMax: { chat: BOUND, responses: BOUND, embeddings: 2 * BOUND },
    answerBudget: { processBytesMax: 5 * BOUND, userBytesMax: 3 * BOUND, freeBytes: 1_000 }
  }
})

const messages = [{ role: "user", content: "Hi" }]

/** Its JSON is a little longer than the content. */
const answerOf = (bytes: number): UpstreamScript => (call) => call.json(completion("a".repeat(bytes), chatUsage(10, 5)))

layer(Gateway, { excludeTestServices: true })("an answer larger than the gateway keeps", (it) => {
  it.effect("is charged at what was held, asked for once, and no client tries it again", () =>
    Effect.gen(function*() {
      const { balanceOf, clean, origin, rowOf, upstream, user: newUser } = yield* TestGateway
      const user = yield* newUser(START)
      upstream.on("second", answerOf(5))
      // More often than a breaker would bear.
      for (let round = 0; round < 6; round++) {
        upstream.on("first", answerOf(BOUND))
        const before = yield* balanceOf(user)
        const answer = yield* send(`${origin}/v1/chat/completions`, {
          key: user.key,
          body: { model: "m", messages, max_tokens: 50 }
        })
        assert.strictEqual(answer.status, 502, answer.text)
        assert.strictEqual(errorOf(answer.text).code, "answer_too_large")
        assert.strictEqual(answer.headers["x-should-retry"], "false")
        const row = yield* rowOf(String(answer.headers["x-request-id"]))
        assert.deepStrictEqual([row.state, row.reason, row.status], ["committed", "answer_too_large", 502])
        assert.strictEqual(row.usage_source, "estimated")
        assert.strictEqual(row.output_tokens, 50n)
        assert.strictEqual(before - (yield* balanceOf(user)), row.cost_micros)
        assert.isTrue((row.cost_micros ?? 0n) <= row.reserved_micros)
      }
      assert.strictEqual(upstream.callsOf("second").length, 0)
      upstream.on("first", answerOf(5))
      const next = yield* send(`${origin}/v1/chat/completions`, { key: user.key, body: { model: "m", messages } })
      assert.strictEqual((yield* rowOf(String(next.headers["x-request-id"]))).channel, "first")
      yield* clean
    }))

  it.effect("may be larger where it is embeddings", () =>
    Effect.gen(function*() {
      const { balanceOf, clean, origin, upstream, user: newUser } = yield* TestGateway
      const user = yield* newUser(START)
      upstream.on("first", (call) =>
        call.json({
          object: "list",
          model: "first",
          data: [{ object: "embedding", index: 0, embedding: "A".repeat(BOUND) }],
          usage: { prompt_tokens: 7, total_tokens: 7 }
        }))
      const answer = yield* send(`${origin}/v1/embeddings`, { key: user.key, body: { model: "e", input: "Hi" } })
      assert.strictEqual(answer.status, 200, answer.text.slice(0, 500))
      assert.strictEqual(yield* balanceOf(user), START - 7n)
      yield* clean
    }))

  it.effect("counts in the memory of its user and of the process until its client has taken it", () =>
    Effect.gen(function*() {
      const { balanceOf, clean, origin, upstream, user: newUser } = yield* TestGateway
      const users = yield* Effect.all([newUser(START), newUser(START), newUser(START)])
      let gate = new Gate()
      let waiting = 0
      const half = "a".repeat(0.9 * BOUND)
      upstream.on("first", async (call) => {
        const text = JSON.stringify(completion(half, chatUsage(10, 5)))
        call.response.writeHead(200, { "content-type": "application/json" })
        call.response.write(text.slice(0, -5))
        waiting++
        await gate.opened
        call.response.end(text.slice(-5))
      })
      const ask = (user: TestUser) => openChat(origin, user, { max_tokens: 50 })
      const [one, two, three] = users
      for (let round = 0; round < 2; round++) {
        waiting = 0
        const taken = [ask(one), ask(one), ask(one)]
        yield* until("three answers wait", () => waiting === 3)
        const fourth = ask(one)
        yield* until("the user's fourth is ended", () => fourth.ended)
        assert.deepStrictEqual([fourth.status, errorOf(fourth.text).code], [502, "answer_too_large"])
        taken.push(ask(two), ask(two))
        yield* until("the other user's answers wait", () => waiting === 6)
        const before = yield* balanceOf(three)
        const noRoom = ask(three)
        yield* until("the one without room is ended", () => noRoom.ended)
        assert.deepStrictEqual([noRoom.status, errorOf(noRoom.text).code], [503, "service_unavailable"])
        assert.strictEqual(yield* balanceOf(three), before, "it costs nothing")
        gate.open()
        for (const answer of taken) {
          yield* until("an answer is whole", () => answer.ended)
          assert.strictEqual(answer.status, 200)
        }
        // The second round finds the memory as the first one found it.
        gate = new Gate()
      }
      yield* clean
    }))
})

/** The system takes megabytes before Node sees anything of it. */
const LONG = 16_000_000

const Roomy = TestGateway.layerOf((origin) => ({
  channels: [{ name: "first", base_url: `${origin}/v1`, api_key: "x", models: { m: "first" } }],
  models: [{ id: "m", input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 10_000 }]
}), {
  upstream: {
    answerBytesMax: { chat: 2 * LONG, responses: LONG, embeddings: LONG },
    answerBudget: { processBytesMax: 3 * LONG, userBytesMax: 2.5 * LONG, freeBytes: 1_000 }
  }
})

layer(Roomy, { excludeTestServices: true })("answers that their clients do not take", (it) => {
  it.effect("keep no room from others: the oldest answer of the user who has the most is broken off", () =>
    Effect.gen(function*() {
      const { callsOf, clean, origin, upstream, user: newUser } = yield* TestGateway
      const [hog, other] = [yield* newUser(START), yield* newUser(START)]
      const settled = Effect.map(callsOf(hog), (rows) => rows.filter(({ state }) => state === "committed"))
      upstream.on("first", answerOf(LONG))
      const body = JSON.stringify({ model: "m", messages, max_tokens: 50 })
      const head = ["POST /v1/chat/completions HTTP/1.1", "host: x", `authorization: Bearer ${hog.key}`]
      const length = ["content-type: application/json", `content-length: ${body.length}`]
      const ask = Effect.gen(function*() {
        const { length: made } = yield* settled
        // It reads nothing.
        const socket = connect(Number(new URL(origin).port), "127.0.0.1")
        socket.on("error", () => undefined).write([...head, ...length, "", body].join("\r\n"))
        yield* Effect.addFinalizer(() => Effect.sync(() => void socket.destroy()))
        yield* until("the answer is charged", Effect.map(settled, (rows) => rows.length > made))
        return socket
      })
      const [first, second] = [yield* ask, yield* ask]
      const answer = yield* send(`${origin}/v1/chat/completions`, {
        key: other.key,
        body: { model: "m", messages, max_tokens: 50 }
      })
      assert.strictEqual(answer.status, 200, answer.text.slice(0, 200))
      first.resume()
      second.resume()
      yield* until("the oldest is gone", () => first.closed)
      yield* until("the other one is whole", () => second.bytesRead > LONG)
      assert.isBelow(first.bytesRead, LONG)
      yield* clean
    }).pipe(Effect.scoped))
})
