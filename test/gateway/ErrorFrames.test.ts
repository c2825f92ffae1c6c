/**
 * The frames with which a stream that has begun ends in an error: the forms on which SDKs raise.
 */
import { assert, describe, it } from "@effect/vitest"
import { errorFrames, type ErrorPlace } from "../../src/gateway/ErrorFrames.ts"
import { openAiError, openAiErrorBody } from "../../src/gateway/OpenAiError.ts"

const error = openAiError("insufficient_quota", "Line one\nline two")
const place: ErrorPlace = {
  responseId: "resp_1",
  sequenceNumber: 7,
  model: "m",
  createdAt: 1_700_000_000,
  requestId: "0190-a"
}

const eventsOf = (text: string) =>
  text.split("\n\n").filter((frame) => frame.trim() !== "").map((frame) => {
    const [name, data] = frame.trim().split("\n")
    return { name: name?.slice("event: ".length), data: JSON.parse(data?.slice("data: ".length) ?? "") }
  })

describe("errorFrames", () => {
  it("ends a chat stream with an error object", () => {
    assert.strictEqual(errorFrames("chat", error, place), `\n\ndata: ${openAiErrorBody(error)}\n\n`)
  })

  it("ends a response with an error event and response.failed", () => {
    const [first, second, ...rest] = eventsOf(errorFrames("responses", error, place))
    assert.deepStrictEqual(rest, [])
    assert.deepStrictEqual([first?.name, first?.data.type, first?.data.sequence_number], ["error", "error", 7])
    assert.strictEqual(first?.data.message, "Line one\nline two")
    assert.strictEqual(first?.data.code, "insufficient_quota")
    assert.strictEqual(first?.data.error.message, "Line one\nline two")
    assert.deepStrictEqual([second?.name, second?.data.sequence_number], ["response.failed", 8])
    assert.strictEqual(second?.data.response.id, "resp_1")
    assert.deepStrictEqual([second?.data.response.status, second?.data.response.error.code], [
      "failed",
      "insufficient_quota"
    ])
  })

  it("begins a response of its own where none was relayed", () => {
    const events = eventsOf(errorFrames("responses", error, { ...place, responseId: undefined, sequenceNumber: 0 }))
    assert.deepStrictEqual(events.map(({ data, name }) => [name, data.sequence_number]), [
      ["response.created", 0],
      ["error", 1],
      ["response.failed", 2]
    ])
    assert.strictEqual(events[0]?.data.response.id, events[2]?.data.response.id)
  })
})
