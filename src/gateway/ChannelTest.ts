/**
 * Asks a channel whether it works, by the smallest real call: a word, answered by a token. It does not go through the accounts:
 * nobody pays for it here, it is not usage, and no breaker counts it. The upstream bills the owner of the key. What the upstream said
 * is not repeated, because it may quote a key; the outcome is in our own words.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import type { ChannelModelUnknown, ChannelNotFound } from "../channels/ChannelError.ts"
import { type ChannelEndpoint, ChannelKeyAdmin } from "../channels/ChannelKeyAdmin.ts"
import type { FailureReason } from "../channels/FailureReason.ts"
import { KeyJudgement } from "../channels/KeyJudgement.ts"
import type { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import { reasonOfFailure, reasonOfStatus } from "./upstream/UpstreamAsk.ts"
import { UpstreamClient, type UpstreamFailure } from "./upstream/UpstreamClient.ts"

/** Tests of several channels under way at once, at most. */
export const TESTS_AT_ONCE_MAX = 4

/** From the question to the last byte of the answer, in milliseconds. Replaced in tests. */
export const ChannelTestMsMax = Context.Reference<number>("realms/gateway/ChannelTest/MsMax", {
  defaultValue: () => 20_000
})

export interface ChannelTestOutcome {
  readonly model: string
  /** Null: it works. */
  readonly reason: FailureReason | null
  /** The HTTP status; null where there was no answer. */
  readonly status: number | null
  readonly latencyMs: number
}

export class ChannelTest extends Context.Service<ChannelTest, {
  /**
   * Calls a channel for one of its models; config-managed and disabled ones too. Takes 20 seconds at most. Without a key it is called
   * with that which calls would rather use. What is learned of the key counts; what comes of it is kept.
   */
  run(
    channelId: ChannelId,
    model: string,
    keyId?: ChannelKeyId
  ): Effect.Effect<ChannelTestOutcome, ChannelNotFound | ChannelModelUnknown | DatabaseUnavailable>
}>()("realms/gateway/ChannelTest") {
  static readonly layer = Layer.effect(ChannelTest)(Effect.gen(function*() {
    const keys = yield* ChannelKeyAdmin
    const judgement = yield* KeyJudgement
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

    const run = Effect.fn("ChannelTest.run")(function*(channelId: ChannelId, model: string, keyId?: ChannelKeyId) {
      const startedMs = yield* Clock.currentTimeMillis
      const verdict = yield* keys.endpoint(channelId, model, keyId).pipe(
        Effect.flatMap((endpoint) =>
          Effect.tap(ask(endpoint), (asked) => judgement.judge(endpoint.keyId, asked, channelId))
        ),
        Effect.catchTag(
          "ChannelKeyMissing",
          ({ reason }) =>
            Effect.succeed<Verdict>({ status: null, reason: reason === "none" ? "no_key" : "key_unreadable" })
        )
      )
      const outcome = { model, ...verdict, latencyMs: (yield* Clock.currentTimeMillis) - startedMs }
      // That one of its keys does not work says nothing of the channel.
      if (keyId === undefined || outcome.reason === null) yield* judgement.keepTest(channelId, outcome)
      return outcome
    })

    return ChannelTest.of({ run })
  })).pipe(
    Layer.provide(UpstreamClient.layer)
  )
}

type Verdict = Pick<ChannelTestOutcome, "reason" | "status">

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
