/**
 * Finds keys repeated inside nested objects. `JSON.parse` keeps the last of two, another parser may keep the first:
 * where the gateway read one and the upstream reads the other, something else is forwarded than was priced.
 */
import { bufferOf, COLON, decodeString, endOfString, QUOTE, skipSpace } from "./JsonFields.ts"

/** How many members the objects of a parsed value have in all. */
export function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item)
    return count
  }
  const members = Object.values(value)
  count = members.length
  for (const member of members) count += countMembers(member)
  return count
}

/** The keys that some object of the valid JSON text `body` holds more than once. For the rare body that has any. */
export function duplicateKeys(body: Uint8Array): ReadonlySet<string> {
  const view = bufferOf(body)
  const duplicates = new Set<string>()
  const open: Array<Set<string>> = []
  let at = 0
  while (at < body.length) {
    const byte = body[at]
    if (byte === QUOTE) {
      const end = endOfString(body, at + 1)
      if (end < 0) break
      if (body[skipSpace(body, end)] === COLON) {
        const key = decodeString(view, at, end)
        const keys = open[open.length - 1]
        if (key !== undefined && keys?.has(key)) duplicates.add(key)
        if (key !== undefined) keys?.add(key)
      }
      at = end
      continue
    }
    if (byte === 0x7b || byte === 0x5b) open.push(new Set())
    else if (byte === 0x7d || byte === 0x5d) open.pop()
    at++
  }
  return duplicates
}
