/**
 * An answer that is streamed: relayed while its hold is raised, charged at its end, and finished only then.
 *
 * @internal
 */
import { Effect } from "effect"
import type { Channel } from "../channels/Channels.ts"
import type { Evidence } from "./CallRecord.ts"
import { done, endCall, stoppedOr } from "./EndCall.ts"
import { extend } from "./Extension.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { expectedOutputTokens } from "./meter/ExpectedOutput.ts"
import { StreamBudget } from "./meter/StreamBudget.ts"
import { StreamMeter } from "./meter/StreamMeter.ts"
import { TokenCounter } from "./meter/TokenCounter.ts"
import type { OpenCall } from "./OpenCall.ts"
import { contextOf } from "./ProblemContext.ts"
import type { AnswerSource } from "./upstream/AnswerSource.ts"
import { type RelayEnd, StreamRelay } from "./upstream/StreamRelay.ts"
import { failedBecause, problemOf, saidIn } from "./upstream/UpstreamProblem.ts"

const outputAfterUsage = (meter: StreamMeter) =>
  meter.textBehindUsage === undefined ? Effect.succeed(0) : expectedOutputTokens(meter.textBehindUsage)

const evidenceOf = (services: GatewayServices, meter: StreamMeter): Evidence => ({
  reported: meter.reported(),
  hasOutput: meter.hasOutput,
  outputLower: meter.outputLowerTokens(),
  outputAfterUsage: !meter.usageIsLast,
  countOutput: Effect.all({ all: expectedOutputTokens(meter.sample), afterUsage: outputAfterUsage(meter) }).pipe(
    Effect.provideService(TokenCounter, services.counter)
  ),
  identity: meter.identity()
})

export const answerStream = Effect.fnUntraced(
  function*(services: GatewayServices, open: OpenCall, channel: Channel, source: AnswerSource) {
    const { bounds, context: { call }, reply, signal } = open.basics
    const dialect = call.dialect === "responses" ? "responses" : "chat"
    const meter = new StreamMeter({ dialect, choices: call.n })
    const budget = new StreamBudget({
      heldTokens: open.reservation.outputTokens * call.n,
      heldTokensMax: open.plan.extendable && open.reservation.funding !== "free" ? bounds.output.ceiling : 0,
      limitTokens: bounds.output.ceiling,
      sample: meter.sample
    })
    let relay: StreamRelay | undefined
    const end = yield* Effect.callback<RelayEnd>((resume) => {
      const relaying = new StreamRelay({
        reply,
        source,
        meter,
        budget,
        wantsUsage: call.wantsUsage,
        onFirstOutput: () => open.advance({ _tag: "GaveOutput", atMs: services.now() }),
        onWantsMore: (asking) => services.fork(extend(services, open, asking)),
        onDone: (how) => resume(Effect.succeed(how)),
        after: services.after,
        extendWaitMs: services.billing().extendWaitMs,
        drainMs: () => services.drains.remainingMs(open, channel, services.now())
      })
      relay = relaying
      signal.listen((reason) => relaying.stop(reason))
      relaying.run()
    })
    open.basics.context.notes.enter("gateway")
    signal.unlisten()
    if (end._tag === "Failed") {
      const problem = end.failure === undefined
        ? failedBecause(channel, end.why)
        : problemOf(saidIn(end.failure), contextOf(open, channel, undefined))
      return yield* stoppedOr(services, open, channel, false, problem)
    }
    yield* endCall(services, open, channel, {
      how: end.how,
      sent: true,
      evidence: evidenceOf(services, meter),
      finish: () => reply.end(relay?.tail ?? []),
      place: { responseId: meter.responseId, sequenceNumber: meter.lastSequenceNumber + 1 }
    })
    if (end.how === "complete") return done("succeeded")
    return done(end.how === "cut" || end.how === "failed" || end.how === "limit_ignored" ? "failed" : "none")
  }
)
