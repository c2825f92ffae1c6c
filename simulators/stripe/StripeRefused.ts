/**
 * How the simulated Stripe refuses: the error object that Stripe's API answers with, its status, and its words.
 */

export interface StripeRefusal {
  readonly status: number
  readonly type: "invalid_request_error" | "idempotency_error" | "api_error"
  readonly code?: string | undefined
  readonly param?: string | undefined
  readonly message: string
}

/** Thrown by what cannot be done; the API answers it, the control of a test lets it through. */
export class StripeRefused extends Error {
  readonly refusal: StripeRefusal

  constructor(refusal: StripeRefusal) {
    super(refusal.message)
    this.name = "StripeRefused"
    this.refusal = refusal
  }
}

export const errorBody = ({ code, message, param, type }: StripeRefusal): string =>
  JSON.stringify({
    error: {
      ...(code === undefined
        ? {}
        : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}` }),
      message,
      ...(param === undefined ? {} : { param }),
      type
    }
  })

/** A request that is wrong: status 400. */
export const invalid = (message: string, code?: string, param?: string): StripeRefusal => ({
  status: 400,
  type: "invalid_request_error",
  code,
  param,
  message
})

export const missing = (param: string): StripeRefusal =>
  invalid(`Missing required param: ${param}.`, "parameter_missing", param)

export const notFound = (kind: string, id: string, param = "id"): StripeRefusal => ({
  status: 404,
  type: "invalid_request_error",
  code: "resource_missing",
  param,
  message: `No such ${kind}: '${id}'`
})

export const noSuchUrl = (method: string, path: string): StripeRefusal => ({
  status: 404,
  type: "invalid_request_error",
  message: `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at ` +
    "https://support.stripe.com/."
})

/** The key itself is not repeated, only its last characters. */
export const unauthorized = (key: string | undefined): StripeRefusal => ({
  status: 401,
  type: "invalid_request_error",
  message: key === undefined
    ? "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth."
    : `Invalid API Key provided: sk_test_****${key.slice(-4)}`
})

export const idempotencyConflict = (key: string): StripeRefusal => ({
  status: 400,
  type: "idempotency_error",
  message: "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
    `Try using a key other than '${key}' if you meant to execute a different request.`
})

/** What a fault's status looks like. */
export const faultRefusal = (status: number, code?: string): StripeRefusal =>
  status >= 500
    ? { status, type: "api_error", code, message: "An unknown error occurred." }
    : {
      status,
      type: "invalid_request_error",
      code: code ?? (status === 429 ? "rate_limit" : status === 409 ? "idempotency_key_in_use" : undefined),
      message: status === 429 ? "Request rate limit exceeded." : "The request was refused."
    }
