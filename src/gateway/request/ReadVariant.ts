/**
 * Reads objects whose `type` says which fields they have: content parts and input items. An item that has an id and none of its
 * content is a reference.
 *
 * @internal
 */
import type { Variant, Variants } from "./Admission.ts"
import { COLON, COMMA, endOfString, endOfValue, QUOTE, skipSpace } from "./JsonBytes.ts"
import { decodeString } from "./JsonFields.ts"
import { LOWER_N } from "./JsonScan.ts"
import { keyOf } from "./KnownKeys.ts"
import { checkName, readField, readMembers, readUnknown } from "./ReadMembers.ts"
import type { Member, Reading } from "./Reading.ts"

/** A type that is shown in a refusal is cut to this many characters. */
const SHOWN_CHARS_MAX = 64
/** No known type, and no spelling of the key `type`, is longer, in bytes with its quotes and escapes. */
const TYPE_BYTES_MAX = 512

type Type = { readonly named: true; readonly value: string | undefined } | { readonly named: false }

/** The value of the object's member `type`, found ahead of reading. Malformed JSON is found when it is read. */
function typeOf(reading: Reading, start: number): Type {
  const { view } = reading.scan
  let at = skipSpace(view, start + 1)
  while (view[at] === QUOTE) {
    const keyEnd = endOfString(view, at + 1)
    if (keyEnd < 0) break
    const isType = keyEnd - at <= TYPE_BYTES_MAX && keyOf(view, at, keyEnd) === "type"
    const colon = skipSpace(view, keyEnd)
    if (view[colon] !== COLON) break
    const valueStart = skipSpace(view, colon + 1)
    const valueEnd = endOfValue(view, valueStart)
    if (valueEnd < 0) break
    if (isType && view[valueStart] !== LOWER_N) {
      const isText = view[valueStart] === QUOTE && valueEnd - valueStart <= TYPE_BYTES_MAX
      return { named: true, value: isText ? keyOf(view, valueStart, valueEnd) : undefined }
    }
    at = skipSpace(view, valueEnd)
    if (view[at] !== COMMA) break
    at = skipSpace(view, at + 1)
  }
  return { named: false }
}

/** What is known of an item while it is read. */
interface Seen {
  id: string | undefined
  hasContent: boolean
}

export function readVariant(reading: Reading, of: Variants, at: number, depth: number): number {
  const found = typeOf(reading, at)
  const type = found.named ? found.value : of.untyped
  if (type === undefined && !found.named) {
    return reading.invalid(`Missing required parameter: %. A ${of.noun} must have a type.`, "type")
  }
  if (type === undefined) return reading.invalid(`Invalid value for %: expected a known type of ${of.noun}.`, "type")
  const variant = of.types.get(type)
  if (variant === undefined) {
    return reading.unsupported(
      `Unsupported value: % is '${type.slice(0, SHOWN_CHARS_MAX)}', which is no known type of ${of.noun}.`,
      "type"
    )
  }
  if (variant.treatment === "refused") return reading.unsupported(`Unsupported value: %. ${variant.note}`, "type")
  const { reasoning } = reading
  if (variant.reasoning) reading.reasoning = true
  const seen: Seen = { id: undefined, hasContent: false }
  const end = readMembers(reading, at, depth, (member) => readVariantMember(reading, of, variant, seen, member, depth))
  reading.reasoning = reasoning
  return end < 0 || refer(reading, variant, seen) ? end : -1
}

function readVariantMember(
  reading: Reading,
  of: Variants,
  variant: Variant,
  seen: Seen,
  member: Member,
  depth: number
): number {
  const { scan } = reading
  // The type is one of few words, so it is not counted.
  if (member.key === "type") return scan.value(member.at, depth + 1)
  const rule = variant.fields.get(member.key)
  if (rule === undefined) return readUnknown(reading, member, depth, of.names)
  if (checkName(reading, member.key, of.names) < 0) return -1
  const end = readField(reading, rule, member.at, depth + 1)
  if (end < 0 || variant.content === undefined) return end
  const first = scan.view[member.at]
  if (member.key === "id" && first === QUOTE) seen.id = decodeString(scan.view, member.at, end)
  if (first !== LOWER_N && variant.content.includes(member.key)) {
    seen.hasContent ||= variant.emptyIsAbsent !== true || !isEmpty(reading, member.at, end)
  }
  return end
}

/** Whether the value is an empty string or an empty array. */
function isEmpty(reading: Reading, start: number, end: number): boolean {
  const { view } = reading.scan
  if (view[start] === QUOTE) return end - start === 2
  return skipSpace(view, start + 1) === end - 1
}

/** Notes an item that has an id and no content; false when it is refused. */
function refer(reading: Reading, variant: Variant, seen: Seen): boolean {
  if (variant.content === undefined || seen.hasContent) return true
  const id = seen.id
  if (id !== undefined && id !== "") return reading.refer("item", id, reading.param("id"))
  if (variant.content.length > 0) return true
  reading.invalid("Missing required parameter: %.", "id")
  return false
}
