/**
 * An answer that is not streamed: read whole, judged, charged, and only then given to its client.
 *
 * @internal
 */
import { Effect } from "effect"
import type { Channel } from "../channels/Channels.ts"
import { costMicros, costNumerator } from "../domain/Price.ts"
import type { CallOutcome } from "../accounts/AccountState.ts"
import { done, endCall, nothingSeen, stoppedOr } from "./EndCall.ts"
import type { Evidence } from "./CallRecord.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import type { Answer } from "./meter/Answer.ts"
import { expectedOutputTokens } from "./meter/ExpectedOutput.ts"
import { TokenCounter } from "./meter/TokenCounter.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { AnswerSource } from "./upstream/AnswerSource.ts"
import { contextOf } from "./ProblemContext.ts"
import { problemOf, saidIn } from "./upstream/UpstreamProblem.ts"

/** What the call costs by its outcome, in micros. */
const costOf = ({ reservation }: OpenCall, outcome: CallOutcome): bigint =>
  costMicros(costNumerator(reservation.price, outcome.usage), reservation)

const evidenceOf = (services: GatewayServices, answer: Answer): Evidence => ({
  reported: answer.reported,
  hasOutput: answer.hasOutput,
  outputLower: answer.outputLowerTokens,
  outputAfterUsage: false,
  countOutput: expectedOutputTokens(answer.sample).pipe(
    Effect.map((all) => ({ all, afterUsage: 0 })),
    Effect.provideService(TokenCounter, services.counter)
  ),
  identity: answer.identity
})

export const answerBody = Effect.fnUntraced(
  function*(services: GatewayServices, open: OpenCall, channel: Channel, source: AnswerSource) {
    const { context, reply } = open.basics
    const { call, requestId } = context
    const share = services.upstream.answerShare(context.key.userId)
    open.answerShare = share
    const received = yield* services.upstream.readAnswer(source, call.dialect, share)
    const read = yield* services.reader.read(call.dialect, received)
    if (read === undefined) return yield* unreadAnswer(services, open, channel, "no_room")
    const { answer, body } = read
    if (answer.failure !== undefined) {
      return yield* stoppedOr(
        services,
        open,
        channel,
        false,
        problemOf(saidIn(answer.failure), contextOf(open, channel, undefined))
      )
    }
    open.advance({ _tag: "GaveOutput", atMs: services.now() })
    let cost = 0n
    yield* endCall(services, open, channel, {
      how: "complete",
      sent: true,
      evidence: evidenceOf(services, answer),
      onOutcome: (outcome) => {
        cost = costOf(open, outcome)
      },
      finish: () => reply.json(body, { "x-request-id": requestId, "x-realms-cost-micros": String(cost) })
    })
    return done("succeeded")
  }
)

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
