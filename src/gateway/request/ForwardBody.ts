/**
 * Writes the body that one channel is sent: what the gateway reads or changes is written by it, all other values keep their
 * bytes.
 */
import { Buffer } from "node:buffer"
import type { KnownField, UnknownFieldPolicy } from "../../domain/ChannelTerms.ts"
import type { Admitted, Call, OutputLimitField } from "./Call.ts"
import { dialectTables } from "./DialectTables.ts"
import { bufferOf, QUOTE } from "./JsonBytes.ts"
import { decodeString, type JsonField, type RawJson, rewriteObject, rewriteParts, scanObject } from "./JsonFields.ts"
import { LOWER_N } from "./JsonScan.ts"

export interface Forwarding {
  readonly upstreamModel: string
  /** Fields that the channel knows beyond its dialect. */
  readonly knownFields: ReadonlyArray<KnownField>
  readonly unknownFields: UnknownFieldPolicy
  /** The limit that was held; takes the place of the client's. */
  readonly outputLimit?: { readonly field: OutputLimitField; readonly value: number } | undefined
  /** Ask a chat stream for its usage frame. */
  readonly includeUsage: boolean
  /** What is sent in place of a value that names a user or a cache: a code that only this user's value gets. */
  readonly identity: (value: string) => string
}

export interface Forwarded {
  /** The body's bytes, in order: slices of the client's body, and what is new. */
  readonly parts: ReadonlyArray<Uint8Array>
  /** The client's fields that are not sent, for `x-realms-dropped-fields`. */
  readonly dropped: ReadonlyArray<string>
}

/** The changes to a body, and what the client has to know of them. */
interface Draft {
  readonly changes: Map<string, RawJson | undefined>
  readonly dropped: Set<string>
}

/** The body for a channel; "refused" when this channel must not get the call. */
export function forwardBody(admitted: Admitted, forwarding: Forwarding): Forwarded | "refused" {
  const { call } = admitted
  if (forwarding.unknownFields === "refuse" && call.unknownFields.length > 0) return "refused"
  const knownFields: ReadonlyArray<string> = forwarding.knownFields
  if (admitted.pricedToolCalls > 0 && !knownFields.includes("max_tool_calls")) return "refused"
  const draft: Draft = { changes: new Map(admitted.changes), dropped: new Set(admitted.dropped) }
  for (const field of call.fields) draftField(call, field, forwarding, draft)
  const { changes } = draft
  changes.set("model", JSON.stringify(forwarding.upstreamModel))
  if (admitted.pricedToolCalls > 0) changes.set("max_tool_calls", String(admitted.pricedToolCalls))
  draftLimit(call, forwarding, changes)
  if (call.dialect === "chat" && call.stream) draftStreamOptions(call, forwarding, draft)
  return { parts: rewriteParts(call.body, call.fields, changes), dropped: [...draft.dropped] }
}

function draftField(call: Call, field: JsonField, forwarding: Forwarding, draft: Draft): void {
  const { key } = field
  const rule = dialectTables[call.dialect].fields.get(key)
  const knownFields: ReadonlyArray<string> = forwarding.knownFields
  if (rule === undefined) {
    if (forwarding.unknownFields !== "forward") drop(call, field, draft)
  } else if (rule.treatment === "dropped" || (rule.knownOnly && !knownFields.includes(key))) {
    drop(call, field, draft, key !== "service_tier")
  } else if (key === "stream_options" && !call.stream) {
    // Upstreams refuse them where nothing is streamed.
    drop(call, field, draft, false)
  } else if (rule.treatment === "refused" && call.body[field.valueStart] !== LOWER_N) {
    // It is switched off, as it is without it; upstreams that do not know it would object.
    drop(call, field, draft, false)
  } else if (rule.identity && call.body[field.valueStart] === QUOTE) {
    const { valueEnd, valueStart } = field
    const value = decodeString(bufferOf(call.body), valueStart, valueEnd) ?? ""
    draft.changes.set(key, JSON.stringify(forwarding.identity(value)))
  } else if (call.body[field.valueStart] === LOWER_N) draftNull(call, key, draft)
  else if (key === "service_tier") draft.changes.set(key, '"default"')
  else if (key === "stream") draft.changes.set(key, String(call.stream))
  else if (key === "n" && call.dialect === "chat") draft.changes.set(key, String(call.n))
  else if (key === "max_tool_calls" && call.toolCallsMax !== undefined) {
    draft.changes.set(key, String(call.toolCallsMax))
  }
}

/** What null stands for is written out where the gateway reads the field. */
function draftNull(call: Call, key: string, draft: Draft): void {
  if (key === "stream") draft.changes.set(key, "false")
  else if (key === "n" && call.dialect === "chat") draft.changes.set(key, "1")
}

/** Takes the field out. One that is null is absent, so nothing is said of it. */
function drop(call: Call, field: JsonField, draft: Draft, named = true): void {
  draft.changes.set(field.key, undefined)
  const isNull = call.body[field.valueStart] === LOWER_N
  if (named && !isNull) draft.dropped.add(field.key)
}

function draftLimit(call: Call, forwarding: Forwarding, changes: Map<string, RawJson | undefined>): void {
  const limit = forwarding.outputLimit
  const limited = limit?.field ?? call.outputLimitField
  // What is left of the limits is null in the client's body: two of them, even so, and some upstreams object.
  for (const field of dialectTables[call.dialect].limits) {
    if (field !== limited && call.fields.some(({ key }) => key === field)) changes.set(field, undefined)
  }
  if (limited !== undefined) changes.set(limited, String(limit?.value ?? call.outputLimit))
}

function draftStreamOptions(call: Call, forwarding: Forwarding, draft: Draft): void {
  const field = call.fields.find((candidate) => candidate.key === "stream_options")
  if (forwarding.includeUsage) draft.dropped.delete("stream_options")
  else if (!forwarding.knownFields.includes("stream_options")) return
  draft.changes.set("stream_options", streamOptionsOf(call, field, forwarding.includeUsage))
}

/** The client's stream options with `include_usage` set, or taken out; undefined when nothing is left. */
function streamOptionsOf(call: Call, field: JsonField | undefined, includeUsage: boolean): string | undefined {
  const own = field === undefined ? undefined : call.body.subarray(field.valueStart, field.valueEnd)
  const scanned = own === undefined ? undefined : scanObject(own)
  if (own === undefined || !scanned?.ok) return includeUsage ? '{"include_usage":true}' : undefined
  const others = scanned.fields.some((member) => member.key !== "include_usage")
  if (!includeUsage && !others) return undefined
  const changes = new Map([["include_usage", includeUsage ? "true" : undefined]])
  return Buffer.from(rewriteObject(own, scanned.fields, changes)).toString()
}
