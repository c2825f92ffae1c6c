/**
 * Ends a call after its last attempt: decides by how it ended and what was seen, settles, and only then finishes the answer.
 *
 * @internal
 */
import { Effect } from "effect"
import type { CallOutcome } from "../accounts/AccountState.ts"
import type { Channel } from "../channels/Channels.ts"
import type { UpstreamRefused } from "./CallError.ts"
import { CallRefused } from "./CallError.ts"
import { type CallEnd, decideEnd, type HowEnded } from "./CallEnd.ts"
import { type CallTimes, chargedOutcome, type Evidence, settledUsageOf } from "./CallRecord.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { nothingReported } from "./meter/Reported.ts"
import { type OpenAiError, openAiError, type OpenAiErrorCode, openAiErrors } from "./OpenAiError.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { StreamPlace } from "./Reply.ts"
import type { Dialect } from "./request/Call.ts"
import { settleCharged, settleReturned } from "./Settling.ts"
import type { UpstreamProblem } from "./upstream/UpstreamProblem.ts"

/** The call is settled and answered. `verdict`: of the channel, for its breaker. */
export interface Done {
  readonly _tag: "Done"
  readonly verdict: "succeeded" | "failed" | "none"
}

export const done = (verdict: Done["verdict"]): Done => ({ _tag: "Done", verdict })

/** No output, no usage. */
export const nothingSeen: Evidence = {
  reported: nothingReported,
  hasOutput: false,
  outputLower: 0,
  outputAfterUsage: false,
  countOutput: Effect.succeed({ all: 0, afterUsage: 0 }),
  identity: undefined
}

export interface EndOptions {
  readonly how: HowEnded
  readonly sent: boolean
  readonly evidence: Evidence
  /** Called when it is decided what is charged, before that is settled. */
  readonly onOutcome?: (outcome: CallOutcome) => void
  /** Finishes a whole answer, once the money is settled. */
  readonly finish: () => void
  /** What an error frame continues. */
  readonly place?: StreamPlace
}

const messages: Partial<Record<OpenAiErrorCode, string>> = {
  insufficient_quota: "Your funds are used up. You are charged for what was delivered. Top up to continue.",
  key_limit_exceeded: "This key's spend limit is reached. You are charged for what was delivered.",
  server_is_overloaded: "The upstream ended this answer early. You are charged for what was delivered.",
  answer_too_large:
    "The upstream's answer is larger than this gateway passes on. You are charged for it. Please ask for less at once.",
  service_unavailable: "This answer had to end. You are charged for what was delivered. Please try again shortly."
}

const nothingCharged = "This call had to end. Nothing is charged for it. Please try again shortly."

/** Codes on which agents stop instead of coming back again and again. */
const frameCode = (code: OpenAiErrorCode, dialect: Dialect): OpenAiErrorCode => {
  if (code === "key_limit_exceeded") return "insufficient_quota"
  return code === "service_unavailable" && dialect === "responses" ? "server_is_overloaded" : code
}

/** Answers with an error: by its status, or by a frame where the answer has begun. */
export const refuse = (
  open: OpenCall,
  refusal: CallRefused | UpstreamRefused,
  place?: StreamPlace
): Effect.Effect<void, CallRefused | UpstreamRefused> => {
  const { context: { call }, reply } = open.basics
  if (!reply.hasBegun) {
    reply.quiet()
    return Effect.fail(refusal)
  }
  const error: OpenAiError = refusal._tag === "UpstreamRefused"
    ? refusal.error
    : openAiError(frameCode(refusal.code, call.dialect), refusal.message, refusal.param ?? null)
  return Effect.sync(() => reply.fail(error, place))
}

const timesOf = (services: GatewayServices, open: OpenCall): CallTimes => {
  const { state } = open
  const endedMs = services.now()
  return {
    sentMs: state._tag === "Sent" || state._tag === "Relaying" ? state.sentAtMs : endedMs,
    firstOutputMs: state._tag === "Relaying" ? state.firstOutputAtMs : null,
    endedMs
  }
}

export const endCall = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  options: EndOptions
): Effect.Effect<void, CallRefused | UpstreamRefused> => {
  const { evidence, how } = options
  const end = decideEnd(how, {
    sent: options.sent,
    output: evidence.hasOutput,
    clientLeft: open.basics.signal.reason === "client_gone"
  })
  const { basis } = end
  if (basis === null) {
    return Effect.flatMap(settleReturned(services, open, channel, end), () => concluded(open, end, options))
  }
  const { model, reply } = open.basics
  const times = timesOf(services, open)
  // An error that takes the place of an answer which has not begun goes out as a status.
  const status = typeof end.reply === "object" && !reply.hasBegun ? openAiErrors[end.reply.code].status : end.status
  const usage = settledUsageOf(services.counter, open, channel, end, basis, evidence, times)
  return Effect.flatMap(usage, (settled) => {
    if (settled.source === "upstream" && evidence.reported.reasoning > 0) {
      services.hidden.sawReasoning(channel, model.id)
    }
    const outcome = chargedOutcome(open, channel, { status, reason: end.reason }, evidence, settled, times)
    options.onOutcome?.(outcome)
    return Effect.flatMap(settleCharged(services, open, outcome), () => {
      if (end.reply === "rest") options.finish()
      return concluded(open, end, options)
    })
  })
}

/** What the client of a call that is settled still hears. */
const concluded = (
  open: OpenCall,
  { basis, reply }: CallEnd,
  options: EndOptions
): Effect.Effect<void, CallRefused | UpstreamRefused> => {
  if (reply === "none") open.basics.reply.destroy()
  if (reply === "none" || reply === "rest") return Effect.void
  const { code } = reply
  const message = basis === null ? nothingCharged : messages[code] ?? nothingCharged
  return refuse(open, new CallRefused({ code, message }), options.place)
}

/**
 * A problem of the upstream, unless the call was stopped meanwhile: then it ends here. `worked`: the upstream may have worked on
 * an answer that we broke off; one that answered with an error costs nothing.
 */
export const stoppedOr = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  worked: boolean,
  problem: UpstreamProblem
): Effect.Effect<UpstreamProblem | Done, CallRefused | UpstreamRefused> => {
  const { reason } = open.basics.signal
  if (reason === undefined) return Effect.succeed(problem)
  const ended = endCall(services, open, channel, {
    how: reason,
    sent: worked,
    evidence: nothingSeen,
    finish: () => undefined
  })
  return Effect.as(ended, done("none"))
}
