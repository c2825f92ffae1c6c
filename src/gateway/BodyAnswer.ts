/**
 * An answer that is not streamed: read whole, judged, charged, and only then given to its client.
 *
 * @internal
 */
import { Effect } from "effect"
import type { Channel } from "../channels/Channels.ts"
import { costMicros, costNumerator } from "../domain/Price.ts"
import type { CallOutcome } from "../accounts/AccountState.ts"
import type { CallRefused, UpstreamRefused } from "./CallError.ts"
import { type Done, done, endCall, nothingSeen, stoppedOr } from "./EndCall.ts"
import type { Evidence } from "./CallRecord.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import type { Answer } from "./meter/Answer.ts"
import type { ReadAnswer } from "./meter/AnswerReader.ts"
import { expectedOutputTokens } from "./meter/ExpectedOutput.ts"
import { TokenCounter } from "./meter/TokenCounter.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { AnswerSource } from "./upstream/AnswerSource.ts"
import { contextOf } from "./ProblemContext.ts"
import type { UpstreamFailure } from "./upstream/UpstreamClient.ts"
import { problemOf, saidIn, type UpstreamProblem } from "./upstream/UpstreamProblem.ts"

/** What the call costs by its outcome, in micros. */
const costOf = ({ reservation }: OpenCall, outcome: CallOutcome): bigint =>
  costMicros(costNumerator(reservation.price, outcome.usage), reservation)

const evidenceOf = (services: GatewayServices, answer: Answer): Evidence => ({
  reported: answer.reported,
  hasOutput: answer.delivers,
  outputLower: answer.outputLowerTokens,
  outputAfterUsage: false,
  countOutput: Effect.suspend(() =>
    expectedOutputTokens(answer.sample).pipe(
      Effect.map((all) => ({ all, afterUsage: 0 })),
      Effect.provideService(TokenCounter, services.counter)
    )
  ),
  identity: answer.identity
})

/** `onFailure`: what becomes of an answer that is not read to its end. */
export const answerBody = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  source: AnswerSource,
  onFailure: (failure: UpstreamFailure) => Effect.Effect<Done | UpstreamProblem, CallRefused | UpstreamRefused>
): Effect.Effect<Done | UpstreamProblem, CallRefused | UpstreamRefused> => {
  const { call, key, notes } = open.basics.context
  const share = services.upstream.answerShare(key.userId)
  open.answerShare = share
  return Effect.matchEffect(services.upstream.readAnswer(source, call.dialect, share), {
    onFailure,
    onSuccess: (received) => {
      notes.enter("gateway")
      return Effect.flatMap(services.reader.read(call.dialect, received), (found) =>
        found === undefined
          ? unreadAnswer(services, open, channel, "no_room")
          : giveAnswer(services, open, channel, found))
    }
  })
}

const succeeded = done("succeeded")

const giveAnswer = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  { answer, body }: ReadAnswer
): Effect.Effect<Done | UpstreamProblem, CallRefused | UpstreamRefused> => {
  if (answer.failure !== undefined) {
    const problem = problemOf(saidIn(answer.failure), contextOf(open, channel, undefined))
    return stoppedOr(services, open, channel, false, problem)
  }
  open.advance({ _tag: "GaveOutput", atMs: services.now() })
  let cost = 0n
  const ended = endCall(services, open, channel, {
    how: "complete",
    sent: true,
    evidence: evidenceOf(services, answer),
    onOutcome: (outcome) => {
      cost = costOf(open, outcome)
    },
    finish: () => open.basics.reply.json(body, cost)
  })
  return Effect.as(ended, succeeded)
}

/**
 * An answer that was not read to its end. One above the bound was made, so it is charged: at its input, and at all the output that
 * is held. Another channel would make the same. For one that the gateway had no room for, nothing is charged as output.
 */
export const unreadAnswer = Effect.fnUntraced(
  function*(services: GatewayServices, open: OpenCall, channel: Channel, how: "too_large" | "no_room") {
    const isMade = how === "too_large"
    if (isMade) open.advance({ _tag: "GaveOutput", atMs: services.now() })
    const all = open.basics.bounds.output.ceiling
    yield* endCall(services, open, channel, {
      how,
      sent: true,
      evidence: isMade
        ? { ...nothingSeen, hasOutput: true, countOutput: Effect.succeed({ all, afterUsage: 0 }) }
        : nothingSeen,
      finish: () => undefined
    })
    return done("none")
  }
)
