/**
 * Makes disjoint parts of the counts that an upstream reported. Upstreams disagree on what is part of what: tokens read from and
 * written to a cache are inside or outside the prompt, reasoning is inside or outside the completion. The reported total tells.
 */
import { isObject, type JsonObject } from "../JsonValue.ts"
import type { Dialect } from "../request/Call.ts"
import { topLevelCountKeys, usageKeys, usageSectionKeys } from "./FrameKeys.ts"
import { nothingReported, type ReportedInput, type ReportedUsage } from "./Reported.ts"
import type { UsageCount } from "./UsageNames.ts"
import { type UsageCounts, UsageTally } from "./UsageTally.ts"

/** The counts under the meanings that are left when names are out of the way. */
interface Parts {
  readonly input: number | undefined
  readonly cached: number
  readonly written: number
  readonly output: number | undefined
  readonly reasoning: number
  readonly toolPrompt: number
  readonly total: number | undefined
}

interface Reading {
  readonly cacheInside: boolean
  readonly reasoningInside: boolean
}

/** In this order the readings are tried. */
const readings: ReadonlyArray<Reading> = [
  { cacheInside: true, reasoningInside: true },
  { cacheInside: true, reasoningInside: false },
  { cacheInside: false, reasoningInside: true },
  { cacheInside: false, reasoningInside: false }
]

function partsOf(counts: UsageCounts): Parts {
  const cached = counts.cached ?? 0
  const sumOf = (one: UsageCount, other: number) => {
    const value = counts[one]
    return value === undefined ? undefined : value + other
  }
  return {
    input: larger(counts.input, larger(sumOf("uncached", cached), sumOf("processed", cached))),
    cached,
    written: Math.max(counts.written ?? 0, (counts.written5m ?? 0) + (counts.written1h ?? 0)),
    output: counts.output,
    reasoning: counts.reasoning ?? 0,
    toolPrompt: counts.toolPrompt ?? 0,
    total: counts.total
  }
}

/** A count that two names give. `input` is missing only when both are. */
const larger = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.max(one, other)

const cacheFits = (parts: Parts): boolean => parts.cached + parts.written <= (parts.input ?? 0)

const sumOf = (parts: Parts, reading: Reading): number =>
  (parts.input ?? 0) + (parts.output ?? 0) +
  (reading.cacheInside ? 0 : parts.cached + parts.written) +
  (reading.reasoningInside ? 0 : parts.reasoning)

/** The first reading whose sum, with what tools brought in, is the total. A prompt cannot hold more cached tokens than it has. */
function matching(parts: Parts): { readonly reading: Reading; readonly toolPrompt: number } | undefined {
  if (parts.input === undefined || parts.output === undefined || parts.total === undefined) return undefined
  for (const toolPrompt of parts.toolPrompt > 0 ? [0, parts.toolPrompt] : [0]) {
    for (const reading of readings) {
      if (reading.cacheInside && !cacheFits(parts)) continue
      if (sumOf(parts, reading) + toolPrompt === parts.total) return { reading, toolPrompt }
    }
  }
  return undefined
}

/** Without a total that says otherwise: what does not fit inside is outside. */
const likely = (parts: Parts): Reading => ({
  cacheInside: cacheFits(parts),
  reasoningInside: parts.reasoning <= (parts.output ?? Infinity)
})

const inputOf = (parts: Parts, tokens: number, cacheInside: boolean, toolPrompt: number): ReportedInput => ({
  uncached: Math.max(tokens - (cacheInside ? parts.cached + parts.written : 0), 0) + toolPrompt,
  cached: parts.cached,
  written: parts.written
})

/** The parts of a call's usage, from the largest counts that were reported. Tools are not in it. */
export function readCounts(counts: UsageCounts, dialect: Dialect): ReportedUsage {
  const parts = partsOf(counts)
  return dialect === "embeddings"
    ? embeddingUsage(parts)
    : textUsage(isZeroMissing(parts) ? withoutZeros(parts) : parts)
}

