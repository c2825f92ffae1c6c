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

// status, body, what becomes of it: "next model", "next channel", "next none", or "pass"; "then pass" where
// the upstream's refusal is given when no channel is left
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
  [
    400,
    error("The encrypted content for item rs_1 could not be verified", "invalid_encrypted_content"),
    "next none, then pass"
  ],
  [418, error("teapot"), "pass"],
  // Proxies write an empty or absent parameter as text.
  [403, error("user quota is not enough", "insufficient_user_quota", "new_api_error", ""), "next channel"],
  [400, error("AnthropicException - Your credit balance is too low", "400", "None", "None"), "next model"],
  [400, error("Budget has been exceeded! Current cost: 12, Max budget: 10", "400", "budget_exceeded"), "next channel"],
  [400, error("/chat/completions: Invalid model name passed in model=x", "400", "None", "None"), "next model"],
  // Money and accounts, in other words.
  [403, { code: 30001, message: "Sorry, your account balance is insufficient", data: null }, "next channel"],
  [403, error("The free tier of the model has been exhausted", "AllocationQuota.FreeTierOnly"), "next channel"],
  [403, { code: "x", error: "Your newly created team doesn't have any credits or licenses yet" }, "next channel"],
  [403, error("Key limit exceeded (total limit)"), "next channel"],
  [400, error("You have reached your specified API usage limits."), "next model"],
  [400, error("This request would exceed your workspace's monthly spend limit."), "next model"],
  [400, error("This organization has been disabled."), "next model"],
  [400, error("Organization has been restricted.", "organization_restricted"), "next channel"],
  [
    400,
    error("Your organization must be verified to stream this model.", "unsupported_value", "", "stream"),
    "next model"
  ],
  // What the key may not do.
  [403, error("Your API key does not have permission to use the specified resource."), "next model"],
  [403, error("Your API key was reported as leaked. Please use another API key."), "next channel"],
  [403, error("Your project has been denied access.", null, "PERMISSION_DENIED"), "next channel"],
  [403, { message: "Forbidden" }, "next model"],
  [403, { message: "You don't have access to the model with the specified model ID." }, "next model"],
  [403, error("team not allowed to access model", "403", "team_model_access_denied", "model"), "next model"],
  [400, error("Model internal-gpt-7 is enabled only for api versions 2025-03-01-preview and later"), "next model"],
  [400, error("Unable to access non-serverless model x.", "model_not_available"), "next model"],
  // The rate, with another status.
  [
    400,
    { __type: "ThrottlingException", message: "Too many requests, please wait" },
    "next model upstream_rate_limited"
  ],
  [413, error("Request body too large for gpt-4o model. Max size: 8000 tokens.", "tokens_limit_reached"), "next model"],
  [498, error("Flex tier capacity exceeded", "capacity_exceeded"), "next model"],
  // Whatever stands before the upstream.
  [403, "<!DOCTYPE html><title>Just a moment...</title>", "next model"],
  [403, "error code: 1020", "next model"],
  [413, "<html><title>413 Request Entity Too Large</title>", "next model, then pass"],
  [415, error("Unsupported media type"), "next model"],
  // A thinking budget is the request's.
  [400, error("`max_tokens` must be greater than `thinking.budget_tokens`"), "pass"],
  [400, error("Budget 0 is invalid. This model only works in thinking mode."), "pass"],
  [403, error("The model requires moderation, your input was flagged"), "pass"]
]

describe("UpstreamProblem", () => {
  for (const [status, body, expected] of table) {
    it(`${status} ${JSON.stringify(body).slice(0, 90)}: ${expected}`, () => {
      const problem = judge(status, body)
      const found = problem._tag === "RequestRefused"
        ? "pass"
        : `next ${problem.scope ?? "none"}${problem.code === "upstream_error" ? "" : ` ${problem.code}`}${
          problem.refusal === undefined ? "" : ", then pass"
        }`
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
      { message: { detail: [{ loc: ["body", "x"], msg: "too long" }] } },
      { Message: "too long" },
      { error: { message: "Provider returned error", metadata: { raw: '{"error":{"message":"too long"}}' } } },
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
    for (
      const name of [
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x",
        "projects/acme-llm-7/locations/us",
        "https://acme-llm.openai.azure.com/openai",
        "gsk_abcdef1234567890",
        "org-acmeacme",
        "AIzaSyA1234567890abcdefghijkl"
      ]
    ) {
      assert.notMatch(cleaned(`Invalid value for ${name}, see the docs`, context), /acme|123456/)
    }
    assert.strictEqual(cleaned("A user-provided image is too large", context), "A user-provided image is too large")
  })

  it("reads Retry-After as seconds, date or milliseconds", () => {
    const nowMs = Date.UTC(2026, 10, 28, 12, 0, 0)
    const read = (headers: Readonly<Record<string, string>>) => retryAfterOf((name) => headers[name], nowMs)
    assert.strictEqual(read({ "retry-after": "7" }), 7)
    assert.strictEqual(read({ "retry-after": "0.3" }), 1)
    assert.strictEqual(read({ "retry-after": "Sat, 28 Nov 2026 12:00:20 GMT" }), 20)
    assert.strictEqual(read({ "retry-after": "Saturday, 28-Nov-26 12:00:20 GMT" }), 20)
    assert.strictEqual(read({ "retry-after": "Sat Nov 28 12:00:20 2026" }), 20)
    assert.strictEqual(read({ "retry-after": "2026-11-28T12:00:20Z" }), 20)
    assert.strictEqual(read({ "retry-after": "Sat, 28 Nov 2026 11:00:20 GMT" }), 0)
    assert.strictEqual(read({ "retry-after-ms": "1500", "retry-after": "9" }), 2)
    assert.strictEqual(read({ "retry-after": "99999999" }), 3_600)
    assert.isUndefined(read({ "retry-after": "soon" }))
    assert.isUndefined(read({}))
  })
})
