import { assert, describe, it } from "@effect/vitest"
import { openAiError, openAiErrorBody, type OpenAiErrorCode, openAiErrors } from "../../src/gateway/OpenAiError.ts"

const codes: ReadonlyArray<[OpenAiErrorCode, number, boolean]> = [
  ["invalid_request_error", 400, false],
  ["unsupported_parameter", 400, false],
  ["context_length_exceeded", 400, false],
  ["reference_not_found", 400, false],
  ["invalid_api_key", 401, false],
  ["insufficient_quota", 402, false],
  ["model_not_allowed", 403, false],
  ["key_limit_exceeded", 403, false],
  ["network_not_allowed", 403, false],
  ["model_not_found", 404, false],
  ["not_found", 404, false],
  ["request_timeout", 408, true],
  ["idempotency_mismatch", 409, false],
  ["idempotency_unknown", 409, true],
  ["idempotency_not_kept", 409, false],
  ["request_too_large", 413, false],
  ["unsupported_media_type", 415, false],
  ["funds_held", 429, true],
  ["subscription_quota_exceeded", 429, false],
  ["rate_limit_exceeded", 429, true],
  ["upstream_rate_limited", 429, true],
  ["answer_too_large", 502, false],
  ["upstream_error", 502, true],
  ["upstream_timeout", 504, true],
  ["service_unavailable", 503, true],
  ["server_is_overloaded", 503, true]
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
})
