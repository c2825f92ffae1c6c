/**
 * The output strings of one frame, in their order. They are kept as offsets, in arrays that are used again for the next frame.
 *
 * @internal
 */
import { bufferOf } from "../request/JsonBytes.ts"

/** What a string of output is. */
export const Output = {
  /** New text. */
  delta: 0,
  /** The `message` or `text` of a choice: it may repeat what the deltas brought. */
  late: 1,
  /** Chat output outside `choices`: it counts in a frame that has none. */
  loose: 2,
  /** Text of an event of /v1/responses that is not a delta. */
  snapshot: 3,
  /** Text of a whole response, as its terminal event has it. */
  whole: 4
} as const

/** Equal strings of one choice in one frame are looked for among so many of the strings before. */
const REPEATS_WINDOW_STRINGS = 16
/** So many repeats are not counted in a frame: names under which the same text is known. More is output. */
export const REPEATS_UNCOUNTED_MAX = 4
/** Strings of one frame, at most; what follows counts as part of the last one. */
export const STRINGS_MAX = 65_536
/** After a frame with more strings the arrays are replaced. */
const STRINGS_KEPT_MAX = 1024

/** Longer strings are compared natively, which pays off for whole answers in one frame. */
const COMPARED_HERE_BYTES_MAX = 64

function isSame(data: Uint8Array, one: number, other: number, length: number): boolean {
  if (length > COMPARED_HERE_BYTES_MAX) {
    const bytes = bufferOf(data)
    return bytes.compare(bytes, one, one + length, other, other + length) === 0
  }
  for (let offset = 0; offset < length; offset++) if (data[one + offset] !== data[other + offset]) return false
  return true
}

export class FrameStrings {
  /** The arrays may be longer. */
  count = 0
  /** Offsets into the frame, without the quotes. */
  starts: Array<number> = []
  ends: Array<number> = []
  /** UTF-8 bytes when the escapes are taken out. */
  sizes: Array<number> = []
  kinds: Array<number> = []
  /** Which of the frame's choices a string belongs to, counted from 0. */
  owners: Array<number> = []
  private repeats = 0

  clear(): void {
    if (this.count > STRINGS_KEPT_MAX) {
      this.starts = []
      this.ends = []
      this.sizes = []
      this.kinds = []
      this.owners = []
    }
    this.count = this.repeats = 0
  }

  add(start: number, end: number, size: number, kind: number, owner: number): void {
    if (this.count >= STRINGS_MAX) return this.extend(end, size)
    const index = this.count++
    this.starts[index] = start
    this.ends[index] = end
    this.sizes[index] = size
    this.kinds[index] = kind
    this.owners[index] = owner
  }

  private extend(end: number, size: number): void {
    const last = this.count - 1
    this.ends[last] = end
    this.sizes[last] = (this.sizes[last] ?? 0) + size
  }

  /** The same text of the same choice came before: some upstreams send one text under two names. */
  isRepeat(data: Uint8Array, start: number, end: number, kind: number, owner: number): boolean {
    const oldest = Math.max(this.count - REPEATS_WINDOW_STRINGS, 0)
    for (let index = this.count - 1; index >= oldest; index--) {
      const other = this.starts[index] ?? 0
      if ((this.ends[index] ?? 0) - other !== end - start) continue
      if (this.owners[index] !== owner || this.kinds[index] !== kind) continue
      if (!isSame(data, start, other, end - start)) continue
      return ++this.repeats <= REPEATS_UNCOUNTED_MAX
    }
    return false
  }

  /** The bytes of the strings `[first, last)`. */
  sizeOf(first: number, last: number): number {
    let size = 0
    for (let index = first; index < last; index++) size += this.sizes[index] ?? 0
    return size
  }
}
