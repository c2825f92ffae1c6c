/**
 * How errors of upstreams are sorted, in the words in which providers really say them: what goes to the next channel, what the
 * breaker counts it for, what passes to the client and in which words.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { FAILURE_MESSAGE_CHARS_MAX } from "../../../src/gateway/meter/FrameFailure.ts"
import { saidBy } from "../../../src/gateway/upstream/QuietStream.ts"
import { cleaned, problemOf, saidIn, type UpstreamProblem } from "../../../src/gateway/upstream/UpstreamProblem.ts"
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
  [403, error("The model requires moderation, your input was flagged"), "pass"],
  // Models that are not there, in other words.
  [400, { message: "The provided model identifier is invalid." }, "next model"],
  [400, error("The model `gpt-x` is no longer available"), "next model"],
  [400, error("This model was retired on 2026-01-01."), "next model"],
  [400, error("This model version has reached end of life"), "next model"],
  [403, { code: 30003, message: "Model disabled.", data: null }, "next model"],
  [403, { code: "Model.AccessDenied", message: "Model access denied." }, "next model"],
  [403, { error: "this model requires a subscription, upgrade for access: https://x.y" }, "next model"],
  [
    400,
    { error: { code: "ModelNotOpen", message: "Your account 2100012345 has not activated the model x." } },
    "next model"
  ],
  [400, error("The model is blocked at the project level", "model_permission_blocked_project"), "next model"],
  [400, { error: "No models loaded. Please load a model in the developer page." }, "next model"],
  [400, error("API version not supported", "BadRequest"), "next model"],
  [400, { success: false, errors: [{ code: 7000, message: "No route for that URI" }] }, "next model"],
  [400, error("该模型已下线"), "next model"],
  [400, error("The model does not support image input"), "pass"],
  [400, error("Thinking is disabled for this model"), "pass"],
  // Accounts, regions and keys, in other words and another language.
  [
    400,
    { message: "Access to Anthropic models is not allowed from unsupported countries, regions, or territories." },
    "next model"
  ],
  [403, { message: "The request signature we calculated does not match the signature you provided." }, "next channel"],
  [400, error("The subscription 1234-5678 is not registered", "SubscriptionNotRegistered"), "next channel"],
  [400, error("The long context beta is not yet available for this subscription."), "next model"],
  [403, error("Free credits temporarily have restricted access due to abuse."), "next channel"],
  [403, { error: "Cannot access gated repo" }, "next model"],
  [
    429,
    error(
      "You exceeded your current token quota: 3000, please check your account balance",
      null,
      "exceeded_quota_error"
    ),
    "next channel"
  ],
  [400, error("Authorization Token非法，请确认Authorization Token正确传递。", "1002"), "next model"],
  [400, error("您的账户已被锁定，请联系客服解锁", "1112"), "next model"],
  [403, error("该令牌状态不可用", null, "new_api_error", ""), "next channel"],
  [400, error("无效的令牌 (request id: 2025)", null, "one_api_error", ""), "next model"],
  [403, error("您的 IP 不在令牌允许访问的列表中", null, "new_api_error", ""), "next model"],
  [400, error("max_tokens 参数非法", "1210"), "pass"],
  [400, error("frequency_penalty 频率惩罚参数超出范围", "1210"), "pass"],
  [400, error("Unterminated string in JSON at position 5"), "pass"],
  [400, error("Invalid token in JSON at position 5"), "pass"],
  [400, { error: { message: "This service is not available in your region" } }, "next model"],
  [
    403,
    { statusCode: 403, message: "Out of call volume quota. Quota will be replenished in 10:12:00." },
    "next channel"
  ],
  [400, error("You have reached your monthly request limit"), "next model"],
  [403, error("Not enough credits to run this model"), "next channel"],
  [403, error("Your account has been flagged for unusual activity"), "next channel"],
  [403, { message: "You cannot consume this service" }, "next model"],
  [400, { error: "The endpoint is paused, ask a maintainer to restart it" }, "next model"],
  [400, error("anthropic-version: header is required"), "next model"],
  [400, error("There are no healthy deployments for this model"), "next model"],
  [400, error("餘額不足，請儲值"), "next model"],
  [403, error("帳戶已被凍結"), "next channel"],
  [400, error("APIキーが無効です"), "next model"],
  [403, error("クレジットが不足しています"), "next channel"],
  [403, error("잔액이 부족합니다"), "next channel"],
  [403, error("Недостаточно средств на балансе"), "next channel"],
  [400, error("リクエストが多すぎます"), "next model upstream_rate_limited"],
  [400, error("画像の形式が正しくありません"), "pass"],
  [400, error("지원되지 않는 이미지 형식입니다"), "pass"],
  [400, error("Неверный формат изображения"), "pass"],
  [400, error("内容格式错误"), "pass"],
  // The rate, in other words.
  [400, { __type: "ThrottlingException", message: "Too many tokens, please wait" }, "next model upstream_rate_limited"],
  [400, error("该模型当前访问量过大，请您稍后再试", "1305"), "next model upstream_rate_limited"]
]

/** Errors inside an answer, which name no status. */
const framed: ReadonlyArray<readonly [unknown, string]> = [
  [{ error: { message: "boom", type: "server_error" } }, "next model"],
  [{ type: "error", error: { type: "authentication_error", message: "x" } }, "next channel"],
  [{ base_resp: { status_code: 1004, status_msg: "login fail: Please carry the API secret key" } }, "next model"],
  [{ error: { message: "Too many tokens, please wait before trying again." } }, "next model upstream_rate_limited"],
  [{ error: { message: "请求过于频繁，请稍后再试", code: "1302" } }, "next model upstream_rate_limited"],
  [{ error: { message: "Model names are case-sensitive: x does not exist" } }, "next model"],
  ...[
    "This model's maximum context length is 10 tokens",
    "the request exceeds the available context size, try increasing it",
    "Input is too long for requested model.",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Range of input length should be [1, 129024]",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
    "Please reduce the length of the messages or completion.",
    "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
    "Your request exceeded model token limit: 8192 (requested: 9000)",
    "total message token length exceed model limit",
    "输入长度超过模型最大长度限制",
    "Prompt 超长",
    "上下文长度超出限制",
    "コンテキスト長を超えています",
    "컨텍스트 길이를 초과했습니다",
    "Запрос превышает длину контекста",
    "Output data may contain inappropriate content.",
    "Content Exists Risk",
    "prompt blocked: PROHIBITED_CONTENT",
    "input new_sensitive",
    "系统检测到输入或生成内容可能包含不安全或敏感内容"
  ].map((message): readonly [unknown, string] => [{ error: { message } }, "pass"])
]

