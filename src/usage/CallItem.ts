/**
 * One call as people see it, and how it is read from its row and that of its key. Lists and receipts share it.
 */
import { chargedOf } from "../accounts/Charged.ts"

export type CallState = "reserved" | "committed" | "voided" | "expired"

/** A call as its row says. Amounts in micros, times in ms; what is not known yet is null. */
export interface CallItem {
  /** The request id. */
  readonly id: string
  readonly atMs: number
  readonly endpoint: string
  readonly model: string
  readonly keyId: bigint | null
  readonly keyName: string | null
  readonly keyHint: string | null
  readonly state: CallState
  readonly funding: "balance" | "subscription" | "free"
  readonly subscriptionId: bigint | null
  readonly reservedMicros: bigint
  readonly costMicros: bigint | null
  readonly chargedMicros: bigint | null
  readonly inputTokens: number | null
  readonly cachedInputTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly outputTokens: number | null
  /** Calls of priced tools that the upstream ran; null: none. */
  readonly webSearchCalls: number | null
  readonly fileSearchCalls: number | null
  readonly usageSource: "upstream" | "estimated" | null
  readonly late: boolean
  readonly stream: boolean
  readonly status: number | null
  readonly reason: string | null
  readonly latencyMs: number | null
  readonly ttftMs: number | null
}

/** Of a row `e` of `usage_events` and its key `k`, if it has one. */
export const itemColumns =
  `e.id, floor(extract(epoch FROM e.reserved_at) * 1000)::float8 AS at_ms, e.endpoint, e.model, e.key_id, k.name AS key_name,
    k.hint AS key_hint, e.state, e.funding, e.subscription_id, e.reserved_micros, e.cost_micros, ${
    chargedOf("e")
  } AS charged_micros,
    e.input_tokens, e.cached_input_tokens, e.cache_write_tokens, e.output_tokens, e.web_search_calls,
    e.file_search_calls, e.usage_source, e.late, e.stream, e.status,
    e.reason, e.latency_ms, e.ttft_ms`

/** The columns of `itemColumns`. */
export interface CallRow {
  readonly id: string
  readonly at_ms: number
  readonly endpoint: string
  readonly model: string
  readonly key_id: bigint | null
  readonly key_name: string | null
  readonly key_hint: string | null
  readonly state: CallState
  readonly funding: CallItem["funding"]
  readonly subscription_id: bigint | null
  readonly reserved_micros: bigint
  readonly cost_micros: bigint | null
  readonly charged_micros: bigint | null
  readonly input_tokens: bigint | null
  readonly cached_input_tokens: bigint | null
  readonly cache_write_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly web_search_calls: number | null
  readonly file_search_calls: number | null
  readonly usage_source: CallItem["usageSource"]
  readonly late: boolean
  readonly stream: boolean
  readonly status: number | null
  readonly reason: string | null
  readonly latency_ms: number | null
  readonly ttft_ms: number | null
}

const count = (tokens: bigint | null): number | null => tokens === null ? null : Number(tokens)

export const toItem = (row: CallRow): CallItem => ({
  id: row.id,
  atMs: row.at_ms,
  endpoint: row.endpoint,
  model: row.model,
  keyId: row.key_id,
  keyName: row.key_name,
  keyHint: row.key_hint,
  state: row.state,
  funding: row.funding,
  subscriptionId: row.subscription_id,
  reservedMicros: row.reserved_micros,
  costMicros: row.cost_micros,
  chargedMicros: row.charged_micros,
  inputTokens: count(row.input_tokens),
  cachedInputTokens: count(row.cached_input_tokens),
  cacheWriteTokens: count(row.cache_write_tokens),
  outputTokens: count(row.output_tokens),
  webSearchCalls: row.web_search_calls,
  fileSearchCalls: row.file_search_calls,
  usageSource: row.usage_source,
  late: row.late,
  stream: row.stream,
  status: row.status,
  reason: row.reason,
  latencyMs: row.latency_ms,
  ttftMs: row.ttft_ms
})
