/**
 * Sums over calls, as reports give them and as their rows are read. What is summed stands here once, for the hours that are
 * folded and for the calls that are not yet.
 */

/** Sums over calls that were committed, or expired with a charge. Token buckets are disjoint. */
export interface UsageSums {
  readonly calls: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly costMicros: bigint
  readonly chargedMicros: bigint
}

const names = ["calls", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "cost_micros"]
  .concat("charged_micros")

/** Of a folded hour. */
export const sumColumns = names.join(", ")

/** The same of a single call. */
export const callColumns = sumColumns.replace("calls", "1")

/** The same, summed. */
export const summedColumns = names.map((name) => `sum(${name})::bigint AS ${name}`).join(", ")

/** A row with `sumColumns`; null where there was nothing to sum. */
export interface SumsRow {
  readonly calls: bigint | null
  readonly input_tokens: bigint | null
  readonly cached_input_tokens: bigint | null
  readonly cache_write_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly cost_micros: bigint | null
  readonly charged_micros: bigint | null
}

export const toSums = (row: SumsRow): UsageSums => ({
  calls: Number(row.calls ?? 0n),
  inputTokens: Number(row.input_tokens ?? 0n),
  cachedInputTokens: Number(row.cached_input_tokens ?? 0n),
  cacheWriteTokens: Number(row.cache_write_tokens ?? 0n),
  outputTokens: Number(row.output_tokens ?? 0n),
  costMicros: row.cost_micros ?? 0n,
  chargedMicros: row.charged_micros ?? 0n
})

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

/** All kinds of input tokens together. */
export const inputOf = (sums: UsageSums): number => sums.inputTokens + sums.cachedInputTokens + sums.cacheWriteTokens
