/**
 * LangChain's `ChatOpenAI` against the gateway, on both APIs, and by the id of the response before.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { clientGateway, listIn, PLAIN, play, REASONING, reasoning, text, weatherCall } from "./ClientWorld.ts"
import * as LangChain from "./LangChain.ts"

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("LangChain", (it) => {
  it.effect("calls a tool by chat completions", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[weatherCall("Paris")], [text("It is sunny.")]])
      const answer = yield* Effect.promise(() => LangChain.chatTools(target, "How is the weather in Paris?"))
      assert.deepStrictEqual([answer.text, answer.usage.input_tokens], ["It is sunny.", 1_011])
      assert.deepStrictEqual(requests.map((request) => request.path), ["/v1/chat/completions", "/v1/chat/completions"])
      yield* charged
    }))

  it.effect("calls a tool by responses, and sends the reasoning back", () =>
    Effect.gen(function*() {
      const { target, requests, ids, charged } = yield* play(REASONING, [
        [reasoning, weatherCall("Paris")],
        [reasoning, text("It is sunny.")]
      ])
      const answer = yield* Effect.promise(() => LangChain.responsesTools(target, "How is the weather in Paris?"))
      assert.deepStrictEqual([answer.text, answer.usage.output_tokens], ["It is sunny.", 58])
      assert.containSubset(listIn(requests[1], "input"), [{ type: "reasoning", id: ids[0]?.[1] }])
      yield* charged
    }))

  it.effect("streams by chat completions", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text("Hello there.")]])
      assert.strictEqual(yield* Effect.promise(() => LangChain.chatStream(target, "Hi")), "Hello there.")
      yield* charged
    }))

  it.effect("streams by responses", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text("Hello there.")]])
      assert.strictEqual(yield* Effect.promise(() => LangChain.responsesStream(target, "Hi")), "Hello there.")
      yield* charged
    }))

  it.effect("goes on from the response before", () =>
    Effect.gen(function*() {
      const { target, requests, ids, charged } = yield* play(PLAIN, [[text("Hello.")], [text("Nothing more.")]])
      const answer = yield* Effect.promise(() => LangChain.previousResponse(target, ["Hi", "And?"]))
      assert.deepStrictEqual(answer, { id: ids[0]?.[0] ?? "", texts: ["Hello.", "Nothing more."] })
      assert.strictEqual(requests[1]?.body["previous_response_id"], answer.id)
      yield* charged
    }))
})
