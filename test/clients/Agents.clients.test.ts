/**
 * OpenAI's Agents SDK against the gateway: tool loops on both APIs, runs that follow each other, and a streamed run.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import * as Agents from "./Agents.ts"
import { clientGateway, listIn, PLAIN, play, REASONING, reasoning, text, weatherCall } from "./ClientWorld.ts"

const prompt = "How is the weather in Paris?"

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("the Agents SDK", (it) => {
  it.effect("runs a tool loop by responses", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(REASONING, [
        [reasoning, weatherCall("Paris")],
        [reasoning, text("It is sunny.")]
      ])
      const answer = yield* Effect.promise(() => Agents.toolLoop(target, prompt))
      assert.deepStrictEqual(answer, { text: "It is sunny.", requests: 2, totalTokens: 1_058 + 1_069 })
      assert.containSubset(listIn(requests[1], "input"), [{ type: "function_call_output" }])
      yield* charged
    }))

  it.effect("runs a tool loop by chat completions", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[weatherCall("Paris")], [text("It is sunny.")]])
      assert.strictEqual(yield* Effect.promise(() => Agents.chatToolLoop(target, prompt)), "It is sunny.")
      yield* charged
    }))

  it.effect("goes on from the run before by its response's id", () =>
    Effect.gen(function*() {
      const { target, requests, ids, charged } = yield* play(PLAIN, [[text("Hello.")], [text("Nothing more.")]])
      const answer = yield* Effect.promise(() => Agents.previousResponse(target, ["Hi", "And?"]))
      assert.deepStrictEqual(answer, { id: ids[0]?.[0] ?? "", texts: ["Hello.", "Nothing more."] })
      assert.strictEqual(requests[1]?.body["previous_response_id"], answer.id)
      yield* charged
    }))

  it.effect("streams a run", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text("Hello there.")]])
      assert.strictEqual(yield* Effect.promise(() => Agents.stream(target, "Hi")), "Hello there.")
      yield* charged
    }))
})
