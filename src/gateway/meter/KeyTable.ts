/**
 * Looks up the key of a JSON member by its bytes, without making a string of it. A key that is written with escapes is found
 * as well, since every JSON parser reads it the same.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { parseJson } from "../JsonValue.ts"
import { BACKSLASH, bufferOf } from "../request/JsonBytes.ts"
import { equalBytes } from "./FrameBytes.ts"

const SLOTS = 256
/** A letter may be written with six bytes, as `\u0061`. */
const ESCAPED_BYTES_PER_LETTER = 6

const slotOf = (length: number, first: number, last: number): number => (length * 37 + first * 11 + last) & (SLOTS - 1)

interface Entry {
  readonly name: Uint8Array
  readonly key: number
}

export class KeyTable {
  private readonly slots: ReadonlyArray<Array<Entry>> = Array.from({ length: SLOTS }, () => [])
  private readonly byName = new Map<string, number>()
  private readonly nameBytesMax: number

  /** The first entry of a name counts. Keys are numbers above 0. */
  constructor(entries: ReadonlyArray<readonly [name: string, key: number]>) {
    let longest = 0
    for (const [text, key] of entries) {
      if (this.byName.has(text)) continue
      const name = Buffer.from(text)
      this.byName.set(text, key)
      this.slots[slotOf(name.length, name[0] ?? 0, name[name.length - 1] ?? 0)]?.push({ name, key })
      longest = Math.max(longest, name.length)
    }
    this.nameBytesMax = longest
  }

  /** The number of the key `[start, end)` of `data`, quotes left out; 0 when it is not in the table. */
  find(data: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length <= this.nameBytesMax && length > 0) {
      const entries = this.slots[slotOf(length, data[start] ?? 0, data[end - 1] ?? 0)]
      if (entries !== undefined) {
        for (const { key, name } of entries) {
          if (name.length === length && equalBytes(data, start, name)) return key
        }
      }
    }
    return this.findEscaped(data, start, end)
  }

  private findEscaped(data: Uint8Array, start: number, end: number): number {
    if (end - start > this.nameBytesMax * ESCAPED_BYTES_PER_LETTER) return 0
    for (let at = start; at < end; at++) {
      if (data[at] !== BACKSLASH) continue
      const name = parseJson(`"${bufferOf(data).toString("utf8", start, end)}"`)
      return typeof name === "string" ? this.byName.get(name) ?? 0 : 0
    }
    return 0
  }
}
