/**
 * How errors of upstreams are sorted, in the words in which providers really say them: what goes to the next channel, what the
 * breaker counts it for, what passes to the client and in which words.
 */
import { assert, describe, it } from "@effect/vitest"
import { cleaned, problemOf } from "../../../src/gateway/upstream/UpstreamProblem.ts"
import { retryAfterOf, saidErrorOf } from "../../../src/gateway/upstream/SaidError.ts"

const context = { channel: "one", model: "gpt", upstreamModel: "internal-gpt-7", retryAfterSeconds: undefined }

const judge = (status: number, body: unknown) =>
  problemOf(saidErrorOf(status, typeof body === "string" ? body : JSON.stringify(body)), context)

const error = (message: string, code: string | null = null, type = "", param: string | null = null) => ({
  error: { message, type, param, code }
})

// status, body, what becomes of it: "next model", "next channel", "next none" (with a kept refusal) or "pass"
const table: ReadonlyArray<readonly [number, unknown, string]> = [
  [500, error("boom"), "next model"],
  [503, "<html>busy</html>", "next model"],
  [529, error("Overloaded", null, "overloaded_error"), "next model"],
  [301, "", "next model"],
  [429, error("Rate limit reached", "rate_limit_exceeded"), "next model upstream_rate_limited"],
  [429, error("You exceeded your current quota, please check your plan", "insufficient_quota"), "next channel"],
  [401, error("Incorrect API key provided: sk-abcdef123456", "invalid_api_key"), "next channel"],
  [402, error("Insufficient Balance"), "next channel"],
  [403, error("Your account has been suspended"), "next channel"],
  [403, error("API key is not valid for this project"), "next channel"],
  [403, error("This content is not for you"), "pass"],
  [
    400,
    error("Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"),
    "next model"
  ],
  [400, error("API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"), "next model"],
  [400, error("User location is not supported for the API use."), "next model"],
  [400, error("tool 'process_payment' is not known"), "next model"],
  [400, error("The model `x` does not exist", "model_not_found"), "next model"],
  [404, error("The API deployment for this resource does not exist.", "DeploymentNotFound"), "next model"],
  [404, "404 page not found", "next model"],
  [404, error("Previous response with id 'resp_1' not found.", "previous_response_not_found"), "pass"],
  [408, error("timeout"), "next model upstream_timeout"],
  [
    413,
    error("Request too large for gpt in organization org-abcdef12 on tokens per min (TPM)", "rate_limit_exceeded"),
    "next model"
  ],
  [413, error("Payload too large"), "pass"],
  [400, error("This model's maximum context length is 8192 tokens", "context_length_exceeded"), "pass"],
  [400, error("Invalid value: 'billing'", "invalid_value", "invalid_request_error", "messages[0].role"), "pass"],
  [
    400,
    { object: "error", message: "This model's maximum context length is 10", type: "BadRequestError", code: 400 },
    "pass"
  ],
  [422, { detail: [{ loc: ["body"], msg: "field required", type: "missing" }] }, "pass"],
  [400, error("The encrypted content for item rs_1 could not be verified", "invalid_encrypted_content"), "next none"],
  [418, error("teapot"), "pass"]
]

describe("UpstreamProblem", () => {
  for (const [status, body, expected] of table) {
    it(`${status} ${JSON.stringify(body).slice(0, 90)}: ${expected}`, () => {
      const problem = judge(status, body)
      const found = problem._tag === "RequestRefused"
        ? "pass"
        : `next ${problem.scope ?? "none"}${problem.code === "upstream_error" ? "" : ` ${problem.code}`}`
      assert.strictEqual(found, expected)
    })
  }

  it("keeps the message wherever it stands", () => {
    const messages = [
      { error: { message: "too long" } },
      { message: "too long" },
      { detail: "too long" },
      { error: "too long" },
      [{ error: { message: "too long" } }],
      { errors: [{ message: "too long" }] },
      "too long"
    ].map((body) => {
      const problem = judge(422, body)
      return problem._tag === "RequestRefused" ? problem.error.message : problem._tag
    })
    assert.deepStrictEqual(new Set(messages), new Set(["too long"]))
  })

  it("keeps names of the operator to itself", () => {
    assert.strictEqual(cleaned("internal-gpt-7 is too small", context), "gpt is too small")
    assert.strictEqual(cleaned("key sk-abcdef123456 of acct_1234567", context), "key [hidden] of [hidden]")
    assert.notMatch(cleaned("Limit reached in organization org-abcdef12", context), /org-|organi/)
    assert.notMatch(cleaned("Bearer abc.def is wrong", context), /abc\.def/)
  })

  it("reads Retry-After as seconds, date or milliseconds", () => {
    const nowMs = Date.UTC(2026, 10, 28, 12, 0, 0)
    const read = (headers: Readonly<Record<string, string>>) => retryAfterOf((name) => headers[name], nowMs)
    assert.strictEqual(read({ "retry-after": "7" }), 7)
    assert.strictEqual(read({ "retry-after": "0.3" }), 1)
    assert.strictEqual(read({ "retry-after": "Sat, 28 Nov 2026 12:00:20 GMT" }), 20)
    assert.strictEqual(read({ "retry-after": "Sat, 28 Nov 2026 11:00:20 GMT" }), 0)
    assert.strictEqual(read({ "retry-after-ms": "1500", "retry-after": "9" }), 2)
    assert.strictEqual(read({ "retry-after": "99999999" }), 3_600)
    assert.isUndefined(read({ "retry-after": "soon" }))
    assert.isUndefined(read({}))
  })
})
