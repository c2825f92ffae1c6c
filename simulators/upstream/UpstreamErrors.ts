/**
 * What the simulated upstream says when it refuses or fails, in OpenAI's words. Some of them name the upstream's key,
 * as the real ones do: they must never reach a client of the gateway.
 */
import type { UpstreamFrame } from "./UpstreamAnswer.ts"
import type { Behaviour } from "./UpstreamBehaviour.ts"
import type { Endpoint } from "./UpstreamParameters.ts"

export const errorBody = (message: string, type: string, param: string | null, code: string | null): string =>
  JSON.stringify({ error: { message, type, param, code } })

export const serverError = errorBody(
  "The server had an error while processing your request.",
  "server_error",
  null,
  null
)
/** What a proxy in front of an upstream may say, with status 200. */
export const page =
  "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

/** What OpenAI says with a status; its words about a key name that key. */
const refusals: { readonly [status: number]: readonly [message: string, type: string, code: string | null] } = {
  400: ["Invalid request.", "invalid_request_error", null],
  401: ["Incorrect API key provided: {key}.", "invalid_request_error", "invalid_api_key"],
  403: ["Project of key {key} does not have access to the model.", "invalid_request_error", "model_not_found"],
  404: ["The model does not exist.", "invalid_request_error", "model_not_found"],
  429: ["Rate limit reached for requests.", "requests", "rate_limit_exceeded"]
}

/** The body of a refusal with the behaviour's status and code. */
export function refusalBody(behaviour: Behaviour, apiKey: string): string {
  const status = behaviour.status ?? 500
  const [message, type, code] = refusals[status] ?? (status < 500 ? otherRefusal : failure)
  return errorBody(message.replace("{key}", apiKey), type, null, behaviour.code ?? code)
}

const otherRefusal = ["Invalid request.", "invalid_request_error", null] as const
const failure = ["The server had an error while processing your request.", "server_error", null] as const

/** A stream's error. */
export const errorFrame = (endpoint: Endpoint): UpstreamFrame =>
  endpoint === "chat" ? { data: serverError, tokens: 0 } : {
    event: "error",
    data: JSON.stringify({ type: "error", code: "server_error", message: "The server had an error.", param: null }),
    tokens: 0
  }
