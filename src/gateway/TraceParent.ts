/**
 * The header `traceparent` of the W3C's Trace Context: which trace a request belongs to. What does not keep to its form is ignored, as
 * the standard asks, and the request begins a trace of its own.
 *
 * @internal
 */

export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly sampled: boolean
}

/** Characters of a header of a later version that are looked at, at most. */
const LENGTH_MAX = 512

const SAMPLED = 1

const isZero = (id: string): boolean => /^0+$/.test(id)

/** Undefined: the header says nothing that can be used. */
export const readTraceParent = (header: string | ReadonlyArray<string> | undefined): TraceParent | undefined => {
  if (typeof header !== "string" || header.length > LENGTH_MAX) return undefined
  const [, version, traceId = "", spanId = "", flags = "", more = ""] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header) ?? []
  if (version === undefined || version === "ff" || (version === "00" && more !== "")) return undefined
  if (isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED }
}

export const writeTraceParent = ({ sampled, spanId, traceId }: TraceParent): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
