/**
 * The gateway that the clients meet: one channel as the shipped `openai` one, one of a plain compatible server, models at
 * round prices. A scene is a user with money, an upstream that plays its turns, and the charge that must come of it.
 */
import { assert, type Vitest } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { type Steps, testsOf } from "../support/Steps.ts"
import { TestGateway, type TestUser } from "../support/TestGateway.ts"
import type { UpstreamCall } from "../support/TestUpstream.ts"
import type { Answer, Break, Item, Usage } from "./Answers.ts"
import { answerChat } from "./ChatAnswer.ts"
import { answerResponses } from "./ResponsesAnswer.ts"
import type { Target } from "./Target.ts"

export const START = 10_000_000n

const MICROS_PER_1M = { input: 2_000_000n, cached: 500_000n, output: 8_000_000n }
const ONE_MILLION = 1_000_000n

export const MAX_OUTPUT_TOKENS = 16_384

/** A model without hidden output, for the OpenAI channel. */
export const PLAIN = "gpt-4.1-mini"
/** A model whose name clients know as one that reasons. */
export const REASONING = "gpt-5.5"
/** The default model of Codex. */
export const CODEX_DEFAULT = "gpt-6.2-sol"
/** A model that Codex knows nothing of. */
export const UNKNOWN_TO_CODEX = "house-model"
/** A model on a server that knows few fields and stores nothing. */
export const COMPATIBLE = "gpt-4.1-nano"

const upstreamName = (model: string): string => `up-${model}`

const mapped = (models: ReadonlyArray<string>) =>
  Object.fromEntries(models.map((model) => [model, upstreamName(model)]))

const onOpenAi = [PLAIN, REASONING, CODEX_DEFAULT, UNKNOWN_TO_CODEX]

/** The configuration of the gateway before an upstream. */
export const clientGateway = (origin: string) => ({
  channels: [
    {
      name: "openai",
      base_url: `${origin}/v1`,
      api_key: "upstream-secret",
      models: mapped(onOpenAi),
      stores_responses: true,
      known_fields: ["stream_options", "max_tool_calls", "metadata", "service_tier"]
    },
    {
      name: "compatible",
      base_url: `${origin}/v1`,
      api_key: "upstream-secret",
      models: mapped([COMPATIBLE]),
      known_fields: ["stream_options"]
    }
  ],
  models: [...onOpenAi, COMPATIBLE].map((id) => ({
    id,
    input_usd_per_1m: "2",
    cached_input_usd_per_1m: "0.5",
    output_usd_per_1m: "8",
    context_tokens: 400_000,
    max_output_tokens: MAX_OUTPUT_TOKENS,
    default_output_tokens: 4_096,
    reasoning: id === REASONING
  }))
})

const costOf = (usage: Usage): bigint => {
  const cached = BigInt(usage.cached ?? 0)
  const exact = (BigInt(usage.input) - cached) * MICROS_PER_1M.input + cached * MICROS_PER_1M.cached +
    BigInt(usage.output) * MICROS_PER_1M.output
  return (exact + ONE_MILLION - 1n) / ONE_MILLION
}

/** Of no other turn, so that a charge cannot be right by chance. */
const usageOfTurn = (turn: number): Usage => ({
  input: 1_001 + turn * 10,
  cached: 303 + turn,
  output: 57 + turn,
  reasoning: 9
})

const decodeList = Schema.decodeUnknownSync(Schema.Array(Schema.Record(Schema.String, Schema.Unknown)))

/** A list of objects in a request's body. */
export const listIn = (request: UpstreamCall | undefined, key: string) => decodeList(request?.body[key])

export interface Scene {
  readonly gateway: TestGateway["Service"]
  readonly user: TestUser
  readonly target: Target
  /** What reached the upstream, in order. */
  readonly requests: ReadonlyArray<UpstreamCall>
  /** The ids that each answer gave: the response's first, then its items'. Empty for chat completions. */
  readonly ids: ReadonlyArray<ReadonlyArray<string>>
  /** Every turn was played, and was charged exactly what its usage costs. */
  readonly charged: Effect.Effect<void>
}

