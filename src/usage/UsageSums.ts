/**
 * Sums over calls, as reports give them and as their rows are read: the same for the hours that are folded and for the calls that
 * are not yet.
 */
import { type Schema, Struct } from "effect"
import { Micros } from "../domain/Money.ts"
import { Count, orElse, Row } from "../domain/Row.ts"

/**
 * Sums over calls that were committed, or expired with a charge. Token buckets are disjoint. The columns of `sumColumns`, null where
 * there was nothing to sum.
 */
export const UsageSums = Row({
  calls: orElse(Count, 0),
  inputTokens: orElse(Count, 0),
  cachedInputTokens: orElse(Count, 0),
  cacheWriteTokens: orElse(Count, 0),
  outputTokens: orElse(Count, 0),
  costMicros: orElse(Micros, 0n),
  chargedMicros: orElse(Micros, 0n)
})
export interface UsageSums extends Schema.Schema.Type<typeof UsageSums> {}

const names = Object.values(UsageSums.columns)

/** Of a folded hour. */
export const sumColumns = names.join(", ")

/** The same of a single call. */
export const callColumns = sumColumns.replace("calls", "1")

/** The same, summed. */
export const summedColumns = names.map((name) => `sum(${name})::bigint AS ${name}`).join(", ")

/** The sums of a row alone. */
export const sumsOf = (row: UsageSums): UsageSums =>
  Struct.pick(row, [
    "calls",
    "inputTokens",
    "cachedInputTokens",
    "cacheWriteTokens",
    "outputTokens",
    "costMicros",
    "chargedMicros"
  ])

export const noUsage: UsageSums = {
  calls: 0,
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  costMicros: 0n,
  chargedMicros: 0n
}

export const addSums = (a: UsageSums, b: UsageSums): UsageSums => ({
  calls: a.calls + b.calls,
  inputTokens: a.inputTokens + b.inputTokens,
  cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  costMicros: a.costMicros + b.costMicros,
  chargedMicros: a.chargedMicros + b.chargedMicros
})

/** What is left of `a` without `b`, which is a part of it. */
export const subtractSums = (a: UsageSums, b: UsageSums): UsageSums => ({
  calls: a.calls - b.calls,
  inputTokens: a.inputTokens - b.inputTokens,
  cachedInputTokens: a.cachedInputTokens - b.cachedInputTokens,
  cacheWriteTokens: a.cacheWriteTokens - b.cacheWriteTokens,
  outputTokens: a.outputTokens - b.outputTokens,
  costMicros: a.costMicros - b.costMicros,
  chargedMicros: a.chargedMicros - b.chargedMicros
})

/** All kinds of input tokens together. */
export const inputOf = (sums: UsageSums): number => sums.inputTokens + sums.cachedInputTokens + sums.cacheWriteTokens
