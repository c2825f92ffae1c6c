/**
 * Whatever an upstream streams and however it ends, its call costs what it has to: exactly what was reported where that makes sense,
 * an estimate within the bounds of what was delivered where it does not, and nothing where no output came.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { countTokens } from "../../src/gateway/meter/TokenCount.ts"
import { micros } from "../support/ProviderUsage.ts"
import { OUTPUT_TOKENS_MAX, type ScriptedStream, streamOf, StreamPlan } from "../support/RandomStreams.ts"
import { TestGateway, type TestUser, type UsageRow } from "../support/TestGateway.ts"
import { OpenAnswer } from "../support/TestHttp.ts"
import type { UpstreamCall } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 1_000_000_000_000n
const RUNS = 600
const SEED = 0x5eed
const TEST_TIMEOUT_MS = 300_000
const OVERHEAD_TOKENS = 1_000
/** The model's overhead, a message's, and two bytes of text. */
const INPUT_TOKENS_MAX = OVERHEAD_TOKENS + 100
const BYTES_PER_TOKEN_LOWER = 128
/** How far an estimate may be off: pieces of text are counted together here, and apart there. */
const TOLERANCE = 0.1
const TOLERANCE_TOKENS = 2

/** `plain` shows all its output; `thinker` reports reasoning, for which it is marked after a while. */
const Gateway = TestGateway.layerOf((origin) => ({
  billing: { default_max_output_tokens: 100, drain_seconds: 0 },
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { plain: "plain", thinker: "thinker" } }],
  models: ["plain", "thinker"].map((id) => ({
    id,
    input_usd_per_1m: String(micros.input),
    cached_input_usd_per_1m: String(micros.cached),
    cache_write_usd_per_1m: String(micros.written),
    output_usd_per_1m: String(micros.output),
    max_output_tokens: OUTPUT_TOKENS_MAX,
    input_overhead_tokens: OVERHEAD_TOKENS
  }))
}))

const play = ({ finish, frames }: ScriptedStream) => (call: UpstreamCall) => {
  call.response.writeHead(200, { "content-type": "text/event-stream" })
  if (finish === "end") return void call.response.end(frames.join(""))
  call.response.write(frames.join("") || ":\n\n", () => finish === "cut" ? call.response.destroy() : undefined)
}

/** Makes the call and, where its client leaves, leaves. */
const callOf = Effect.fnUntraced(function*(user: TestUser, plan: StreamPlan, stream: ScriptedStream) {
  const { upstream, ...gateway } = yield* TestGateway
  const model = stream.reasons ? "thinker" : "plain"
  upstream.on(model, play(stream))
  const isChat = plan.dialect === "chat"
  const limit = plan.limit === null ? {} : { [isChat ? "max_tokens" : "max_output_tokens"]: plan.limit }
  const input = isChat ? { messages: [{ role: "user", content: "Hi" }] } : { input: "Hi" }
  const answer = new OpenAnswer(`${gateway.origin}/v1/${isChat ? "chat/completions" : "responses"}`, {
    key: user.key,
    method: "POST"
  })
  answer.end({ model, stream: true, ...input, ...limit })
  if (stream.finish === "hang") {
    const last = stream.frames.at(-1) ?? ""
    yield* until("the client has the last words", () => answer.text.endsWith(last))
    answer.cut()
  }
  yield* until("the answer has ended", () => answer.ended)
  yield* gateway.settled
  return yield* gateway.rowOf(answer.requestId)
})

const numbersOf = (row: UsageRow) => ({
  input: Number(row.input_tokens) + Number(row.cached_input_tokens) + Number(row.cache_write_tokens),
  output: Number(row.output_tokens),
  charged: Number(row.charged_micros),
  cost: Number(row.cost_micros),
  reserved: Number(row.reserved_micros)
})

