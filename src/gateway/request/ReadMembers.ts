/**
 * Reads objects member by member, by the table of their fields. Where the gateway reads an object, every other parser must read
 * the same: no key is there twice, and none only looks like one that is known.
 *
 * @internal
 */
import type { FieldRule, Fields } from "./Admission.ts"
import { CLOSE_BRACE, NESTING_LEVELS_MAX, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./JsonBytes.ts"
import { LOWER_F, LOWER_N } from "./JsonScan.ts"
import { parseJson } from "../JsonValue.ts"
import { keyOf } from "./KnownKeys.ts"
import { isMediaName } from "./MediaNames.ts"
import type { Member, Reading } from "./Reading.ts"

/** Most members of one object that the gateway reads. Objects that belong to the client may have more. */
export const OBJECT_MEMBERS_MAX = 256

/** A value that switches a refused field off is no longer than this, in bytes. */
const OFF_BYTES_MAX = 64

/** Letters that simple case folding turns into ASCII ones, besides the upper-case ones: long s and the Kelvin sign. */
const foldable = /[A-Z\u017f\u212a]/

/** The key as parsers see it that take no notice of case. */
export const foldKey = (key: string): string => foldable.test(key) ? key.replaceAll("\u017f", "s").toLowerCase() : key

/** Visits the members of the object at `at`; `visit` gives the offset behind the member's value, or -1. */
export function readMembers(
  reading: Reading,
  at: number,
  depth: number,
  visit: (member: Member) => number
): number {
  const { scan } = reading
  const { view } = scan
  if (depth > NESTING_LEVELS_MAX) return scan.tooDeep()
  if (!scan.count(1)) return -1
  let cursor = scan.space(at + 1)
  if (view[cursor] === CLOSE_BRACE) return cursor + 1
  const seen: Array<string> = []
  while (true) {
    if (view[cursor] !== QUOTE) return scan.malformed()
    const keyStart = cursor
    const valueAt = scan.member(keyStart)
    if (valueAt < 0) return -1
    let keyEnd = valueAt
    // Between a key and its value there are a colon and spaces only.
    while (view[keyEnd - 1] !== QUOTE) keyEnd--
    const key = keyOf(view, keyStart, keyEnd)
    if (seen.includes(key)) return reading.ambiguous(key)
    if (seen.push(key) > OBJECT_MEMBERS_MAX) return reading.tooManyMembers(OBJECT_MEMBERS_MAX)
    reading.path.push(key)
    const end = visit({ key, keyStart, keyEnd, at: valueAt })
    if (end < 0) return -1
    reading.path.pop()
    cursor = scan.next(end, CLOSE_BRACE)
    if (cursor < 0 || view[cursor - 1] === CLOSE_BRACE) return cursor
  }
}

/** Reads the object at `at` by `fields`. `names`: further names that its keys must not look like. */
export const readFields = (
  reading: Reading,
  fields: Fields,
  at: number,
  depth: number,
  names: Fields = fields
): number =>
  readMembers(reading, at, depth, (member) => {
    const rule = fields.get(member.key)
    return rule === undefined
      ? readUnknown(reading, member, depth, names)
      : readField(reading, rule, member.at, depth + 1)
  })

/** Refuses a key that is ambiguous or forbidden everywhere. */
export function checkName(reading: Reading, key: string, names: Fields): number {
  const folded = foldKey(key)
  if (folded !== key && names.has(folded)) {
    return reading.invalid(`Unrecognized request argument supplied: %. Did you mean '${folded}'?`)
  }
  if (folded === "chat_template") return reading.unsupported("Unsupported parameter: %. The upstream would run it.")
  return 0
}

/** A member that the table does not name: a scalar is counted and sent on. */
export function readUnknown(reading: Reading, member: Member, depth: number, names: Fields): number {
  if (checkName(reading, member.key, names) < 0) return -1
  const { scan } = reading
  const first = scan.view[member.at]
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    return reading.unsupported(
      "Unknown parameter: %. The gateway cannot bound an object or array that it does not know."
    )
  }
  const saved = scan.saved
  const end = scan.value(member.at, depth + 1)
  if (end < 0) return -1
  if (isMediaName(member.key) && !isNothing(reading, member.at, end)) {
    return reading.unsupported(
      "Unsupported parameter: %. Images and files are admitted in content parts of their types."
    )
  }
  reading.addMember(member, end, saved)
  return end
}

/** Whether the scalar `[start, end)` is null, false or an empty string. */
const isNothing = ({ scan: { view } }: Reading, start: number, end: number): boolean =>
  view[start] === LOWER_N || view[start] === LOWER_F || (view[start] === QUOTE && end - start === 2)

/** Reads the value at `at` as the field's rule says. */
export function readField(reading: Reading, rule: FieldRule, at: number, depth: number): number {
  const { scan } = reading
  if (scan.view[at] === LOWER_N) return scan.value(at, depth)
  const { counting, reasoning, settings } = reading
  if (rule.uncounted) {
    reading.settings = (reading.counting || reading.settings) && isSetting(rule)
    reading.counting = false
  }
  if (rule.reasoning) reading.reasoning = true
  const messages = reading.tally.messages
  const end = rule.treatment === "dropped" ? scan.value(at, depth) : reading.value(rule.shape, at, depth)
  reading.counting = counting
  reading.settings = settings
  reading.reasoning = reasoning
  if (end < 0) return -1
  if (rule.unit !== undefined && reading.tally.messages === messages) reading.unit(rule.unit)
  if (rule.treatment !== "refused" || isOff(reading, rule, at, end)) return end
  return reading.unsupported(`Unsupported parameter: %. ${rule.note}`)
}

/** Whether an upstream gets the value as it is, and might print it for the model. */
const isSetting = ({ identity, shape, treatment }: FieldRule): boolean =>
  treatment === "forwarded" && !identity && shape.kind !== "client"

/** Whether the value of a refused field says that it is switched off. */
function isOff(reading: Reading, rule: FieldRule, start: number, end: number): boolean {
  if (rule.off === undefined || end - start > OFF_BYTES_MAX) return false
  return rule.off.includes(JSON.stringify(parseJson(reading.scan.view.toString("utf8", start, end))))
}
