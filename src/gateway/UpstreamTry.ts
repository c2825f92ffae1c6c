/**
 * What one try of a channel came to, and how an upstream's answer is sorted into it: the operator's affairs and faults go to
 * the next channel, the client's mistakes go back to the client.
 *
 * @internal
 */
import type { Channel } from "../channels/Channels.ts"
import { type CallRefused, UpstreamRefused } from "./CallError.ts"
import type { Exchange } from "./Exchange.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import { type OpenAiError, openAiError, openAiErrorBody, type OpenAiErrorCode } from "./OpenAiError.ts"
import type { UpstreamFailure } from "./UpstreamClient.ts"

/** What one try came to. */
export type Try =
  | { readonly _tag: "Answered" }
  | { readonly _tag: "Passed"; readonly refusal: UpstreamRefused }
  /** Refused by the gateway itself after the upstream had worked; settled already. */
  | { readonly _tag: "Refused"; readonly refusal: CallRefused }
  | { readonly _tag: "Stopped" }
  | {
    readonly _tag: "Failed"
    readonly code: OpenAiErrorCode
    readonly retryAfterSeconds: number | undefined
    readonly why: string
  }

/** A try that got no answer. */
export const failureTry = (failure: UpstreamFailure): Try => ({
  _tag: "Failed",
  code: failure.kind === "timeout" ? "upstream_timeout" : "upstream_error",
  retryAfterSeconds: undefined,
  why: failure.message
})

/** The operator's affair (keys, quotas), overload and faults go to the next channel; the client's mistakes go back. */
export const refusedTry = (channel: Channel, exchange: Exchange, body: Buffer): Try => {
  const { status } = exchange
  const text = body.toString("utf8")
  const json = parseJson(text)
  const error = isObject(json) && isObject(json.error) ? json.error : undefined
  const exhausted = error?.code === "insufficient_quota" || error?.type === "insufficient_quota"
  const why = `${channel.name} answered ${status}`
  if (status === 429 && !exhausted) {
    const seconds = Number(exchange.header("retry-after") ?? "1")
    const retryAfterSeconds = Number.isFinite(seconds) && seconds >= 0 ? Math.min(Math.ceil(seconds), 3_600) : 1
    return { _tag: "Failed", code: "upstream_rate_limited", retryAfterSeconds, why }
  }
  if (status === 408) return { _tag: "Failed", code: "upstream_timeout", retryAfterSeconds: undefined, why }
  if (status < 400 || status >= 500 || exhausted || status === 401 || status === 402 || status === 403) {
    return { _tag: "Failed", code: "upstream_error", retryAfterSeconds: undefined, why }
  }
  const passed = openAiErrorBody(error === undefined ? refusedError : passedError(error))
  return { _tag: "Passed", refusal: new UpstreamRefused({ status, body: passed }) }
}

/** Why a 200 is no answer; undefined when it is one. */
export const brokenAnswer = (json: unknown, stream: boolean): string | undefined => {
  if (stream) return "the upstream did not stream"
  if (!isObject(json)) return "the upstream's answer is not JSON"
  if (isObject(json.error)) return "the upstream answered 200 with an error"
  if (!Array.isArray(json.choices) && !Array.isArray(json.output)) return "the upstream's answer has no content"
  return undefined
}

const refusedError: OpenAiError = openAiError("invalid_request_error", "The upstream refused this request.")

const secretLike = /sk-|bearer|org-/i

const textOr = <A>(value: unknown, otherwise: A): string | A => typeof value === "string" ? value : otherwise

/** What of an upstream's error a client may see: not its other fields, and no text that may name the operator's account. */
const passedError = (error: { readonly [key: string]: unknown }): OpenAiError => {
  const message = textOr(error.message, refusedError.message)
  return {
    message: secretLike.test(message) ? refusedError.message : message,
    type: textOr(error.type, refusedError.type),
    param: textOr(error.param, null),
    code: textOr(error.code, null)
  }
}
