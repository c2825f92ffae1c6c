/**
 * The token counts an upstream reports, as the disjoint buckets that are priced. Upstreams disagree on names and
 * sometimes send nonsense: what cannot be true is clamped and flagged, what is missing is not invented.
 */
import type { Dialect } from "./CallRequest.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

/** Disjoint buckets, in tokens. Reasoning is part of the output, as every upstream bills it. */
export interface UpstreamUsage {
  /** Input that was neither read from nor written to a cache. */
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  /** Some number was impossible and has been clamped. */
  readonly flagged: boolean
}

/** Above every model's context by far: a larger count is a fault of the upstream, not a bill. */
export const REPORTED_TOKENS_MAX = 2 ** 40

interface Flags {
  flagged: boolean
}

/** A count between zero and the bound; undefined when it was not reported. */
function count(value: unknown, flags: Flags): number | undefined {
  if (value === undefined || value === null) return undefined
  const number = typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : NaN
  const clamped = Number.isNaN(number) ? 0 : Math.min(Math.max(Math.ceil(number), 0), REPORTED_TOKENS_MAX)
  if (clamped !== value) flags.flagged = true
  return clamped
}

const firstCount = (flags: Flags, ...values: ReadonlyArray<unknown>): number => {
  for (const value of values) {
    const found = count(value, flags)
    if (found !== undefined) return found
  }
  return 0
}

const details = (value: unknown): JsonObject => isObject(value) ? value : {}

/**
 * The buckets of a `usage` object; undefined when there is none or it lacks its input or output count. An explicit
 * zero is zero. Chat names: `prompt_tokens`, `completion_tokens`, `prompt_tokens_details.cached_tokens` (DeepSeek:
 * `prompt_cache_hit_tokens`), `…cache_write_tokens` (also `cache_creation_input_tokens`). Responses: `input_tokens`,
 * `output_tokens`, `input_tokens_details`. Either dialect falls back on the names of the other.
 */
export function normaliseUsage(json: unknown, dialect: Dialect): UpstreamUsage | undefined {
  if (!isObject(json)) return undefined
  const flags: Flags = { flagged: false }
  const chat = dialect === "chat" ? json.prompt_tokens !== undefined : json.input_tokens === undefined
  const input = count(chat ? json.prompt_tokens : json.input_tokens, flags)
  const output = count(chat ? json.completion_tokens : json.output_tokens, flags)
  if (input === undefined || output === undefined) return undefined
  const detail = details(chat ? json.prompt_tokens_details : json.input_tokens_details)
  const cachedReported = firstCount(flags, detail.cached_tokens, json.prompt_cache_hit_tokens)
  const writtenReported = firstCount(flags, detail.cache_write_tokens, json.cache_creation_input_tokens)
  const cached = Math.min(cachedReported, input)
  const written = Math.min(writtenReported, input - cached)
  return {
    inputTokens: input - cached - written,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    outputTokens: output,
    flagged: flags.flagged || cached !== cachedReported || written !== writtenReported
  }
}
