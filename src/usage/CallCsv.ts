/**
 * Calls as files: of a user's own, and of everybody's.
 */
import { DateTime } from "effect"
import { formatUsd } from "../domain/Money.ts"
import type { CsvColumns } from "../platform/Csv.ts"
import type { WideCall } from "./AllCalls.ts"
import type { ListedCall } from "./CallItem.ts"

const count = (value: number | null): string => value === null ? "" : value.toString()
const amount = (micros: bigint | null): string => micros === null ? "" : formatUsd(micros)

export const callColumns: CsvColumns<ListedCall> = [
  ["request_id", (call) => call.id],
  ["time", (call) => DateTime.formatIso(DateTime.makeUnsafe(call.atMs))],
  ["endpoint", (call) => call.endpoint],
  ["model", (call) => call.model ?? ""],
  ["key", (call) => call.keyName ?? ""],
  ["key_hint", (call) => call.keyHint ?? ""],
  ["state", (call) => call.state],
  ["funding", (call) => call.funding ?? ""],
  ["input_tokens", (call) => count(call.inputTokens)],
  ["cached_input_tokens", (call) => count(call.cachedInputTokens)],
  ["cache_write_tokens", (call) => count(call.cacheWriteTokens)],
  ["output_tokens", (call) => count(call.outputTokens)],
  ["usage_source", (call) => call.usageSource ?? ""],
  ["cost_usd", (call) => amount(call.costMicros)],
  ["charged_usd", (call) => amount(call.chargedMicros)],
  ["status", (call) => count(call.status)],
  ["latency_ms", (call) => count(call.latencyMs)],
  ["ttft_ms", (call) => count(call.ttftMs)],
  ["stream", (call) => call.stream ? "true" : "false"],
  ["reason", (call) => call.reason ?? ""]
]

export const wideCallColumns: CsvColumns<WideCall> = [
  ["user_id", (call) => call.userId.toString()],
  ["email", (call) => call.email ?? ""],
  ...callColumns,
  ["channel", (call) => call.channel ?? ""]
]
