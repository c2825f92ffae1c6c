/**
 * A thousand calls at once on a balance that pays for fifty: fifty go through, all others are refused before anything is
 * sent upstream, and not a micro too much or too little is taken.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { errorOf, send } from "../support/TestHttp.ts"
import { inGateway, TestGateway } from "../support/TestGateway.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const CALLS = 1_000
const AFFORDED = 50
const BALANCE = 5_000_000n
const TOKENS = 1_000

const Gateway = TestGateway.layerOf((origin) => ({
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { dime: "up" } }],
  // A thousand tokens out are ten cents; what goes in is free.
  models: [{ id: "dime", input_usd_per_1m: "0", output_usd_per_1m: "100", max_output_tokens: TOKENS }]
}))

layer(Gateway, { excludeTestServices: true })("concurrency", (it) => {
  const test = inGateway(it)

  it.effect.each([false, true])(
    "1,000 calls of $0.10 on $5.00 admit exactly 50 (stream: %s)",
    (stream) =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway
        const user = yield* gateway.user(BALANCE)
        const gate = new Gate()
        const before = gateway.upstream.calls.length
        gateway.upstream.on("up", async (call) => {
          await gate.opened
          if (stream) call.chatStream(["word"], chatUsage(10, TOKENS))
          else call.json(completion("word", chatUsage(10, TOKENS)))
        })
        let refused = 0
        const one = send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: { model: "dime", stream, max_tokens: TOKENS, messages: [{ role: "user", content: "Hi" }] }
        }).pipe(Effect.tap((answer) => Effect.sync(() => answer.status === 200 ? undefined : refused++)))
        const calls = yield* Effect.forkScoped(
          Effect.all(Array.from({ length: CALLS }, () => one), { concurrency: "unbounded" })
        )
        yield* until("every call is decided", () => refused + gateway.upstream.calls.length - before >= CALLS)
        assert.strictEqual(yield* gateway.balanceOf(user), 0n, "all is held while the answers are out")
        gate.open()
        const answers = yield* Fiber.join(calls)
        assert.strictEqual(answers.filter((answer) => answer.status === 200).length, AFFORDED)
        const refusals = answers.filter((answer) => answer.status === 429)
        assert.strictEqual(refusals.length, CALLS - AFFORDED)
        assert.isTrue(refusals.every((answer) => errorOf(answer.text).code === "funds_held"))
        assert.strictEqual(new Set(answers.map((answer) => answer.headers["x-request-id"])).size, CALLS)
        assert.strictEqual(gateway.upstream.calls.length - before, AFFORDED)
        yield* gateway.clean
        assert.strictEqual(yield* gateway.balanceOf(user), 0n)
        const rows = yield* gateway.callsOf(user)
        assert.strictEqual(
          rows.filter((row) => row.state === "committed" && row.charged_micros === 100_000n).length,
          AFFORDED
        )
        assert.strictEqual(rows.reduce((sum, row) => sum + (row.charged_micros ?? 0n), 0n), BALANCE)
      })
  )

  test("what is held and not used comes back, and lets the next calls in", function*(gateway) {
    const user = yield* gateway.user(100_000n)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 100))))
    const one = send(`${gateway.origin}/v1/chat/completions`, {
      key: user.key,
      body: { model: "dime", max_tokens: 900, messages: [{ role: "user", content: "Hi" }] }
    })
    // Each holds 90,000 of what is left and costs 10,000.
    for (const [status, left] of [[200, 90_000n], [200, 80_000n], [402, 80_000n]] as const) {
      assert.strictEqual((yield* one).status, status)
      assert.strictEqual(yield* gateway.balanceOf(user), left)
    }
  })
})
