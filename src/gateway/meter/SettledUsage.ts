/**
 * The token counts that a call is charged for: what the upstream reported, within the bounds of the call, and the expected number
 * for what it did not report or what cannot be true. Pure.
 */
import type { UsageFlag } from "../../accounts/AccountState.ts"
import type { TokenUsage } from "../../domain/Price.ts"
import type { Basis } from "../CallEnd.ts"
import type { CallBounds } from "./Bounds.ts"
import type { ReportedInput, ReportedUsage } from "./Reported.ts"

export interface UsageEvidence {
  readonly bounds: CallBounds
  readonly reported: ReportedUsage
  /** Output had come: only then is a count of zero missing. */
  readonly hasOutput: boolean
  /** Output tokens that came at least. */
  readonly outputLower: number
  /** Output that came after the last usage, which therefore does not cover it. */
  readonly outputAfterUsage: boolean
  readonly contextTokens: number | null
}

/** Estimates, made only where they are needed. */
export interface Expected {
  readonly input: number
  /** Of everything that came, hidden output included. */
  readonly output: number
  /** Of what came after the last usage. */
  readonly outputAfterUsage: number
}

/** What the estimate may not exceed: what is held, in tokens over all choices. */
export interface HeldTokens {
  readonly input: number
  readonly output: number
}

export interface SettledUsage {
  readonly usage: TokenUsage
  readonly source: "upstream" | "estimated"
  readonly flags: ReadonlyArray<UsageFlag>
  /** Reported input tokens above the ceiling. */
  readonly excessTokens: number
}

const totalOf = ({ cached, uncached, written }: ReportedInput): number => uncached + cached + written

/** An excess is nonsense long before, and has to be a whole number. */
const EXCESS_TOKENS_MAX = Number.MAX_SAFE_INTEGER

/**
 * What the total says beyond its parts belongs to the prompt where that is too small to be true; where the completion is too, both are
 * missing in it.
 */
const completed = (evidence: UsageEvidence): UsageEvidence => {
  const { bounds, hasOutput, outputLower, reported } = evidence
  const { input, output = 0, reasoningOutside, unexplained } = reported
  if (input === undefined || unexplained === 0 || totalOf(input) >= bounds.input.lower) return evidence
  const more = hasOutput && output + reasoningOutside < outputLower
    ? { input: undefined, output: undefined }
    : { input: { ...input, uncached: input.uncached + unexplained } }
  return { ...evidence, reported: { ...reported, ...more, unexplained: 0 } }
}

/** The reported input where it can be true. Zero is true only where nothing came. */
const trueInput = ({ bounds, hasOutput, reported }: UsageEvidence): ReportedInput | undefined => {
  if (reported.input === undefined) return undefined
  const total = totalOf(reported.input)
  if (total === 0 && !hasOutput) return reported.input
  return total < bounds.input.lower ? undefined : reported.input
}

/** The reported output, reasoning beside it and unexplained tokens left out, where it can be true. */
const trueOutput = ({ hasOutput, outputLower, reported }: UsageEvidence): number | undefined => {
  if (reported.output === undefined) return undefined
  const whole = reported.output + reported.reasoningOutside + reported.unexplained
  return hasOutput && whole < outputLower ? undefined : reported.output
}

/** True when the reported numbers are all that is needed. */
export const isExact = (given: UsageEvidence): boolean => {
  const evidence = completed(given)
  return trueInput(evidence) !== undefined && trueOutput(evidence) !== undefined && !evidence.outputAfterUsage
}

/** At most `ceiling` tokens, the cheapest parts first. Nothing is subtracted from a count, which may be too large to be exact. */
const within = (input: ReportedInput, ceiling: number): ReportedInput => {
  const cached = Math.min(input.cached, ceiling)
  const uncached = Math.min(input.uncached, ceiling - cached)
  return { uncached, cached, written: Math.min(input.written, ceiling - cached - uncached) }
}

export const settledUsage = (
  basis: Basis,
  given: UsageEvidence,
  expected: Expected,
  held: HeldTokens
): SettledUsage => {
  const evidence = completed(given)
  const { bounds, reported } = evidence
  const flags: Array<UsageFlag> = []
  const said = basis === "expected" ? undefined : trueInput(evidence)
  const excessTokens = said === undefined
    ? 0
    : Math.min(Math.max(0, totalOf(said) - bounds.input.ceiling), EXCESS_TOKENS_MAX)
  if (excessTokens > 0) flags.push("input_clamped")
  const input = said === undefined
    ? { uncached: Math.min(expected.input, held.input), cached: 0, written: 0 }
    : within(said, bounds.input.ceiling)
  if (evidence.contextTokens !== null && totalOf(input) > evidence.contextTokens && bounds.toolCalls === 0) {
    flags.push("above_context")
  }
  const output = outputOf(basis, evidence, expected, held, flags)
  const exact = basis !== "expected" && basis !== "limit" && isExact(evidence)
  return {
    usage: {
      inputTokens: input.uncached,
      cachedInputTokens: input.cached,
      cacheWriteTokens: input.written,
      outputTokens: output,
      ...(reported.tools === undefined || bounds.toolCalls === 0
        ? {}
        : { tools: toolsWithin(reported.tools, bounds.toolCalls) })
    },
    source: exact ? "upstream" : "estimated",
    flags,
    excessTokens
  }
}

const outputOf = (
  basis: Basis,
  evidence: UsageEvidence,
  expected: Expected,
  held: HeldTokens,
  flags: Array<UsageFlag>
): number => {
  const { bounds: { output: bounds }, reported } = evidence
  if (basis === "limit") {
    flags.push("limit_ignored")
    return bounds.ceiling
  }
  const said = basis === "expected" ? undefined : trueOutput(evidence)
  if (said === undefined) return Math.min(expected.output, held.output, bounds.ceiling + bounds.reasoningCeiling)
  if (reported.unexplained > 0) flags.push("total_unexplained")
  const completion = said + reported.unexplained
  const reasoning = reported.reasoningOutside
  if (completion > bounds.ceiling || reasoning > bounds.reasoningCeiling) flags.push("output_clamped")
  const whole = Math.min(completion, bounds.ceiling) + Math.min(reasoning, bounds.reasoningCeiling)
  return evidence.outputAfterUsage
    ? Math.min(whole + expected.outputAfterUsage, bounds.ceiling + bounds.reasoningCeiling)
    : whole
}

const toolsWithin = (tools: NonNullable<ReportedUsage["tools"]>, callsMax: number) => {
  const webSearch = Math.min(tools.webSearch, callsMax)
  return { webSearch, fileSearch: Math.min(tools.fileSearch, callsMax - webSearch) }
}
