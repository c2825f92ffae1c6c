/**
 * OpenAI's Agents SDK against the gateway: tool loops on both APIs, runs that follow each other, and a streamed run.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import * as Agents from "./Agents.ts"
import { clientGateway, listIn, PLAIN, playing, REASONING, reasoning, text, weatherCall } from "./ClientWorld.ts"

const prompt = "How is the weather in Paris?"

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("the Agents SDK", (it) => {
  const plays = playing(it)

  plays("runs a tool loop by responses", {
    model: REASONING,
    turns: [
      [reasoning, weatherCall("Paris")],
      [reasoning, text("It is sunny.")]
    ]
  }, function*({ target, requests }) {
    const answer = yield* Effect.promise(() => Agents.toolLoop(target, prompt))
    assert.deepStrictEqual(answer, { text: "It is sunny.", requests: 2, totalTokens: 1_058 + 1_069 })
    assert.containSubset(listIn(requests[1], "input"), [{ type: "function_call_output" }])
  })

  plays("runs a tool loop by chat completions", {
    model: PLAIN,
    turns: [[weatherCall("Paris")], [text("It is sunny.")]]
  }, function*({ target }) {
    assert.strictEqual(yield* Effect.promise(() => Agents.chatToolLoop(target, prompt)), "It is sunny.")
  })

  plays("goes on from the run before by its response's id", {
    model: PLAIN,
    turns: [[text("Hello.")], [text("Nothing more.")]]
  }, function*({ target, requests, ids }) {
    const answer = yield* Effect.promise(() => Agents.previousResponse(target, ["Hi", "And?"]))
    assert.deepStrictEqual(answer, { id: ids[0]?.[0] ?? "", texts: ["Hello.", "Nothing more."] })
    assert.strictEqual(requests[1]?.body["previous_response_id"], answer.id)
  })

  plays("streams a run", { model: PLAIN, turns: [[text("Hello there.")]] }, function*({ target }) {
    assert.strictEqual(yield* Effect.promise(() => Agents.stream(target, "Hi")), "Hello there.")
  })
})