/** No prompt is of zero tokens: where the total has more than is said, the prompt is missing in it. */
const isZeroMissing = (parts: Parts): boolean =>
  parts.input === 0 && (parts.total ?? 0) > (parts.output ?? 0) + parts.reasoning

const withoutZeros = (parts: Parts): Parts => ({
  ...parts,
  input: undefined,
  output: parts.output === 0 ? undefined : parts.output
})

function textUsage(parts: Parts): ReportedUsage {
  const match = matching(parts)
  const reading = match?.reading ?? likely(parts)
  const reasoningOutside = reading.reasoningInside ? 0 : parts.reasoning
  const usage = { reasoningOutside, reasoning: parts.reasoning, unexplained: 0, tools: undefined }
  if (parts.input === undefined || parts.output === undefined) {
    return { ...usage, ...halfReported(parts, reading, reasoningOutside) }
  }
  const rest = match !== undefined || parts.total === undefined ? 0 : Math.max(parts.total - sumOf(parts, reading), 0)
  const toolPrompt = match?.toolPrompt ?? Math.min(parts.toolPrompt, rest)
  return {
    ...usage,
    input: inputOf(parts, parts.input, reading.cacheInside, toolPrompt),
    output: parts.output,
    unexplained: match === undefined ? rest - toolPrompt : 0
  }
}

/** One of the two counts is missing, or both: the total less the other one is the missing one. */
function halfReported(
  parts: Parts,
  reading: Reading,
  reasoningOutside: number
): Pick<ReportedUsage, "input" | "output"> {
  if (parts.input !== undefined) {
    const rest = parts.total === undefined ? -1 : parts.total - sumOf(parts, reading)
    return { input: inputOf(parts, parts.input, reading.cacheInside, 0), output: rest < 0 ? undefined : rest }
  }
  const known = parts.output === undefined ? Infinity : parts.output + reasoningOutside
  const rest = (parts.total ?? 0) - known
  return { input: rest > 0 ? inputOf(parts, rest, true, 0) : undefined, output: parts.output }
}

/** Embeddings have no output: all of the total is input. */
const embeddingUsage = (parts: Parts): ReportedUsage => {
  const input = larger(parts.input, parts.total)
  return {
    ...nothingReported,
    input: input === undefined ? undefined : inputOf(parts, input, cacheFits({ ...parts, input }), 0),
    output: 0
  }
}

/** The usage that the objects report together, largest counts first. Each may be a usage object or anything else. */
export function readUsage(objects: ReadonlyArray<unknown>, dialect: Dialect): ReportedUsage {
  const tally = new UsageTally()
  for (const usage of objects) tally.add(usage)
  return readCounts(tally.counts, dialect)
}

/** Sections of a body that may hold a usage object. */
const sections = [...usageSectionKeys, "message", "response", "delta", "output"]

/** Counts that a frame has beside its answer, not in a usage object. */
export const topLevelCounts = (frame: unknown): JsonObject =>
  isObject(frame)
    ? Object.fromEntries(topLevelCountKeys.filter((key) => key in frame).map((key) => [key, frame[key]]))
    : {}

/** The usage objects of a body or frame: at the top level, in a section of its own, in a choice or its message. */
export function usageObjectsOf(json: unknown): ReadonlyArray<unknown> {
  const frame: unknown = Array.isArray(json) ? json[0] : json
  if (!isObject(frame)) return []
  const choices = Array.isArray(frame.choices) ? frame.choices.filter(isObject) : []
  const holders: ReadonlyArray<unknown> = [
    frame,
    ...sections.map((name) => frame[name]),
    ...choices,
    ...choices.flatMap((choice) => [choice.delta, choice.message])
  ]
  return [
    topLevelCounts(frame),
    ...holders.filter(isObject).flatMap((holder) => usageKeys.map((key) => holder[key]))
  ].filter(isObject)
}
