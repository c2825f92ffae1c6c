/**
 * Asks a channel whether it works, by the smallest real call: a word, answered by a token. It does not go through the accounts:
 * nobody pays for it, it is not usage, and the health of the channel does not change. What the upstream said is not repeated,
 * because it may quote a key; the outcome is in our own words.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { ChannelAdmin, type ChannelEndpoint } from "../channels/ChannelAdmin.ts"
import type { ChannelModelUnknown, ChannelNotFound } from "../channels/ChannelError.ts"
import type { ChannelId } from "../domain/Ids.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import { UpstreamClient, type UpstreamFailure } from "./upstream/UpstreamClient.ts"

/** From the question to the last byte of the answer, in milliseconds. Replaced in tests. */
export const ChannelTestMsMax = Context.Reference<number>("realms/gateway/ChannelTest/MsMax", {
  defaultValue: () => 20_000
})

/**
 * Why a test failed: there is no key here, or it does not open; the host may not be called, was not reached, did not answer in
 * time, or broke off; it refused the key, the payment, the address or model, the rate, or something else in the request; it
 * failed itself; or what it answered is no chat completion.
 */
export const channelTestReasons = [
  "no_key",
  "key_unreadable",
  "forbidden",
  "connect",
  "timeout",
  "broken",
  "unauthorized",
  "unpaid",
  "not_found",
  "rate_limited",
  "refused",
  "upstream_error",
  "not_chat"
] as const
export type ChannelTestReason = typeof channelTestReasons[number]

export interface ChannelTestOutcome {
  readonly model: string
  /** Null: it works. */
  readonly reason: ChannelTestReason | null
  /** The HTTP status; null where there was no answer. */
  readonly status: number | null
  readonly latencyMs: number
}

export class ChannelTest extends Context.Service<ChannelTest, {
  /** Calls a channel for one of its models; config-managed and disabled ones too. Takes 20 seconds at most. */
  run(
    channelId: ChannelId,
    model: string
  ): Effect.Effect<ChannelTestOutcome, ChannelNotFound | ChannelModelUnknown | DatabaseUnavailable>
}>()("realms/gateway/ChannelTest") {
  static readonly layer = Layer.effect(ChannelTest)(Effect.gen(function*() {
    const channels = yield* ChannelAdmin
    const client = yield* UpstreamClient
    const msMax = yield* ChannelTestMsMax

    const ask = Effect.fnUntraced(
      function*(endpoint: ChannelEndpoint) {
        const exchange = yield* client.send({
          baseUrl: endpoint.baseUrl,
          path: "/chat/completions",
          apiKey: Redacted.value(endpoint.apiKey),
          body: bodyOf(endpoint),
          headersTimeoutMs: msMax,
          idleTimeoutMs: msMax
        }, () => undefined)
        const body = yield* client.readShort(yield* client.bodyOf(exchange))
        return verdictOf(exchange.status, body.toString("utf8"))
      },
      Effect.timeoutOrElse({
        duration: msMax,
        orElse: () => Effect.succeed<Verdict>({ status: null, reason: "timeout" })
      }),
      Effect.catchTag(
        "UpstreamFailure",
        ({ kind }: UpstreamFailure) => Effect.succeed<Verdict>({ status: null, reason: reasonOfFailure(kind) })
      )
    )

    const run = Effect.fn("ChannelTest.run")(function*(channelId: ChannelId, model: string) {
      const startedMs = yield* Clock.currentTimeMillis
      const verdict = yield* channels.endpoint(channelId, model).pipe(
        Effect.flatMap(ask),
        Effect.catchTag(
          "ChannelKeyMissing",
          ({ reason }) =>
            Effect.succeed<Verdict>({ status: null, reason: reason === "none" ? "no_key" : "key_unreadable" })
        )
      )
      return { model, ...verdict, latencyMs: (yield* Clock.currentTimeMillis) - startedMs }
    })

    return ChannelTest.of({ run })
  })).pipe(
    Layer.provide(UpstreamClient.layer)
  )
}

/** Why no whole answer came. */
const reasonOfFailure = (kind: UpstreamFailure["kind"]): ChannelTestReason =>
  kind === "too_large" || kind === "no_room" ? "broken" : kind

type Verdict = Pick<ChannelTestOutcome, "reason" | "status">

const reasonOfStatus = (status: number, json: unknown): ChannelTestReason => {
  const error = isObject(json) && isObject(json.error) ? json.error : undefined
  if (error?.code === "insufficient_quota" || error?.type === "insufficient_quota" || status === 402) return "unpaid"
  switch (status) {
    case 401:
    case 403:
      return "unauthorized"
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

/** Judges a whole answer. */
const verdictOf = (status: number, body: string): Verdict => {
  const json = parseJson(body)
  if (status < 200 || status > 299) return { status, reason: reasonOfStatus(status, json) }
  return { status, reason: isObject(json) && Array.isArray(json.choices) ? null : "not_chat" }
}

/** A model that thinks before it answers refuses to do it in one token, and knows the limit by another name. */
const REASONING_TOKENS = 256

const bodyOf = ({ reasoning, upstreamModel }: ChannelEndpoint): Uint8Array =>
  Buffer.from(JSON.stringify({
    model: upstreamModel,
    messages: [{ role: "user", content: "Hi" }],
    ...(reasoning ? { max_completion_tokens: REASONING_TOKENS } : { max_tokens: 1 }),
    stream: false
  }))
