/**
 * What an upstream says of a call's usage, read from every form in which upstreams say it. Counts are as reported; the bounds
 * of the call are applied when it is settled. A count that is missing or nonsense is undefined and is estimated then.
 */
import type { ToolUse } from "../../domain/Price.ts"

/** Disjoint parts of the input, in tokens. */
export interface ReportedInput {
  readonly uncached: number
  readonly cached: number
  readonly written: number
}

export interface ReportedUsage {
  readonly input: ReportedInput | undefined
  /** The completion as reported, reasoning inside it included. */
  readonly output: number | undefined
  /** Reasoning that is not part of the completion; it has a ceiling of its own. */
  readonly reasoningOutside: number
  /** All reasoning tokens: a model that reports any has output that may be hidden. */
  readonly reasoning: number
  /** What the total says beyond its parts, charged as output and flagged. */
  readonly unexplained: number
  /** Finished calls of tools that the upstream ran. */
  readonly tools: ToolUse | undefined
}

export const nothingReported: ReportedUsage = {
  input: undefined,
  output: undefined,
  reasoningOutside: 0,
  reasoning: 0,
  unexplained: 0,
  tools: undefined
}
