/**
 * Funds that end in the middle of an answer: every client raises an error that says so, none repeats the call, what was
 * delivered is charged, and the balance does not go below zero.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { answerChatEndlessly } from "./ChatAnswer.ts"
import { Codex } from "./Codex.ts"
import { raised } from "./ClientWorld.ts"
import { answerResponsesEndlessly } from "./ResponsesAnswer.ts"
import { chatClients, responsesClients, type StreamingClient } from "./StreamingClients.ts"
import type { Target } from "./Target.ts"

const FUNDS = 20_000n
const MODEL = "gpt-6.2-sol"

/** At 10 micros a token of output; input is so cheap that Codex's long prompt is held beside it. */
const OUTPUT_MICROS_PER_TOKEN = 10
/** Held at first, so that a stream has to be extended. */
const FIRST_TOKENS = 256

const cheapInput = (origin: string) => ({
  channels: [{ name: "openai", base_url: `${origin}/v1`, api_key: "upstream-secret", models: { [MODEL]: "up" } }],
  models: [{
    id: MODEL,
    input_usd_per_1m: "0.01",
    output_usd_per_1m: "10",
    context_tokens: 400_000,
    max_output_tokens: 100_000,
    default_output_tokens: FIRST_TOKENS
  }]
})

/** A user with few funds before an upstream that does not stop by itself. */
const scene = Effect.gen(function*() {
  const gateway = yield* TestGateway
  const user = yield* Effect.orDie(gateway.user(FUNDS))
  let requests = 0
  gateway.upstream.on("up", (call) => {
    requests++
    return call.path === "/v1/responses" ? answerResponsesEndlessly(call) : answerChatEndlessly(call)
  })
  const target: Target = { baseUrl: `${gateway.origin}/v1`, apiKey: user.key, model: MODEL }
  const settled = Effect.gen(function*() {
    yield* gateway.clean
    assert.strictEqual(requests, 1)
    const [row, ...others] = yield* gateway.callsOf(user)
    assert.deepStrictEqual([row?.state, row?.reason, row?.usage_source, others.length], [
      "committed",
      "insufficient_quota",
      "estimated",
      0
    ])
    const output = Number(row?.output_tokens)
    assert.isAbove(output, FIRST_TOKENS)
    const charged = Number(row?.charged_micros)
    assert.strictEqual(charged, Math.ceil((Number(row?.input_tokens) + output * OUTPUT_MICROS_PER_TOKEN * 100) / 100))
    assert.isAtMost(charged, Number(FUNDS))
    assert.strictEqual(yield* gateway.balanceOf(user), FUNDS - BigInt(charged))
  })
  return { target, settled }
})

const raises = (client: StreamingClient) =>
  Effect.gen(function*() {
    const { target, settled } = yield* scene
    const error = yield* raised(() => client.read(target, "Go on"))
    if (error.code !== undefined) assert.strictEqual(error.code, "insufficient_quota")
    yield* settled
  })

layer(TestGateway.layerOf(cheapInput), { excludeTestServices: true })("funds that end midway", (it) => {
  for (const client of responsesClients) {
    it.effect(`raise in ${client.name} on responses`, () => raises(client))
  }
  for (const client of chatClients) {
    it.effect(`raise in ${client.name} on chat completions`, () => raises(client))
  }

  it.effect("end Codex with its words for a used-up quota, and it does not reconnect", () =>
    Effect.gen(function*() {
      const { target, settled } = yield* scene
      const codex = yield* Effect.acquireRelease(
        Effect.promise(() => Codex.make(target)),
        (made) => Effect.promise(() => made.remove())
      )
      const run = yield* Effect.promise(() => codex.exec("Go on"))
      assert.strictEqual(run.exitCode, 1, run.log)
      assert.include(run.errors.at(-1), "Quota exceeded")
      assert.isFalse(run.errors.some((error) => error.includes("Reconnecting")), run.log)
      yield* settled
    }))
})
