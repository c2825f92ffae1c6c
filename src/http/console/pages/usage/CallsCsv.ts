/**
 * Calls as lines of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula is made a text by
 * an apostrophe before it.
 */
import { DateTime, Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { formatUsd } from "../../../../domain/Money.ts"
import type { CallItem } from "../../../../usage/CallItem.ts"
import { type Answer, raw } from "../../Answer.ts"

export type CsvColumns<Call> = ReadonlyArray<readonly [name: string, value: (call: Call) => string]>

export const callColumns: CsvColumns<CallItem> = [
  ["request_id", (call) => call.id],
  ["time", (call) => DateTime.formatIso(DateTime.makeUnsafe(call.atMs))],
  ["endpoint", (call) => call.endpoint],
  ["model", (call) => csvText(call.model)],
  ["key", (call) => csvText(call.keyName ?? "")],
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

/** A text that people chose. */
export const csvText = (value: string): string => /^[=+\-@\t\r]/.test(value) ? `'${value}` : value

const cell = (value: string): string => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

const lineOf = (cells: ReadonlyArray<string>): string => `${cells.map(cell).join(",")}\r\n`

/** The file begins before the calls are read; what goes wrong after that breaks it off, so that nobody takes it for whole. */
export const csvAnswer = <Call, E>(
  fileName: string,
  columns: CsvColumns<Call>,
  calls: Stream.Stream<Call, E>
): Answer => {
  const encoder = new TextEncoder()
  const lines = calls.pipe(
    Stream.chunks,
    Stream.map((some) => encoder.encode(some.map((call) => lineOf(columns.map(([, value]) => value(call)))).join("")))
  )
  const body = Stream.concat(Stream.succeed(encoder.encode(lineOf(columns.map(([name]) => name)))), lines)
  return raw(HttpServerResponse.stream(body, {
    contentType: "text/csv; charset=utf-8",
    headers: {
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff"
    }
  }))
}
