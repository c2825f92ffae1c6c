/**
 * Calls as lines of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula is made a text by
 * an apostrophe before it.
 */
import { DateTime } from "effect"
import { formatUsd } from "../../../../domain/Money.ts"
import type { CallItem } from "../../../../usage/CallItem.ts"

const columns: ReadonlyArray<readonly [name: string, value: (call: CallItem) => string]> = [
  ["request_id", (call) => call.id],
  ["time", (call) => DateTime.formatIso(DateTime.makeUnsafe(call.atMs))],
  ["endpoint", (call) => call.endpoint],
  ["model", (call) => text(call.model)],
  ["key", (call) => text(call.keyName ?? "")],
  ["key_hint", (call) => call.keyHint ?? ""],
  ["state", (call) => call.state],
  ["funding", (call) => call.funding],
  ["input_tokens", (call) => count(call.inputTokens)],
  ["cached_input_tokens", (call) => count(call.cachedInputTokens)],
  ["cache_write_tokens", (call) => count(call.cacheWriteTokens)],
  ["output_tokens", (call) => count(call.outputTokens)],
  ["usage_source", (call) => call.usageSource ?? ""],
  ["cost_usd", (call) => amount(call.costMicros)],
  ["charged_usd", (call) => amount(call.chargedMicros)],
  ["status", (call) => count(call.status)],
  ["latency_ms", (call) => count(call.latencyMs)]
]

const count = (value: number | null): string => value === null ? "" : value.toString()
const amount = (micros: bigint | null): string => micros === null ? "" : formatUsd(micros)
const text = (value: string): string => /^[=+\-@\t\r]/.test(value) ? `'${value}` : value

const cell = (value: string): string => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

/** The first line. */
export const csvHeader = `${columns.map(([name]) => name).join(",")}\r\n`

export const csvLine = (call: CallItem): string => `${columns.map(([, value]) => cell(value(call))).join(",")}\r\n`