/** The call is charged for tokens that it can have used, at their price. */
const assertBounded = (row: UsageRow, plan: StreamPlan, name: string): void => {
  const { charged, cost, input, output } = numbersOf(row)
  assert.strictEqual(row.state, "committed", name)
  assert.isAtMost(input, INPUT_TOKENS_MAX, name)
  // Reasoning beside the completion has a ceiling of its own.
  assert.isAtMost(output, (plan.limit ?? OUTPUT_TOKENS_MAX) + OUTPUT_TOKENS_MAX, name)
  assert.strictEqual(
    cost,
    Number(row.input_tokens) * micros.input + Number(row.cached_input_tokens) * micros.cached +
      Number(row.cache_write_tokens) * micros.written + output * micros.output,
    name
  )
  assert.strictEqual(charged, cost, name)
}

const assertEstimated = (row: UsageRow, expected: ScriptedStream["expected"] & { _tag: "Estimated" }, name: string) => {
  const { reported, textMax, textMin } = expected
  const { cost, input, output, reserved } = numbersOf(row)
  assert.strictEqual(row.usage_source, "estimated", name)
  assert.isAtLeast(input, 1, name)
  const estimate = output - reported
  const lower = Math.floor(Buffer.byteLength(textMin) / BYTES_PER_TOKEN_LOWER)
  assert.isAtLeast(estimate, Math.max(lower, textMax === "" ? 0 : 1), name)
  assert.isAtLeast(estimate, countTokens(textMin) * (1 - TOLERANCE) - TOLERANCE_TOKENS, name)
  assert.isAtMost(estimate, countTokens(textMax) * (1 + TOLERANCE) + TOLERANCE_TOKENS, name)
  // An estimate alone never goes beyond the hold.
  if (reported === 0) assert.isAtMost(cost, reserved, name)
}

const assertCharged = (row: UsageRow, plan: StreamPlan, { expected }: ScriptedStream, name: string): void => {
  if (expected._tag === "Nothing") {
    return assert.deepStrictEqual([row.state, row.charged_micros, row.reason], ["voided", 0n, "upstream_error"], name)
  }
  assertBounded(row, plan, name)
  if (expected._tag === "Estimated") return assertEstimated(row, expected, name)
  assert.strictEqual(row.usage_source, "upstream", name)
  if (expected._tag === "Exact") {
    assert.deepStrictEqual([Number(row.charged_micros), row.usage_flagged], [expected.micros, expected.flagged], name)
  } else {
    assert.deepStrictEqual([Number(row.output_tokens), row.usage_flagged], [expected.output, true], name)
    assert.isAtLeast(Number(row.input_tokens), OVERHEAD_TOKENS, name)
  }
}

layer(Gateway, { excludeTestServices: true })("a random stream", (it) => {
  /** How often what was met: a test that meets only easy streams shows nothing. */
  const met = { Nothing: 0, Exact: 0, Estimated: 0, InputClamped: 0, aboveHold: 0 }
  let owner: TestUser | undefined
  let charged = 0n

  it.effect.prop(
    "costs exactly what was reported, an estimate within its bounds, or nothing",
    [StreamPlan],
    ([plan]) =>
      Effect.gen(function*() {
        const gateway = yield* TestGateway
        const user = owner ??= yield* gateway.user(START)
        const stream = streamOf(plan)
        const row = yield* callOf(user, plan, stream)
        assertCharged(row, plan, stream, `${JSON.stringify(stream)} ${row.reason} ${row.id}`)
        met[stream.expected._tag]++
        const { cost, reserved } = numbersOf(row)
        // The hold is kept beside the charge, so that every charge above it can be seen.
        if (cost > reserved) met.aboveHold++
        charged += row.charged_micros ?? 0n
        assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
      }),
    { timeout: TEST_TIMEOUT_MS, arbitrary: { runs: RUNS, seed: SEED } }
  )

  it.effect("is met often in each kind, and the books hold after all of them", () =>
    Effect.gen(function*() {
      for (const [kind, count] of Object.entries(met)) assert.isAtLeast(count, 10, kind)
      yield* (yield* TestGateway).clean
    }))
})
