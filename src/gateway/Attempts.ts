/**
 * Takes a held call upstream: tries its channels in order until one gives output, and settles what comes of it. Another channel
 * is tried only while no output has come. What the channels did is reported to their breakers once, at the end of the call.
 */
import { Effect } from "effect"
import type { Channel } from "../channels/Channels.ts"
import type { SaidFailure } from "../channels/FailureReason.ts"
import type { ChannelId } from "../domain/Ids.ts"
import { decideEnd, type HowEnded } from "./CallEnd.ts"
import { CallRefused, UpstreamRefused } from "./CallError.ts"
import { refuse } from "./EndCall.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { attemptKeys, ATTEMPTS_MS_MAX, type AttemptsLeft, judgeOnlyKey, noteAnswered } from "./KeyAttempts.ts"
import { openAiErrorBody, openAiErrors } from "./OpenAiError.ts"
import type { OpenCall } from "./OpenCall.ts"
import { settleReturned } from "./Settling.ts"
import type { ChannelFailed, RequestRefused } from "./upstream/UpstreamProblem.ts"

/** Upstream attempts of one call, at most: each key that is tried is one. */
export const ATTEMPTS_MAX = 4

interface Failure {
  readonly channelId: ChannelId
  readonly scope: "model" | "channel"
  readonly said: SaidFailure
}

const brokenOff: SaidFailure = { reason: "broken", status: null }

const messages: Readonly<Record<ChannelFailed["code"], string>> = {
  upstream_error: "The upstream could not answer this request.",
  upstream_timeout: "The upstream did not answer in time.",
  upstream_rate_limited: "The upstream is rate limited at this moment. Please try again later.",
  rate_limit_exceeded: "Too many calls wait for this model's upstream. Please try again shortly."
}

/** Why nothing answered: an upstream's own refusal where one was kept, else our words for the last failure. */
const refusalOf = (
  last: ChannelFailed | undefined,
  kept: RequestRefused | undefined
): CallRefused | UpstreamRefused => {
  if (kept !== undefined) return passed(kept)
  const code = last?.code ?? "upstream_error"
  return new CallRefused({
    code,
    message: messages[code],
    ...(last?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: Math.max(1, last.retryAfterSeconds) })
  })
}

const passed = ({ error, status }: RequestRefused): UpstreamRefused =>
  new UpstreamRefused({ status, error, body: openAiErrorBody(error) })

export const runAttempts = Effect.fnUntraced(function*(
  services: GatewayServices,
  open: OpenCall,
  channels: ReadonlyArray<Channel>
) {
  const { context, model, signal } = open.basics
  const failures: Array<Failure> = []
  let last: ChannelFailed | undefined
  let kept: RequestRefused | undefined
  const left: AttemptsLeft = { count: ATTEMPTS_MAX, untilMs: undefined }
  let succeededOn: ChannelId | null = null
  let refused: RequestRefused | undefined
  let channel: Channel | undefined
  for (const next of channels) {
    if (left.count === 0 || (left.untilMs !== undefined && services.now() > left.untilMs)) break
    if (signal.reason !== undefined) break
    channel = next
    const attempted = yield* attemptKeys(services, open, next, left, next === channels.at(-1))
    if (attempted._tag === "Done") {
      if (attempted.verdict === "succeeded") {
        succeededOn = next.id
        noteAnswered(services, next)
      }
      if (attempted.verdict === "failed") failures.push({ channelId: next.id, scope: "model", said: brokenOff })
      break
    }
    if (attempted._tag === "RequestRefused") {
      refused = attempted
      break
    }
    last = attempted
    kept ??= attempted.refusal
    left.untilMs ??= services.now() + ATTEMPTS_MS_MAX
    const { said, scope } = attempted
    if (scope !== null) failures.push({ channelId: next.id, scope, said })
    judgeOnlyKey(services, open, next, attempted)
    if (attempted.retryAfterSeconds !== undefined) {
      services.health.avoid(context.key.userId, next.id, services.now() + attempted.retryAfterSeconds * 1_000)
    }
    services.noteFailure("a channel failed a call", () => ({
      channel: next.name,
      why: attempted.why,
      requestId: context.requestId
    }))
  }
  services.health.report(
    { userId: context.key.userId, modelId: model.id, failures, succeededOn },
    services.now()
  )
  if (open.isSettling) return
  if (signal.reason !== undefined) return yield* stopped(services, open, channel, signal.reason)
  const refusal = refused === undefined ? refusalOf(last, kept) : passed(refused)
  const end = refusal._tag === "UpstreamRefused"
    ? { status: refusal.status, reason: "upstream_refused" }
    : { status: openAiErrors[refusal.code].status, reason: refusal.code }
  yield* settleReturned(services, open, channel, end)
  return yield* refuse(open, refusal)
})

/** Stopped while no attempt was under way, so nothing is charged. */
const stopped = Effect.fnUntraced(function*(
  services: GatewayServices,
  open: OpenCall,
  channel: Channel | undefined,
  how: HowEnded
) {
  const end = decideEnd(how, { sent: false, output: false, clientLeft: false })
  yield* settleReturned(services, open, channel, end)
  if (end.reply === "none" || end.reply === "rest") return
  return yield* refuse(
    open,
    new CallRefused({ code: end.reply.code, message: "The server is stopping. Please try again shortly." })
  )
})
