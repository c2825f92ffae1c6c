/**
 * Questions to upstreams besides calls, such as which models they have: a GET with a bounded answer and a bounded time, to addresses that
 * calls go to. What an upstream said is not repeated, since it may quote a key; the outcome is in our own words.
 */
import { Effect, Redacted } from "effect"
import type { FailureReason } from "../../channels/FailureReason.ts"
import { isObject, parseJson } from "../JsonValue.ts"
import type { UpstreamClient, UpstreamFailure } from "./UpstreamClient.ts"
import { UpstreamUnanswered } from "./UpstreamUnanswered.ts"

/** A question is answered within so many milliseconds, or it is not. */
export const ASK_MS_MAX = 20_000

/** Why no whole answer came. */
export const reasonOfFailure = (kind: UpstreamFailure["kind"]): FailureReason =>
  kind === "too_large" || kind === "no_room" ? "broken" : kind

/** What a status other than success says. */
export const reasonOfStatus = (status: number, json: unknown): FailureReason => {
  const error = isObject(json) && isObject(json.error) ? json.error : undefined
  if (error?.code === "insufficient_quota" || error?.type === "insufficient_quota" || status === 402) return "unpaid"
  switch (status) {
    case 401:
      return "unauthorized"
    case 403:
      // The key is good; it may not use this model.
      return typeof error?.code === "string" && /model|deployment/i.test(error.code) ? "not_found" : "unauthorized"
    case 404:
      return "not_found"
    case 408:
      return "timeout"
    case 429:
      return "rate_limited"
    default:
      return status >= 400 && status < 500 ? "refused" : "upstream_error"
  }
}

export interface UpstreamQuestion {
  readonly baseUrl: string
  /** Below the base URL, with its query. */
  readonly path: string
  readonly apiKey: Redacted.Redacted<string>
  /** Of the answer. */
  readonly bytesMax: number
}

/** The JSON of the answer. */
export const askUpstream = (
  client: UpstreamClient["Service"],
  { apiKey, baseUrl, bytesMax, path }: UpstreamQuestion
): Effect.Effect<unknown, UpstreamUnanswered> =>
  Effect.gen(function*() {
    const exchange = yield* client.send({
      baseUrl,
      path,
      apiKey: Redacted.value(apiKey),
      headersTimeoutMs: ASK_MS_MAX,
      idleTimeoutMs: ASK_MS_MAX
    }, () => undefined)
    const { status } = exchange
    const json = parseJson((yield* client.readUpTo(yield* client.bodyOf(exchange), bytesMax)).toString("utf8"))
    if (status < 200 || status > 299) {
      return yield* new UpstreamUnanswered({ reason: reasonOfStatus(status, json), status })
    }
    return json === undefined ? yield* new UpstreamUnanswered({ reason: "not_json", status }) : json
  }).pipe(
    Effect.catchTag(
      "UpstreamFailure",
      ({ kind }) => Effect.fail(new UpstreamUnanswered({ reason: reasonOfFailure(kind), status: null }))
    ),
    Effect.timeoutOrElse({
      duration: ASK_MS_MAX,
      orElse: () => Effect.fail(new UpstreamUnanswered({ reason: "timeout", status: null }))
    })
  )
