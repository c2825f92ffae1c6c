/**
 * Streams that outlive their hold or their lease: a hold grows with its stream until the funds end, and no lease ends a
 * stream that lives.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { setImmediate } from "node:timers/promises"
import { errorOf, send } from "../support/TestHttp.ts"
import { gatewayTests, inGateway, microPriced, openChat, TestGateway } from "../support/TestGateway.ts"
import { chatUsage, chunk, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const messages = [{ role: "user", content: "Hi" }]

const FIRST = 100
const Extending = TestGateway.layerOf((origin) => microPriced(origin, { default_max_output_tokens: FIRST }))

layer(Extending, { excludeTestServices: true })("a stream that outgrows its hold", (it) => {
  const test = inGateway(it)

  test("is extended as it goes, and charged exactly", function*({ upstream, ...gateway }) {
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
  })

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

  test("a limit of the client's is held at once, and never extended", function*({ upstream, ...gateway }) {
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
  })
})

const LEASE_SECONDS = 1
const LEASES_PASSED = 3
const Leasing = TestGateway.layerOf((origin) => microPriced(origin, { reservation_lease_seconds: LEASE_SECONDS }))

gatewayTests(Leasing)("a lease of one second", (test) => {
  test("is renewed as long as the stream lives, which is charged in full", function*({ upstream, ...gateway }) {
    const user = yield* gateway.user(START)
    const renewed = new Gate()
    upstream.on("up", async (call) => {
      for (let index = 0; index < 10; index++) call.frame(chunk("word "))
      await renewed.opened
      call.chatStream(["word "], chatUsage(10, 11))
    })
    const answer = openChat(gateway.origin, user, { stream: true })
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
  })
})
