/**
 * The errors the gateway makes itself, in OpenAI's shape, so that any OpenAI SDK shows and treats them as its own.
 * One table fixes status, type and whether a client may try again; nothing else in the gateway spells them.
 */
/** What a code stands for. `retry: false` is sent as `x-should-retry: false`, or SDKs would retry a 429 for nothing. */
export interface OpenAiErrorKind {
  readonly status: number
  readonly type: string
  readonly retry: boolean
}

const kind = (status: number, type: string, retry = false): OpenAiErrorKind => ({ status, type, retry })

/** Every code a client of `/v1/*` can get from the gateway. */
export const openAiErrors = {
  invalid_request_error: kind(400, "invalid_request_error"),
  unsupported_parameter: kind(400, "invalid_request_error"),
  context_length_exceeded: kind(400, "invalid_request_error"),
  reference_not_found: kind(400, "invalid_request_error"),
  invalid_api_key: kind(401, "invalid_request_error"),
  insufficient_quota: kind(402, "insufficient_quota"),
  model_not_allowed: kind(403, "permission_error"),
  key_limit_exceeded: kind(403, "permission_error"),
  network_not_allowed: kind(403, "permission_error"),
  model_not_found: kind(404, "invalid_request_error"),
  not_found: kind(404, "invalid_request_error"),
  request_timeout: kind(408, "invalid_request_error", true),
  /** The key was sent with another body. */
  idempotency_mismatch: kind(409, "invalid_request_error"),
  /** Whether a call was made with the key is not known yet. */
  idempotency_unknown: kind(409, "invalid_request_error", true),
  /** A call was made with the key, and its answer is not kept. */
  idempotency_not_kept: kind(409, "invalid_request_error"),
  request_too_large: kind(413, "invalid_request_error"),
  unsupported_media_type: kind(415, "invalid_request_error"),
  funds_held: kind(429, "rate_limit_error", true),
  subscription_quota_exceeded: kind(429, "insufficient_quota"),
  rate_limit_exceeded: kind(429, "rate_limit_error", true),
  upstream_rate_limited: kind(429, "rate_limit_error", true),
  /** The upstream's answer is above the gateway's bound, and charged: trying it once more costs the same. */
  answer_too_large: kind(502, "server_error"),
  upstream_error: kind(502, "server_error", true),
  upstream_timeout: kind(504, "server_error", true),
  service_unavailable: kind(503, "server_error", true),
  /** In streams: agents that read it stop instead of coming back at once. */
  server_is_overloaded: kind(503, "server_error", true)
} as const

export type OpenAiErrorCode = keyof typeof openAiErrors

export interface OpenAiError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** The error of a code, with its type from the table. */
export const openAiError = (code: OpenAiErrorCode, message: string, param: string | null = null): OpenAiError => ({
  message,
  type: openAiErrors[code].type,
  param,
  code
})

/** The JSON body `{"error":{"message","type","param","code"}}`. */
export const openAiErrorBody = (error: OpenAiError): string =>
  JSON.stringify({ error: { message: error.message, type: error.type, param: error.param, code: error.code } })
