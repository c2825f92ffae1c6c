/**
 * One call as people see it, and how it is read from its row and that of its key. Lists and receipts share it.
 */
import { Schema, Struct } from "effect"
import { chargedOf } from "../accounts/Charged.ts"
import { ApiKeyId, SubscriptionId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Count, Row } from "../domain/Row.ts"

export const CallState = Schema.Literals(["reserved", "committed", "voided", "expired"])
export type CallState = typeof CallState.Type

/** A call as its row says, by `itemColumns`. Times in ms; what is not known yet is null. */
export const CallItem = Row({
  /** The request id. */
  id: Schema.String,
  atMs: Schema.Number,
  endpoint: Schema.String,
  model: Schema.String,
  keyId: Schema.NullOr(ApiKeyId),
  keyName: Schema.NullOr(Schema.String),
  keyHint: Schema.NullOr(Schema.String),
  state: CallState,
  funding: Schema.Literals(["balance", "subscription", "free"]),
  subscriptionId: Schema.NullOr(SubscriptionId),
  reservedMicros: Micros,
  costMicros: Schema.NullOr(Micros),
  chargedMicros: Schema.NullOr(Micros),
  inputTokens: Schema.NullOr(Count),
  cachedInputTokens: Schema.NullOr(Count),
  cacheWriteTokens: Schema.NullOr(Count),
  outputTokens: Schema.NullOr(Count),
  /** Calls of priced tools that the upstream ran; null: none. */
  webSearchCalls: Schema.NullOr(Schema.Number),
  fileSearchCalls: Schema.NullOr(Schema.Number),
  usageSource: Schema.NullOr(Schema.Literals(["upstream", "estimated"])),
  late: Schema.Boolean,
  stream: Schema.Boolean,
  status: Schema.NullOr(Schema.Number),
  reason: Schema.NullOr(Schema.String),
  latencyMs: Schema.NullOr(Schema.Number),
  ttftMs: Schema.NullOr(Schema.Number)
})
export interface CallItem extends Schema.Schema.Type<typeof CallItem> {}

/** What a list shows beside the states of calls that got as far as a hold: a call that was refused before. */
export const ListedState = Schema.Literals([...CallState.literals, "refused"])
export type ListedState = typeof ListedState.Type

/** A call in a list. A refused one has no payer and no amounts; its code is its reason. */
export const ListedCall = Row({
  ...Struct.omit(CallItem.fields, ["model", "state", "funding"]),
  /** Null: the refusal came before the body was read. */
  model: Schema.NullOr(Schema.String),
  state: ListedState,
  funding: Schema.NullOr(CallItem.fields.funding)
})
export interface ListedCall extends Schema.Schema.Type<typeof ListedCall> {}

/** All kinds of input tokens together; null while they are not known. */
export const inputOfCall = (
  { cacheWriteTokens, cachedInputTokens, inputTokens }: Pick<
    CallItem,
    "cacheWriteTokens" | "cachedInputTokens" | "inputTokens"
  >
): number | null => inputTokens === null ? null : inputTokens + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0)

/** Of a row `e` of `calls` and its key `k`, if it has one. */
export const itemColumns =
  `e.id, floor(extract(epoch FROM e.reserved_at) * 1000)::float8 AS at_ms, e.endpoint, e.model, e.key_id, k.name AS key_name,
    k.hint AS key_hint, e.state, e.funding, e.subscription_id, e.reserved_micros, e.cost_micros, ${
    chargedOf("e")
  } AS charged_micros,
    e.input_tokens, e.cached_input_tokens, e.cache_write_tokens, e.output_tokens, e.web_search_calls,
    e.file_search_calls, e.usage_source, e.late, e.stream, e.status,
    e.reason, e.latency_ms, e.ttft_ms`
