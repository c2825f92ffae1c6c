/**
 * The top-level members of a JSON object as byte ranges, and their replacement. It lets the gateway change the few
 * fields it priced while every other value keeps its bytes: big integers, number spellings, escapes, key order.
 * The scan checks the top level and the nesting; values are left to `JSON.parse`, which callers run as well.
 */
import { Buffer, isUtf8 } from "node:buffer"

/** One member of the object: `"key"` starts at `keyStart`; its value is `[valueStart, valueEnd)`. Offsets in bytes. */
export interface JsonField {
  readonly key: string
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
}

export type ScanResult =
  | {
    readonly ok: true
    readonly fields: ReadonlyArray<JsonField>
    /** Members of all objects, nested ones too; more than the parsed value has means that some key is repeated. */
    readonly memberCount: number
  }
  | { readonly ok: false; readonly message: string }

/** Deepest nesting accepted, the top-level object included. */
export const NESTING_LEVELS_MAX = 128

export const QUOTE = 0x22
export const COLON = 0x3a
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Strings longer than this are crossed by a native search, which pays off for inline images. */
const STRING_STEP_BYTES = 64

const TOO_DEEP = -2

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

export const skipSpace = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

/** The offset behind the closing quote of the string whose first character is at `from`; -1 when it does not end. */
export const endOfString = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (at < bytes.length) {
    const near = Math.min(at + STRING_STEP_BYTES, bytes.length)
    while (at < near) {
      const byte = bytes[at]
      if (byte === QUOTE) return at + 1
      at += byte === BACKSLASH ? 2 : 1
    }
    const quote = bytes.indexOf(QUOTE, at)
    if (quote < 0) return -1
    let slash = quote
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--
    if ((quote - slash) % 2 === 0) return quote + 1
    at = quote + 1
  }
  return -1
}

/** The text of the string literal `[start, end)`, quotes included; undefined when its escapes are wrong. */
export const decodeString = (view: Buffer, start: number, end: number): string | undefined => {
  const raw = view.toString("utf8", start, end)
  if (!raw.includes("\\")) return raw.slice(1, -1)
  try {
    return String(JSON.parse(raw))
  } catch {
    return undefined
  }
}

export const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

interface Tally {
  members: number
}

/** The offset behind the value at `start`; -1 when it does not end, -2 when it is nested too deep. */
export function endOfValue(bytes: Uint8Array, start: number, tally: Tally): number {
  const first = bytes[start]
  if (first === QUOTE) return endOfString(bytes, start + 1)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(bytes, start)
  let depth = 1
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1)
      if (at < 0) return -1
      continue
    }
    at++
    if (byte === COLON) tally.members++
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > NESTING_LEVELS_MAX) return TOO_DEEP
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 1) return at
  }
  return -1
}

function endOfScalar(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break
    if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) return -1
    at++
  }
  return at === start ? -1 : at
}

const failed = (message: string): ScanResult => ({ ok: false, message })
const malformed = failed("The request body is not valid JSON.")

/** Why the bytes are no JSON text, whatever they say; undefined when they may be. */
export function encodingFault(body: Uint8Array): string | undefined {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    return "The request body must not start with a byte order mark."
  }
  return isUtf8(body) ? undefined : "The request body is not valid UTF-8."
}

/**
 * The members of the JSON object in `body`, in one pass. Refuses what is not one object, a repeated key (compared
 * unescaped), invalid UTF-8, a byte order mark, and nesting deeper than `NESTING_LEVELS_MAX`.
 */
export function scanObject(body: Uint8Array): ScanResult {
  const fault = encodingFault(body)
  if (fault !== undefined) return failed(fault)
  let at = skipSpace(body, 0)
  if (body[at] !== OPEN_BRACE) return failed("The request body must be a JSON object.")
  const view = bufferOf(body)
  const fields: Array<JsonField> = []
  const keys = new Set<string>()
  const tally: Tally = { members: 0 }
  at = skipSpace(body, at + 1)
  let more = body[at] !== CLOSE_BRACE
  while (more) {
    if (body[at] !== QUOTE) return malformed
    const keyStart = at
    const keyEnd = endOfString(body, at + 1)
    const key = keyEnd < 0 ? undefined : decodeString(view, keyStart, keyEnd)
    if (key === undefined) return malformed
    if (keys.has(key)) return failed(`The request body repeats the key ${JSON.stringify(key.slice(0, 64))}.`)
    keys.add(key)
    const colon = skipSpace(body, keyEnd)
    if (body[colon] !== COLON) return malformed
    const valueStart = skipSpace(body, colon + 1)
    const valueEnd = endOfValue(body, valueStart, tally)
    if (valueEnd === TOO_DEEP) return failed(`The request body is nested deeper than ${NESTING_LEVELS_MAX} levels.`)
    if (valueEnd < 0) return malformed
    fields.push({ key, keyStart, valueStart, valueEnd })
    at = skipSpace(body, valueEnd)
    more = body[at] === COMMA
    if (more) at = skipSpace(body, at + 1)
    else if (body[at] !== CLOSE_BRACE) return malformed
  }
  if (skipSpace(body, at + 1) !== body.length) return malformed
  return { ok: true, fields, memberCount: fields.length + tally.members }
}

/** JSON text, as characters or as bytes. */
export type RawJson = string | Uint8Array

export const bytesOf = (raw: RawJson): Uint8Array => typeof raw === "string" ? Buffer.from(raw) : raw

/** What `rewriteParts` gives, joined. */
export function rewriteObject(
  body: Uint8Array,
  fields: ReadonlyArray<JsonField>,
  changes: ReadonlyMap<string, RawJson | undefined>
): Uint8Array {
  return changes.size === 0 ? body : Buffer.concat(rewriteParts(body, fields, changes))
}

/**
 * `body` with some members changed: a text is the member's new raw JSON, `undefined` removes it, a key that is not there is
 * appended. Every other member keeps its bytes and its place. Nothing is copied: the parts are slices, and what is new.
 */
export function rewriteParts(
  body: Uint8Array,
  fields: ReadonlyArray<JsonField>,
  changes: ReadonlyMap<string, RawJson | undefined>
): ReadonlyArray<Uint8Array> {
  if (changes.size === 0) return [body]
  const parts: Array<Uint8Array> = []
  const first = fields[0]
  const last = fields[fields.length - 1]
  parts.push(first === undefined ? Buffer.from("{") : body.subarray(0, first.keyStart))
  let members = 0
  let runStart = -1
  let runEnd = -1
  const endRun = () => {
    if (runStart >= 0) parts.push(body.subarray(runStart, runEnd))
    runStart = -1
  }
  for (const field of fields) {
    if (!changes.has(field.key)) {
      // Untouched neighbours are copied as one slice, separators included.
      if (runStart < 0) {
        if (members > 0) parts.push(Buffer.from(","))
        runStart = field.keyStart
      }
      runEnd = field.valueEnd
      members++
      continue
    }
    endRun()
    const raw = changes.get(field.key)
    if (raw === undefined) continue
    if (members++ > 0) parts.push(Buffer.from(","))
    parts.push(body.subarray(field.keyStart, field.valueStart), bytesOf(raw))
  }
  endRun()
  const present = new Set(fields.map((field) => field.key))
  for (const [key, raw] of changes) {
    if (raw === undefined || present.has(key)) continue
    parts.push(Buffer.from(`${members++ > 0 ? "," : ""}${JSON.stringify(key)}:`), bytesOf(raw))
  }
  parts.push(last === undefined ? Buffer.from("}") : body.subarray(last.valueEnd))
  return parts
}
