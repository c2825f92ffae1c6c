/**
 * Takes the escapes out of the pieces of a JSON string: what comes out is plain UTF-8. A surrogate pair may be split between two
 * strings; a half that stays alone becomes a replacement character.
 *
 * @internal
 */
import { BACKSLASH } from "../request/JsonBytes.ts"
import { escapeBytes, escapedUnit } from "./FrameBytes.ts"

/** Escaped text is written in pieces of so many bytes. */
const PIECE_BYTES_MAX = 4096
/** The longest that one escape becomes, with a half before it that stayed alone. */
const CHARACTER_BYTES_MAX = 6
const scratch = new Uint8Array(PIECE_BYTES_MAX + CHARACTER_BYTES_MAX)

const REPLACEMENT = 0xfffd

/** The bytes are only good until the next write. */
export interface Written {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** What is not written yet begins here. */
  readonly next: number
}

/** A byte inside a UTF-8 sequence. */
export const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Before the UTF-8 sequence at the end of `[start, end)` that is not whole, if there is one. */
export function wholeCharactersEnd(bytes: Uint8Array, start: number, end: number): number {
  let lead = end - 1
  while (lead > start && end - lead < 4 && isContinuation(bytes[lead])) lead--
  const first = bytes[lead] ?? 0
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
  return lead >= start && lead + length > end ? lead : end
}

export class TextWriter {
  /** The first half of a surrogate pair, at the end of what was written. */
  private half = 0

  /** No half of a character waits for the other. */
  get isWhole(): boolean {
    return this.half === 0
  }

  /** Writes text of `[start, end)`, from its start on. Text without escapes is not copied. */
  write(data: Uint8Array, start: number, end: number): Written {
    let at = start
    while (at < end && data[at] !== BACKSLASH) at++
    if (at > start && this.half === 0) return { bytes: data, start, end: at, next: at }
    return this.unescape(data, start, end)
  }

  private unescape(data: Uint8Array, start: number, end: number): Written {
    let to = 0
    let at = start
    while (at < end && to < PIECE_BYTES_MAX) {
      const byte = data[at] ?? 0
      if (byte === BACKSLASH) {
        to = this.unit(Math.max(escapedUnit(data, at), 0), to)
        at += escapeBytes(data, at)
      } else {
        to = this.flush(to)
        scratch[to++] = byte
        at++
      }
    }
    return { bytes: scratch, start: 0, end: to, next: Math.min(at, end) }
  }

  private unit(unit: number, from: number): number {
    if (unit >= 0xdc00 && unit <= 0xdfff && this.half !== 0) {
      const character = 0x10000 + ((this.half - 0xd800) << 10) + (unit - 0xdc00)
      this.half = 0
      return encode(character, from)
    }
    const to = this.flush(from)
    if (unit >= 0xd800 && unit <= 0xdbff) {
      this.half = unit
      return to
    }
    return encode(unit >= 0xdc00 && unit <= 0xdfff ? REPLACEMENT : unit, to)
  }

  private flush(to: number): number {
    if (this.half === 0) return to
    this.half = 0
    return encode(REPLACEMENT, to)
  }
}

function encode(character: number, to: number): number {
  if (character < 0x80) {
    scratch[to] = character
    return to + 1
  }
  if (character < 0x800) {
    scratch[to] = 0xc0 | (character >> 6)
    scratch[to + 1] = 0x80 | (character & 0x3f)
    return to + 2
  }
  if (character < 0x10000) {
    scratch[to] = 0xe0 | (character >> 12)
    scratch[to + 1] = 0x80 | ((character >> 6) & 0x3f)
    scratch[to + 2] = 0x80 | (character & 0x3f)
    return to + 3
  }
  scratch[to] = 0xf0 | (character >> 18)
  scratch[to + 1] = 0x80 | ((character >> 12) & 0x3f)
  scratch[to + 2] = 0x80 | ((character >> 6) & 0x3f)
  scratch[to + 3] = 0x80 | (character & 0x3f)
  return to + 4
}
