/**
 * What is recorded and charged for a call that ended: its usage within its bounds, and estimates - made only where they are
 * needed - for what the upstream did not say.
 */
import { Effect } from "effect"
import { type CallOutcome, emptyOutcome, type ResponseReferences } from "../accounts/AccountState.ts"
import type { Channel } from "../channels/Channels.ts"
import type { CallEnd } from "./CallEnd.ts"
import { expectedInputTokens } from "./meter/Bounds.ts"
import type { ReportedUsage } from "./meter/Reported.ts"
import { type Expected, isExact, type SettledUsage, settledUsage, type UsageEvidence } from "./meter/SettledUsage.ts"
import type { TokenCounter } from "./meter/TokenCounter.ts"
import { countInput } from "./InputCount.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { InputTally } from "./request/Call.ts"
import { contextOf } from "./request/InputBounds.ts"

/** What an attempt has shown, whatever its form. */
export interface Evidence {
  readonly reported: ReportedUsage
  readonly hasOutput: boolean
  /** Output tokens that came at least. */
  readonly outputLower: number
  readonly outputAfterUsage: boolean
  /** Output tokens by the tokenizer: of everything, and of what came after the last usage. */
  readonly countOutput: Effect.Effect<{ readonly all: number; readonly afterUsage: number }>
  /** The ids under which the upstream stored the answer. */
  readonly identity: { readonly responseId: string; readonly itemIds: ReadonlyArray<string> } | undefined
}

/** When things happened, ms since the epoch. */
export interface CallTimes {
  readonly sentMs: number
  readonly firstOutputMs: number | null
  readonly endedMs: number
}

const MS_PER_SECOND = 1_000

/** Text without a count is expected to have a token for so many bytes. */
const BYTES_PER_TOKEN = 4

/** Output that may be made without being shown, by the time it took. */
const hiddenTokens = (open: OpenCall, channel: Channel, times: CallTimes): number =>
  open.basics.model.reasoning || channel.hiddenOutput
    ? Math.ceil(
      (Math.max(0, times.endedMs - times.sentMs) / MS_PER_SECOND) * open.basics.model.outputTokensPerSecond
    )
    : 0

/** Which part of the counted text the channel was sent. */
const sentShare = ({ textBytes, unsentBytes }: InputTally, { unknownFields }: Channel): number =>
  unsentBytes === 0 || unknownFields === "forward" ? 1 : 1 - unsentBytes / textBytes

const expectedOf = Effect.fnUntraced(function*(
  counter: TokenCounter["Service"],
  open: OpenCall,
  channel: Channel,
  evidence: Evidence,
  times: CallTimes
) {
  const { context: { call }, terms } = open.basics
  const counted = (yield* countInput(counter, call)) ?? Math.ceil(call.input.textBytes / BYTES_PER_TOKEN)
  const text = Math.ceil(counted * sentShare(call.input, channel))
  const output = yield* evidence.countOutput
  const hidden = hiddenTokens(open, channel, times)
  return {
    input: expectedInputTokens(call, terms, text + call.input.integers + open.basics.bounds.overheadTokensExpected),
    output: Math.max(output.all, hidden),
    outputAfterUsage: output.afterUsage
  }
})

const nothingExpected: Expected = { input: 0, output: 0, outputAfterUsage: 0 }

/** The usage of a call that is charged. */
export const settledUsageOf = (
  counter: TokenCounter["Service"],
  open: OpenCall,
  channel: Channel,
  end: CallEnd,
  basis: NonNullable<CallEnd["basis"]>,
  evidence: Evidence,
  times: CallTimes
): Effect.Effect<SettledUsage> => {
  const { bounds, context, model } = open.basics
  const found: UsageEvidence = {
    bounds,
    reported: evidence.reported,
    hasOutput: evidence.hasOutput,
    outputLower: evidence.outputLower,
    outputAfterUsage: evidence.outputAfterUsage,
    contextTokens: contextOf(context.call, model.contextTokens)
  }
  // Whole answers are charged up to their ceiling; what was cut off, up to what is held.
  const held = end.reason === null
    ? { input: bounds.input.ceiling, output: bounds.output.ceiling + bounds.output.reasoningCeiling }
    : { input: open.heldInputTokens, output: open.reservation.outputTokens * context.call.n }
  return basis === "reported" && isExact(found)
    ? Effect.succeed(settledUsage(basis, found, nothingExpected, held))
    : Effect.map(
      expectedOf(counter, open, channel, evidence, times),
      (expected) => settledUsage(basis, found, expected, held)
    )
}

const duration = (fromMs: number, toMs: number): number => Math.max(0, Math.round(toMs - fromMs))

const recordOf = (open: OpenCall, channel: Channel | undefined, endedMs: number) => ({
  channel: channel?.name ?? null,
  upstreamModel: channel?.upstreamModel ?? null,
  latencyMs: duration(open.basics.context.startedMs, endedMs),
  ttftMs: null
})

/** The outcome of a call that nothing is charged for. */
export const voidedOutcome = (
  open: OpenCall,
  channel: Channel | undefined,
  end: Pick<CallEnd, "status" | "reason">,
  endedMs: number
): CallOutcome => ({
  ...emptyOutcome,
  ...recordOf(open, channel, endedMs),
  reason: end.reason,
  status: end.status
})

const referencesOf = (
  open: OpenCall,
  channel: Channel,
  evidence: Evidence,
  settled: SettledUsage
): ResponseReferences | undefined => {
  const { bounds, context: { call } } = open.basics
  if (evidence.identity === undefined || !channel.storesResponses || !call.store) return undefined
  const { cacheWriteTokens, cachedInputTokens, inputTokens, outputTokens } = settled.usage
  const exact = settled.source === "upstream"
  return {
    channelId: channel.id,
    ...evidence.identity,
    inputTokens: exact ? inputTokens + cachedInputTokens + cacheWriteTokens : bounds.input.ceiling,
    outputTokens: exact ? outputTokens : bounds.output.ceiling + bounds.output.reasoningCeiling
  }
}

/** The outcome of a call that is charged. */
export const chargedOutcome = (
  open: OpenCall,
  channel: Channel,
  { reason, status }: Pick<CallEnd, "status" | "reason">,
  evidence: Evidence,
  settled: SettledUsage,
  times: CallTimes
): CallOutcome => {
  const references = referencesOf(open, channel, evidence, settled)
  const { startedMs } = open.basics.context
  const outcome: CallOutcome = {
    usage: settled.usage,
    usageSource: settled.source,
    usageFlagged: settled.flags.some((flag) => flag !== "above_context"),
    channel: channel.name,
    upstreamModel: channel.upstreamModel,
    latencyMs: duration(startedMs, times.endedMs),
    ttftMs: times.firstOutputMs === null ? null : duration(startedMs, times.firstOutputMs),
    status,
    reason
  }
  if (settled.flags.length === 0 && settled.excessTokens === 0 && references === undefined) return outcome
  return {
    ...outcome,
    ...(settled.flags.length === 0 ? {} : { usageFlags: settled.flags }),
    ...(settled.excessTokens === 0 ? {} : { excessTokens: settled.excessTokens }),
    ...(references === undefined ? {} : { references })
  }
}