/** A gateway's user before an upstream whose answers are these turns, in their order. */
export const play = Effect.fnUntraced(function*(
  model: string,
  turns: ReadonlyArray<ReadonlyArray<Item>>,
  end?: Break
) {
  const gateway = yield* TestGateway
  const user = yield* Effect.orDie(gateway.user(START))
  const requests: Array<UpstreamCall> = []
  const ids: Array<ReadonlyArray<string>> = []
  gateway.upstream.on(upstreamName(model), (call) => {
    const items = turns[requests.length]
    const answer: Answer = { items: items ?? [], usage: usageOfTurn(requests.length) }
    requests.push(call)
    if (items === undefined) call.error(400, "the script has no more turns")
    else if (call.path === "/v1/responses") ids.push(answerResponses(call, answer, end))
    else answerChat(call, answer, end)
  })
  const charged = Effect.gen(function*() {
    yield* gateway.clean
    assert.strictEqual(requests.length, turns.length, "requests that reached the upstream")
    const rows = yield* gateway.callsOf(user)
    const costs = turns.map((_, turn) => costOf(usageOfTurn(turn)))
    assert.deepStrictEqual(
      rows.map((row) => [row.state, row.usage_source, row.usage_flagged, row.charged_micros]),
      costs.map((cost) => ["committed", "upstream", false, cost])
    )
    assert.strictEqual(yield* gateway.balanceOf(user), START - costs.reduce((sum, cost) => sum + cost, 0n))
  })
  const target: Target = { baseUrl: `${gateway.origin}/v1`, apiKey: user.key, model }
  return { gateway, user, target, requests, ids, charged } satisfies Scene
})

interface Script {
  readonly model: string
  readonly turns: ReadonlyArray<ReadonlyArray<Item>>
  readonly end?: Break
}

/** Tests that play a script to its end: what was played is charged. */
export const playing =
  (it: Vitest.MethodsNonLive<TestGateway>) =>
  (title: string, { end, model, turns }: Script, steps: Steps<Scene, TestGateway>) =>
    testsOf(it.effect, play(model, turns, end), ({ charged }) => charged)(title, steps)

/** The one call of a user whose usage never came: charged by what was delivered, at the prices above. */
export const chargedByEstimate = Effect.fnUntraced(function*(user: TestUser, start: bigint, outputTokens?: bigint) {
  const gateway = yield* TestGateway
  yield* gateway.clean
  const [row, ...others] = yield* gateway.callsOf(user)
  assert.deepStrictEqual([row?.state, row?.usage_source, others.length], ["committed", "estimated", 0])
  const [input, cached, output] = [row?.input_tokens, row?.cached_input_tokens, row?.output_tokens]
  assert.strictEqual(cached, 0n)
  if (outputTokens !== undefined) assert.strictEqual(output, outputTokens)
  assert.isAbove(Number(input), 0)
  assert.strictEqual(row?.charged_micros, costOf({ input: Number(input), output: Number(output) }))
  assert.strictEqual(yield* gateway.balanceOf(user), start - (row?.charged_micros ?? 0n))
  return Number(output)
})

/** What a client raised; a client that raised nothing fails the test. */
export const raised = (
  run: () => Promise<unknown>
): Effect.Effect<{ readonly message: string; readonly code: unknown }> =>
  Effect.promise(async () => {
    const failure = await run().then((value) => ({ value }), (error: unknown) => ({ error }))
    assert.isTrue("error" in failure, `raised nothing: ${JSON.stringify(failure)}`)
    const error = "error" in failure ? failure.error : undefined
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined
    return { message: error instanceof Error ? error.message : JSON.stringify(error), code }
  })

export const text = (value: string): Item => ({ type: "text", text: value })
export const weatherCall = (city: string): Item => ({
  type: "function_call",
  name: "get_weather",
  arguments: JSON.stringify({ city })
})
export const reasoning: Item = { type: "reasoning", summary: "" }
