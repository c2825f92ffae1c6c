/**
 * The spend limit of a key, over HTTP: what is admitted at it, what is refused with which words, and how a stream ends that
 * outgrows it.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import { gatewayTests, inGateway, microPriced, openChat, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const FIRST = 100
const messages = [{ role: "user", content: "Hi" }]

const Limiting = TestGateway.layerOf((origin) => microPriced(origin, { default_max_output_tokens: FIRST }))

type Gateway = TestGateway["Service"]

const limit = (gateway: Gateway, user: TestUser, micros: bigint | null) =>
  gateway.change(
    "keys",
    user.keyId.toString(),
    (sql) => sql`UPDATE api_keys SET spend_limit_micros = ${micros} WHERE id = ${user.keyId}`
  )

const chat = (gateway: Gateway, user: TestUser, body: object = {}) =>
  send(`${gateway.origin}/v1/chat/completions`, { key: user.key, body: { model: "m", messages, ...body } })

layer(Limiting, { excludeTestServices: true })("the spend limit of a key", (it) => {
  const test = inGateway(it)

  test("refuses what does not fit as 403, says why, holds nothing; and lets pass what fits", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 50))))
    yield* limit(gateway, user, 200n)
    assert.strictEqual((yield* chat(gateway, user, { max_tokens: 60 })).status, 200)
    const before = yield* gateway.callsOf(user)
    const refused = yield* chat(gateway, user, { max_tokens: 150 })
    assert.strictEqual(refused.status, 403)
    assert.strictEqual(refused.headers["x-should-retry"], "false")
    const error = errorOf(refused.text)
    assert.deepStrictEqual([error.code, error.type], ["key_limit_exceeded", "permission_error"])
    assert.match(error.message, /spend limit is \$0\.0002; \$0\.00006 of it is spent/)
    assert.deepStrictEqual(yield* gateway.callsOf(user), before)
    assert.strictEqual((yield* chat(gateway, user, { max_tokens: 60 })).status, 200)
    // A limit that is raised, or taken off, counts at once.
    yield* limit(gateway, user, null)
    assert.strictEqual((yield* chat(gateway, user, { max_tokens: 150 })).status, 200)
  })

  test("is not passed by calls that come at the same time", function*(gateway) {
    const user = yield* gateway.user(START)
    const answerNow = new Gate()
    gateway.upstream.on("up", async (call) => {
      await answerNow.opened
      call.json(completion("word", chatUsage(10, 100)))
    })
    // Room for three holds of 100 tokens and a little input, while all are open.
    yield* limit(gateway, user, 400n)
    const answers = Array.from({ length: 12 }, () => openChat(gateway.origin, user, { max_tokens: 100 }))
    yield* until("the others are refused", () => answers.filter((answer) => answer.ended).length === 9)
    const held = (yield* gateway.callsOf(user)).reduce((sum, call) => sum + call.reserved_micros, 0n)
    assert.isAtMost(Number(held), 400)
    answerNow.open()
    yield* until("all have ended", () => answers.every((answer) => answer.ended))
    assert.deepStrictEqual(
      answers.map((answer) => answer.status).toSorted(),
      [...Array.from({ length: 3 }, () => 200), ...Array.from({ length: 9 }, () => 403)]
    )
  })

  test("bounds the output of a call that names no limit of its own", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 50))))
    yield* limit(gateway, user, 500n)
    assert.strictEqual((yield* chat(gateway, user)).status, 200)
    const told = Number(gateway.upstream.calls.at(-1)?.body["max_tokens"])
    assert.isAtLeast(told, FIRST)
    assert.isBelow(told, 500)
    const [row] = yield* gateway.callsOf(user)
    assert.isAtMost(Number(row?.reserved_micros), 500)
  })

  it.effect("ends a stream that outgrows it, and not one token later; the next call is refused", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      yield* limit(gateway, user, 400n)
      gateway.upstream.on("up", async (call) => {
        while (!call.isClosed) {
          call.frame(chunk("word "))
          await setImmediate()
        }
      })
      const answer = yield* chat(gateway, user, { stream: true })
      assert.strictEqual(answer.status, 200)
      const last = answer.text.trimEnd().split("\n\n").at(-1) ?? ""
      assert.strictEqual(errorOf(last.slice("data: ".length)).code, "insufficient_quota")
      const delivered = answer.text.split("word ").length - 1
      assert.isAbove(delivered, FIRST)
      yield* gateway.clean
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.deepStrictEqual([row.state, row.reason], ["committed", "key_limit_exceeded"])
      assert.isAtMost(Number(row.charged_micros), 400)
      assert.isAtMost(delivered, Number(row.output_tokens))
      assert.strictEqual((yield* chat(gateway, user, { stream: true })).status, 403)
    }))

  it.effect("whose first frame is more than it allows is refused as 403, and what was made is charged", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      yield* limit(gateway, user, 200n)
      gateway.upstream.on("up", (call) => call.chatStream(["word ".repeat(1_000)], chatUsage(10, 1_000)))
      const answer = yield* chat(gateway, user, { stream: true })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [403, "key_limit_exceeded"])
      yield* gateway.clean
      const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
      assert.deepStrictEqual([row.state, row.status], ["committed", 403])
      assert.isAtMost(Number(row.charged_micros), 200)
      assert.isAtLeast(Number(row.charged_micros), FIRST)
    }))

  test("is nothing to a key without one, nor to the user's other keys", function*(gateway) {
    const user = yield* gateway.user(START)
    const limited = yield* gateway.user(START)
    yield* limit(gateway, limited, 0n)
    gateway.upstream.on(
      "up",
      (call) => call.chatStream(Array.from({ length: 500 }, () => "word "), chatUsage(10, 500))
    )
    assert.strictEqual((yield* chat(gateway, limited, { stream: true })).status, 403)
    const answer = yield* chat(gateway, user, { stream: true })
    assert.include(answer.text, "[DONE]")
    const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
    assert.strictEqual(row.charged_micros, 510n)
  })
})

const Unbilled = TestGateway.layerOf((origin) => microPriced(origin, { enabled: false }))

gatewayTests(Unbilled)("without billing", (test) => {
  test("a limit refuses nothing, for nothing is spent", function*(gateway) {
    const user = yield* gateway.user(0n)
    yield* limit(gateway, user, 0n)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 50))))
    assert.strictEqual((yield* chat(gateway, user)).status, 200)
  })
})
