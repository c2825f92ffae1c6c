import { assert, describe, it } from "@effect/vitest"
import { contextOf, inputBounds } from "../../../src/gateway/request/InputBounds.ts"
import { callOf, embeddings, refusalOf } from "./Bodies.ts"

describe("parseCall of a call to /v1/embeddings", () => {
  it.each<[name: string, input: unknown, messages: number, textBytes: number, integers: number]>([
    ["text", "héllo", 1, 6, 0],
    ["a list of texts", ["ab", "c", ""], 3, 3, 0],
    ["a token array", [1, 2, 100257], 1, 0, 3],
    ["a list of token arrays", [[1, 2], [3]], 2, 0, 3]
  ])("counts %s", (_, input, messages, textBytes, integers) => {
    const call = callOf(embeddings({ input }))
    assert.deepStrictEqual([call.input.messages, call.input.textBytes, call.input.integers], [
      messages,
      textBytes,
      integers
    ])
    assert.strictEqual(inputBounds(call).textCeilingTokens, textBytes + integers)
  })

  it.each<[input: unknown, context: number]>([
    ["ab", 10],
    [["ab", "c", ""], 30],
    [[1, 2], 10],
    [[[1, 2], [3]], 20]
  ])("has the model's context for each input of %j", (input, context) => {
    assert.strictEqual(contextOf(callOf(embeddings({ input })), 10), context)
    assert.isNull(contextOf(callOf(embeddings({ input })), null))
  })

  it("needs no special cases elsewhere", () => {
    const call = callOf(embeddings({ encoding_format: "base64", dimensions: 256, user: "u", stream: true }))
    assert.deepStrictEqual(
      [
        call.stream,
        call.n,
        call.outputLimit,
        call.outputLimitField,
        call.wantsUsage,
        call.references,
        call.hostedTools
      ],
      [false, 1, undefined, undefined, false, [], []]
    )
    assert.deepStrictEqual(call.unknownFields, ["stream"])
  })

  it.each<[object, string, string]>([
    [{ input: undefined }, "invalid_request_error", "input"],
    [{ input: [] }, "invalid_request_error", "input"],
    [{ input: {} }, "invalid_request_error", "input"],
    [{ input: [{}] }, "invalid_request_error", "input[0]"],
    [{ input: ["a", [-1]] }, "invalid_request_error", "input[1]"],
    [{ input: [1, 2.5] }, "invalid_request_error", "input"],
    [{ input: [1, "a"] }, "invalid_request_error", "input"],
    [{ input: [[1], []] }, "invalid_request_error", "input[1]"],
    [{ dimensions: 0 }, "invalid_request_error", "dimensions"],
    [{ encoding_format: 1 }, "invalid_request_error", "encoding_format"],
    [{ encoding_format: "hex" }, "unsupported_parameter", "encoding_format"]
  ])("refuses %j", (extra, code, param) => {
    assert.deepStrictEqual(refusalOf(embeddings(extra)), [400, code, param])
  })

  it("takes a token array for no array of JSON values", () => {
    const input = Array.from({ length: 300_000 }, (_, index) => index)
    assert.strictEqual(callOf(embeddings({ input })).input.integers, 300_000)
  })
})
