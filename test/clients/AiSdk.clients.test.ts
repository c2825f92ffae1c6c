/**
 * The Vercel AI SDK against the gateway: its default provider, whose later turns refer to earlier items by id, and the
 * provider for compatible servers.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import * as AiSdk from "./AiSdk.ts"
import {
  clientGateway,
  COMPATIBLE,
  listIn,
  PLAIN,
  play,
  playing,
  REASONING,
  reasoning,
  type Scene,
  text,
  weatherCall
} from "./ClientWorld.ts"

const prompts = ["How is the weather in Paris?", "And in Rome?", "Which is warmer?"]
const cities = ["Paris", "Rome", "Oslo"]
const answers = ["Paris is sunny.", "Rome too.", "Rome."]

/** The ids of the items that a request refers to. */
const referencesOf = (request: Scene["requests"][number] | undefined): ReadonlyArray<unknown> =>
  listIn(request, "input").flatMap((item) => item["type"] === "item_reference" ? [item["id"]] : [])

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("the AI SDK", (it) => {
  const plays = playing(it)

  it.effect("holds a conversation of three turns with tools, by its default provider", () =>
    Effect.gen(function*() {
      const turns = cities.flatMap((city, turn) => [[weatherCall(city)], [text(answers[turn] ?? "")]])
      const { target, requests, ids, charged } = yield* play(PLAIN, turns)
      assert.deepStrictEqual(yield* Effect.promise(() => AiSdk.conversation(target, prompts)), answers)
      const messageIds = [ids[1]?.[1] ?? "", ids[3]?.[1] ?? ""]
      assert.deepStrictEqual(requests.map(referencesOf), [
        [],
        [],
        messageIds.slice(0, 1),
        messageIds.slice(0, 1),
        messageIds,
        messageIds
      ])
      yield* charged
    }))

  it.effect("holds a conversation of three turns with a model that reasons", () =>
    Effect.gen(function*() {
      const turns = cities.flatMap((city, turn) => [
        [reasoning, weatherCall(city)],
        [reasoning, text(answers[turn] ?? "")]
      ])
      const { target, requests, ids, charged } = yield* play(REASONING, turns)
      assert.deepStrictEqual(yield* Effect.promise(() => AiSdk.conversation(target, prompts)), answers)
      const reasoningIds = ids.map((given) => given[1] ?? "")
      const messageIds = ids.map((given) => given[2] ?? "")
      const turn = (index: number) => [reasoningIds[index], reasoningIds[index + 1], messageIds[index + 1]]
      assert.deepStrictEqual(referencesOf(requests[5]), [...turn(0), ...turn(2), reasoningIds[4]])
      yield* charged
    }))

  plays("streams with a tool", {
    model: REASONING,
    turns: [
      [reasoning, weatherCall("Paris")],
      [reasoning, text("It is sunny.")]
    ]
  }, function*({ target }) {
    const answer = yield* Effect.promise(() => AiSdk.stream(target, "How is the weather in Paris?"))
    assert.deepStrictEqual([answer.text, answer.finishReason], ["It is sunny.", "stop"])
    assert.deepStrictEqual([answer.usage.inputTokens, answer.usage.outputTokens], [2_012, 115])
  })

  for (const model of [PLAIN, COMPATIBLE]) {
    it.effect(`runs a tool loop by the compatible provider with ${model}`, () =>
      Effect.gen(function*() {
        const { target, charged } = yield* play(model, [[weatherCall("Paris")], [text("It is sunny.")]])
        const answer = yield* Effect.promise(() => AiSdk.compatible(target, "How is the weather in Paris?"))
        assert.strictEqual(answer.text, "It is sunny.")
        assert.strictEqual(answer.usage.inputTokens, 2_012)
        yield* charged
      }))

    it.effect(`streams by the compatible provider with ${model}`, () =>
      Effect.gen(function*() {
        const { target, charged } = yield* play(model, [[text("Hello there.")]])
        assert.strictEqual((yield* Effect.promise(() => AiSdk.compatibleStream(target, "Hi"))).text, "Hello there.")
        yield* charged
      }))
  }
})
