import { assert, describe, it } from "@effect/vitest"
import {
  openAiError,
  openAiErrorBody,
  type OpenAiErrorCode,
  openAiErrorFrame,
  openAiErrors
} from "../../src/gateway/OpenAiError.ts"

const codes: ReadonlyArray<[OpenAiErrorCode, number, boolean]> = [
  ["invalid_request_error", 400, false],
  ["unsupported_parameter", 400, false],
  ["invalid_api_key", 401, false],
  ["insufficient_quota", 402, false],
  ["model_not_allowed", 403, false],
  ["key_limit_exceeded", 403, false],
  ["model_not_found", 404, false],
  ["not_found", 404, false],
  ["request_too_large", 413, false],
  ["subscription_quota_exceeded", 429, false],
  ["rate_limit_exceeded", 429, true],
  ["upstream_rate_limited", 429, true],
  ["upstream_error", 502, true],
  ["upstream_timeout", 504, true],
  ["service_unavailable", 503, true]
]

describe("OpenAiError", () => {
  it.each(codes)("%s is a %d, retry %s", (code, status, retry) => {
    assert.deepStrictEqual([openAiErrors[code].status, openAiErrors[code].retry], [status, retry])
  })

  it("lists every code", () => {
    assert.sameMembers(Object.keys(openAiErrors), codes.map(([code]) => code))
  })

  it("has OpenAI's shape, whatever else the error carries", () => {
    const error = { ...openAiError("model_not_found", 'No "x".', "model"), secret: "sk-1" }
    assert.strictEqual(
      openAiErrorBody(error),
      '{"error":{"message":"No \\"x\\".","type":"invalid_request_error","param":"model","code":"model_not_found"}}'
    )
  })

  it("ends a stream in the words of its dialect", () => {
    const error = openAiError("insufficient_quota", "Line one\nline two")
    assert.strictEqual(openAiErrorFrame("chat", error), `data: ${openAiErrorBody(error)}\n\n`)
    const [event, data, ...rest] = openAiErrorFrame("responses", error, 7).split("\n")
    assert.deepStrictEqual([event, ...rest], ["event: error", "", ""])
    assert.deepStrictEqual(JSON.parse(data?.slice("data: ".length) ?? ""), {
      type: "error",
      code: "insufficient_quota",
      message: "Line one\nline two",
      param: null,
      sequence_number: 7
    })
  })
})
