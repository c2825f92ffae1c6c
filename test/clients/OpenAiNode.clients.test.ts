/**
 * The `openai` package against the gateway: chat completions and responses, whole, streamed, parsed and with tools.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import { clientGateway, listIn, PLAIN, play, text, weatherCall } from "./ClientWorld.ts"
import * as OpenAiNode from "./OpenAiNode.ts"

const SAID = "Hello there, you."
const PARIS = { city: "Paris", population: 2_100_000 }
const firstTurn = { input: 1_001, cached: 303, output: 57 }

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("openai-node", (it) => {
  it.effect("completes a chat", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* Effect.promise(() => OpenAiNode.chat(target, "Hi"))
      assert.strictEqual(answer.text, SAID)
      assert.strictEqual(answer.usage?.prompt_tokens, firstTurn.input)
      yield* charged
    }))

  it.effect("streams a chat by the helper, which sees no usage because it asked for none", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* Effect.promise(() => OpenAiNode.chatStream(target, "Hi"))
      assert.deepStrictEqual(answer, { streamed: SAID, text: SAID, usage: undefined })
      assert.deepStrictEqual(requests[0]?.body["stream_options"], { include_usage: true })
      yield* charged
    }))

  it.effect("streams a chat with its usage", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* Effect.promise(() => OpenAiNode.chatStreamWithUsage(target, "Hi"))
      assert.strictEqual(answer.text, SAID)
      assert.strictEqual(answer.usage?.completion_tokens, firstTurn.output)
      yield* charged
    }))

  it.effect("parses a chat by a schema", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[text(JSON.stringify(PARIS))]])
      assert.deepStrictEqual(yield* Effect.promise(() => OpenAiNode.chatParse(target, "Paris")), PARIS)
      assert.property(requests[0]?.body["response_format"], "json_schema")
      yield* charged
    }))

  it.effect("runs tools until the answer", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[weatherCall("Paris")], [text("It is sunny.")]])
      const answer = yield* Effect.promise(() => OpenAiNode.runTools(target, "How is the weather in Paris?"))
      assert.strictEqual(answer.text, "It is sunny.")
      assert.strictEqual(answer.usage.prompt_tokens, firstTurn.input * 2 + 10)
      assert.containSubset(listIn(requests[1], "messages"), [{ role: "tool", content: "Sunny in Paris" }])
      yield* charged
    }))

  it.effect("answers with a response, and with a second one that names the first", () =>
    Effect.gen(function*() {
      const { target, requests, ids, charged } = yield* play(PLAIN, [[text(SAID)], [text("Nothing more.")]])
      const answer = yield* Effect.promise(() => OpenAiNode.responses(target, ["Hi", "And?"]))
      assert.deepStrictEqual(answer.texts, [SAID, "Nothing more."])
      assert.deepStrictEqual(answer.ids, [ids[0]?.[0], ids[1]?.[0]])
      assert.strictEqual(requests[1]?.body["previous_response_id"], answer.ids[0])
      assert.strictEqual(answer.usage?.input_tokens, firstTurn.input + 10)
      yield* charged
    }))

  it.effect("streams a response by the helper", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* Effect.promise(() => OpenAiNode.responsesStream(target, "Hi"))
      assert.deepStrictEqual([answer.streamed, answer.text, answer.status], [SAID, SAID, "completed"])
      assert.strictEqual(answer.usage?.input_tokens_details.cached_tokens, firstTurn.cached)
      yield* charged
    }))

  it.effect("iterates over all events of a response, in their order", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text("Hello")]])
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
      yield* charged
    }))

  it.effect("parses a response by a schema", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[text(JSON.stringify(PARIS))]])
      assert.deepStrictEqual(yield* Effect.promise(() => OpenAiNode.responsesParse(target, "Paris")), PARIS)
      assert.containSubset(requests[0]?.body["text"], { format: { type: "json_schema", strict: true } })
      yield* charged
    }))
})