const outcomeOf = (problem: UpstreamProblem): string =>
  problem._tag === "RequestRefused"
    ? "pass"
    : `next ${problem.scope ?? "none"}${problem.code === "upstream_error" ? "" : ` ${problem.code}`}${
      problem.refusal === undefined ? "" : ", then pass"
    }`

describe("UpstreamProblem", () => {
  for (const [status, body, expected] of table) {
    it(`${status} ${JSON.stringify(body).slice(0, 90)}: ${expected}`, () => {
      assert.strictEqual(outcomeOf(judge(status, body)), expected)
    })
  }

  for (const [frame, expected] of framed) {
    it(`in an answer, ${JSON.stringify(frame).slice(0, 90)}: ${expected}`, () => {
      const said = saidBy(Buffer.from(JSON.stringify(frame)))
      assert.strictEqual(said && outcomeOf(problemOf(saidIn(said), context)), expected)
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

  it("reads no more of a message and of names than it takes", () => {
    const long = "model ".repeat(100_000)
    const said = saidErrorOf(400, JSON.stringify({ error: { message: long, code: long, type: long, param: long } }))
    assert.strictEqual(said.message.length, FAILURE_MESSAGE_CHARS_MAX)
    assert.deepStrictEqual([said.code, said.type, said.param].map((name) => name?.length), [256, 256, 256])
    assert.strictEqual(
      saidErrorOf(400, JSON.stringify({ detail: [long, long] })).message.length,
      FAILURE_MESSAGE_CHARS_MAX
    )
  })

  it("keeps names of the operator to itself", () => {
    assert.strictEqual(cleaned("internal-gpt-7 is too small", context), "gpt is too small")
    assert.strictEqual(cleaned("INTERNAL-GPT-7 is too small", context), "gpt is too small")
    const named = judge(400, error("x", "internal-gpt-7", "internal-gpt-7", "internal-gpt-7.x"))
    assert.notInclude(JSON.stringify(named), "internal")
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
        "ak-f5cacmeacme",
        "AKIAIOSACMEXAMPLE",
        "eyJhbGciOiJIUzI1acme.eyJzdWIiacme.acme",
        "account 210123456789",
        "账号：acme123456",
        "/subscriptions/acme-1/resourceGroups/acme",
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
    assert.strictEqual(read({ "retry-after-ms": "", "retry-after": "9" }), 9)
    assert.strictEqual(read({ "retry-after": "9s" }), 9)
    assert.strictEqual(read({ "retry-after": "9, 30" }), 9)
    assert.strictEqual(read({ "retry-after": "99999999" }), 3_600)
    assert.isUndefined(read({ "retry-after": "soon" }))
    assert.isUndefined(read({}))
  })
})
