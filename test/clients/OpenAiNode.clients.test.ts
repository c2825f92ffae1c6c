/**
 * The `openai` package against the gateway: chat completions and responses, whole, streamed, parsed and with tools.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { clientGateway, listIn, PLAIN, playing, text, weatherCall } from "./ClientWorld.ts"
import * as OpenAiNode from "./OpenAiNode.ts"

const SAID = "Hello there, you."
const PARIS = { city: "Paris", population: 2_100_000 }
const firstTurn = { input: 1_001, cached: 303, output: 57 }

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("openai-node", (it) => {
  const plays = playing(it)

  plays("completes a chat", { model: PLAIN, turns: [[text(SAID)]] }, function*({ target }) {
    const answer = yield* Effect.promise(() => OpenAiNode.chat(target, "Hi"))
    assert.strictEqual(answer.text, SAID)
    assert.strictEqual(answer.usage?.prompt_tokens, firstTurn.input)
  })

  plays("streams a chat by the helper, which sees no usage because it asked for none", {
    model: PLAIN,
    turns: [[text(SAID)]]
  }, function*({ target, requests }) {
    const answer = yield* Effect.promise(() => OpenAiNode.chatStream(target, "Hi"))
    assert.deepStrictEqual(answer, { streamed: SAID, text: SAID, usage: undefined })
    assert.deepStrictEqual(requests[0]?.body["stream_options"], { include_usage: true })
  })

  plays("streams a chat with its usage", { model: PLAIN, turns: [[text(SAID)]] }, function*({ target }) {
    const answer = yield* Effect.promise(() => OpenAiNode.chatStreamWithUsage(target, "Hi"))
    assert.strictEqual(answer.text, SAID)
    assert.strictEqual(answer.usage?.completion_tokens, firstTurn.output)
  })

  plays(
    "parses a chat by a schema",
    { model: PLAIN, turns: [[text(JSON.stringify(PARIS))]] },
    function*({ target, requests }) {
      assert.deepStrictEqual(yield* Effect.promise(() => OpenAiNode.chatParse(target, "Paris")), PARIS)
      assert.property(requests[0]?.body["response_format"], "json_schema")
    }
  )

  plays(
    "runs tools until the answer",
    { model: PLAIN, turns: [[weatherCall("Paris")], [text("It is sunny.")]] },
    function*({ target, requests }) {
      const answer = yield* Effect.promise(() => OpenAiNode.runTools(target, "How is the weather in Paris?"))
      assert.strictEqual(answer.text, "It is sunny.")
      assert.strictEqual(answer.usage.prompt_tokens, firstTurn.input * 2 + 10)
      assert.containSubset(listIn(requests[1], "messages"), [{ role: "tool", content: "Sunny in Paris" }])
    }
  )

  plays("answers with a response, and with a second one that names the first", {
    model: PLAIN,
    turns: [[text(SAID)], [text("Nothing more.")]]
  }, function*({ target, requests, ids }) {
    const answer = yield* Effect.promise(() => OpenAiNode.responses(target, ["Hi", "And?"]))
    assert.deepStrictEqual(answer.texts, [SAID, "Nothing more."])
    assert.deepStrictEqual(answer.ids, [ids[0]?.[0], ids[1]?.[0]])
    assert.strictEqual(requests[1]?.body["previous_response_id"], answer.ids[0])
    assert.strictEqual(answer.usage?.input_tokens, firstTurn.input + 10)
  })

  plays("streams a response by the helper", { model: PLAIN, turns: [[text(SAID)]] }, function*({ target }) {
    const answer = yield* Effect.promise(() => OpenAiNode.responsesStream(target, "Hi"))
    assert.deepStrictEqual([answer.streamed, answer.text, answer.status], [SAID, SAID, "completed"])
    assert.strictEqual(answer.usage?.input_tokens_details.cached_tokens, firstTurn.cached)
  })

  plays(
    "iterates over all events of a response, in their order",
    { model: PLAIN, turns: [[text("Hello")]] },
    function*({ target }) {
      assert.deepStrictEqual(yield* Effect.promise(() => OpenAiNode.responsesEvents(target, "Hi")), [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed"
      ])
    }
  )

  plays(
    "parses a response by a schema",
    { model: PLAIN, turns: [[text(JSON.stringify(PARIS))]] },
    function*({ target, requests }) {
      assert.deepStrictEqual(yield* Effect.promise(() => OpenAiNode.responsesParse(target, "Paris")), PARIS)
      assert.containSubset(requests[0]?.body["text"], { format: { type: "json_schema", strict: true } })
    }
  )
})
