/**
 * LangChain's `ChatOpenAI` against the gateway, on both APIs, and by the id of the response before.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { clientGateway, listIn, PLAIN, playing, REASONING, reasoning, text, weatherCall } from "./ClientWorld.ts"
import * as LangChain from "./LangChain.ts"

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("LangChain", (it) => {
  const plays = playing(it)

  plays(
    "calls a tool by chat completions",
    { model: PLAIN, turns: [[weatherCall("Paris")], [text("It is sunny.")]] },
    function*({ target, requests }) {
      const answer = yield* Effect.promise(() => LangChain.chatTools(target, "How is the weather in Paris?"))
      assert.deepStrictEqual([answer.text, answer.usage.input_tokens], ["It is sunny.", 1_011])
      assert.deepStrictEqual(requests.map((request) => request.path), ["/v1/chat/completions", "/v1/chat/completions"])
    }
  )

  plays("calls a tool by responses, and sends the reasoning back", {
    model: REASONING,
    turns: [
      [reasoning, weatherCall("Paris")],
      [reasoning, text("It is sunny.")]
    ]
  }, function*({ target, requests, ids }) {
    const answer = yield* Effect.promise(() => LangChain.responsesTools(target, "How is the weather in Paris?"))
    assert.deepStrictEqual([answer.text, answer.usage.output_tokens], ["It is sunny.", 58])
    assert.containSubset(listIn(requests[1], "input"), [{ type: "reasoning", id: ids[0]?.[1] }])
  })

  plays("streams by chat completions", { model: PLAIN, turns: [[text("Hello there.")]] }, function*({ target }) {
    assert.strictEqual(yield* Effect.promise(() => LangChain.chatStream(target, "Hi")), "Hello there.")
  })

  plays("streams by responses", { model: PLAIN, turns: [[text("Hello there.")]] }, function*({ target }) {
    assert.strictEqual(yield* Effect.promise(() => LangChain.responsesStream(target, "Hi")), "Hello there.")
  })

  plays(
    "goes on from the response before",
    { model: PLAIN, turns: [[text("Hello.")], [text("Nothing more.")]] },
    function*({ target, requests, ids }) {
      const answer = yield* Effect.promise(() => LangChain.previousResponse(target, ["Hi", "And?"]))
      assert.deepStrictEqual(answer, { id: ids[0]?.[0] ?? "", texts: ["Hello.", "Nothing more."] })
      assert.strictEqual(requests[1]?.body["previous_response_id"], answer.id)
    }
  )
})
