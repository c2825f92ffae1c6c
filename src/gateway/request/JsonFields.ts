/**
 * The top-level members of a JSON object as byte ranges, and their replacement. It lets the gateway change the few
 * fields it priced while every other value keeps its bytes: big integers, number spellings, escapes, key order.
 * The scan checks the top level and the nesting; values are left to `JSON.parse`, which callers run as well.
 */
import { Buffer, isUtf8 } from "node:buffer"
import {
  bufferOf,
  CLOSE_BRACE,
  COLON,
  COMMA,
  endOfString,
  endOfValue,
  NESTING_LEVELS_MAX,
  OPEN_BRACE,
  QUOTE,
  skipSpace,
  TOO_DEEP
} from "./JsonBytes.ts"

/** One member of the object: `"key"` starts at `keyStart`; its value is `[valueStart, valueEnd)`. Offsets in bytes. */
export interface JsonField {
  readonly key: string
  readonly keyStart: number
  readonly valueStart: number
  readonly valueEnd: number
}

export type ScanResult =
  | { readonly ok: true; readonly fields: ReadonlyArray<JsonField> }
  | { readonly ok: false; readonly message: string }

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
    const valueEnd = endOfValue(body, valueStart)
    if (valueEnd === TOO_DEEP) return failed(`The request body is nested deeper than ${NESTING_LEVELS_MAX} levels.`)
    if (valueEnd < 0) return malformed
    fields.push({ key, keyStart, valueStart, valueEnd })
    at = skipSpace(body, valueEnd)
    more = body[at] === COMMA
    if (more) at = skipSpace(body, at + 1)
    else if (body[at] !== CLOSE_BRACE) return malformed
  }
  if (skipSpace(body, at + 1) !== body.length) return malformed
  return { ok: true, fields }
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

/** The longest value that is compared with its replacement, in bytes. */
const COMPARED_BYTES_MAX = 64

/** Whether a member has the bytes already that it is to have. */
function isUnchanged(body: Uint8Array, { valueEnd, valueStart }: JsonField, raw: RawJson | undefined): boolean {
  if (typeof raw !== "string" || raw.length !== valueEnd - valueStart || raw.length > COMPARED_BYTES_MAX) return false
  for (let index = 0; index < raw.length; index++) {
    const unit = raw.charCodeAt(index)
    // Above ASCII a character has more bytes than one.
    if (unit >= 0x80 || unit !== body[valueStart + index]) return false
  }
  return true
}

const comma = Buffer.from(",")

/**
 * `body` with some members changed: a text is the member's new raw JSON, `undefined` removes it, a key that is not there is
 * appended. Every other member keeps its bytes and its place. Nothing is copied: the parts are slices, and what is new; where
 * nothing changes, the body itself.
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
  let members = 0
  let runStart = -1
  let runEnd = -1
  let present = 0
  let changed = 0
  const endRun = () => {
    if (runStart >= 0) parts.push(body.subarray(runStart, runEnd))
    runStart = -1
  }
  for (const field of fields) {
    const isNamed = changes.has(field.key)
    if (isNamed) present++
    const raw = changes.get(field.key)
    if (!isNamed || isUnchanged(body, field, raw)) {
      // Untouched neighbours are copied as one slice, separators included.
      if (runStart < 0) {
        if (members > 0) parts.push(comma)
        runStart = field.keyStart
      }
      runEnd = field.valueEnd
      members++
      continue
    }
    changed++
    endRun()
    if (raw === undefined) continue
    if (members++ > 0) parts.push(comma)
    parts.push(body.subarray(field.keyStart, field.valueStart), bytesOf(raw))
  }
  if (changed === 0 && present === changes.size) return [body]
  endRun()
  if (present < changes.size) {
    const keys = new Set(fields.map((field) => field.key))
    for (const [key, raw] of changes) {
      if (raw === undefined || keys.has(key)) continue
      parts.push(Buffer.from(`${members++ > 0 ? "," : ""}${JSON.stringify(key)}:`), bytesOf(raw))
    }
  }
  parts.unshift(first === undefined ? Buffer.from("{") : body.subarray(0, first.keyStart))
  parts.push(last === undefined ? Buffer.from("}") : body.subarray(last.valueEnd))
  return parts
}
