/**
 * Splits a stream of server-sent events into frames, whatever pieces the network delivers it in. Each frame keeps its
 * exact bytes: all `raw` and the flushed tail together are the input, and where it was cut changes nothing.
 */
import { Buffer } from "node:buffer"
import { bufferOf } from "../request/JsonBytes.ts"
import { equalBytes } from "./FrameBytes.ts"

export interface SseFrame {
  /** The bytes of the frame, its blank line included. */
  readonly raw: Uint8Array
  /** What its `data:` lines hold, joined by line feeds; undefined for a comment, a lone event name or a blank line. */
  readonly data: Uint8Array | undefined
  /** Its event is named as an error, such as `error` or `internalServerException`: its data say why, in whatever shape. */
  readonly isError?: boolean
}

/** A longer frame is an overflow: what is held for an incomplete one is bounded. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024

const HELD_BYTES_MIN = 1024

/** Names of events that are failures, and how long they are at most. */
const errorName = /^(?:[a-z_]*(?:error|exception)|response\.error)$/i
const NAME_BYTES_MAX = 64

const LETTER_E = 0x65
const LETTER_N = 0x6e
const LETTER_R = 0x72
const eventField = Buffer.from("event:")
const LF = 0x0a
const CR = 0x0d
const EMPTY = new Uint8Array(0)
const LINE_FEED = new Uint8Array([LF])

/** The end of a line is looked for here in so many bytes; in what follows natively, which pays off for long lines. */
const NEAR_BYTES = 512

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09

/** Like `indexOf`, with infinity for none. */
const find = (bytes: Uint8Array, byte: number, from: number): number => {
  const at = bytes.indexOf(byte, from)
  return at < 0 ? Infinity : at
}

/** The same bytes, not copied; plain, since a buffer's own parts cost more. All of them: what is there already. */
const part = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  start === 0 && end === bytes.length ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start)

export class SseScanner {
  /** The frame begun by earlier chunks: the first `length` bytes of `held`. */
  private held: Uint8Array = EMPTY
  private length = 0
  /** Offsets within the current frame: the line being read, and how far a line end has been looked for. */
  private lineStart = 0
  private searched = 0
  /** The data lines of the current frame, as pairs of offsets. */
  private lines: Array<number> = []
  /** The event of the current frame is named as an error. */
  private isError = false
  /**
   * The last line ended with a carriage return alone. Then the next one does too: a blank line's CR ends its frame at
   * once instead of waiting for a line feed that may belong to it.
   */
  private loneCr = false
  private atStart = true
  /** The next line feed and carriage return of the bytes being scanned, as far as known. */
  private nextLf = -1
  private nextCr = -1
  private overflowed = false

  /** The frames that `chunk` completes; their bytes may be slices of it. Once over the bound it stays at `"overflow"`. */
  push(chunk: Uint8Array): ReadonlyArray<SseFrame> | "overflow" {
    if (this.overflowed) return "overflow"
    const bytes = this.append(chunk)
    const frames: Array<SseFrame> = []
    let frameStart = 0
    this.nextLf = this.nextCr = -1
    for (;;) {
      const lineStart = frameStart + this.lineStart
      const lineEnd = this.endOfLine(bytes, frameStart + this.searched, lineStart)
      if (lineEnd < 0) break
      const crlf = bytes[lineEnd] === CR && bytes[lineEnd + 1] === LF && !(this.loneCr && lineStart === lineEnd)
      this.loneCr = bytes[lineEnd] === CR && !crlf
      const next = lineEnd + (crlf ? 2 : 1)
      const blank = this.line(bytes, frameStart, lineStart, lineEnd)
      this.lineStart = this.searched = next - frameStart
      if (!blank) continue
      if (next - frameStart > MAX_FRAME_BYTES) return this.overflow()
      frames.push({ raw: part(bytes, frameStart, next), data: this.data(bytes, frameStart), isError: this.isError })
      frameStart = next
      this.lines = []
      this.isError = false
      this.lineStart = this.searched = 0
    }
    if (bytes.length - frameStart > MAX_FRAME_BYTES) return this.overflow()
    this.keep(bytes, frameStart)
    return frames
  }

  /** The bytes after the last blank line, and an empty scanner. */
  flush(): Uint8Array {
    const tail = this.held.subarray(0, this.length)
    this.keep(EMPTY, 0)
    this.lines = []
    this.isError = false
    this.lineStart = this.searched = 0
    return tail
  }

  /** The frame that the tail would be, had its blank line come: some upstreams end without it. Changes nothing. */
  tailFrame(): SseFrame | undefined {
    if (this.length === 0) return undefined
    const raw = this.held.subarray(0, this.length)
    const { isError, lines } = this
    let end = this.length
    if (raw[end - 1] === CR) end--
    if (end > this.lineStart) {
      this.lines = [...lines]
      const atStart = this.atStart
      this.line(raw, 0, this.lineStart, end)
      this.atStart = atStart
    }
    const frame = { raw, data: this.data(raw, 0), isError: this.isError }
    this.lines = lines
    this.isError = isError
    return frame
  }

  /** The chunk, behind what is held. */
  private append(chunk: Uint8Array): Uint8Array {
    if (this.length === 0) return chunk
    const length = this.length + chunk.length
    if (length > this.held.length) {
      const grown = new Uint8Array(Math.max(length, this.held.length * 2, HELD_BYTES_MIN))
      grown.set(this.held.subarray(0, this.length))
      this.held = grown
    }
    this.held.set(chunk, this.length)
    this.length = length
    return this.held.subarray(0, length)
  }

  /** Keeps what follows `frameStart` for the next chunk. Bytes given out in frames are never written again. */
  private keep(bytes: Uint8Array, frameStart: number): void {
    const rest = bytes.length - frameStart
    if (rest > 0 && frameStart === 0 && this.length > 0) return
    this.held = rest === 0 ? EMPTY : new Uint8Array(part(bytes, frameStart, bytes.length))
    this.length = rest
  }

  /** The offset of the next line end at or after `from`; -1 when it has not come, or may be half of CR LF. */
  private endOfLine(bytes: Uint8Array, from: number, lineStart: number): number {
    const near = Math.min(from + NEAR_BYTES, bytes.length)
    let at = from
    while (at < near && bytes[at] !== LF && bytes[at] !== CR) at++
    if (at < near) {
      if (bytes[at] === LF) return at
    } else {
      if (this.nextLf < at) this.nextLf = find(bytes, LF, at)
      if (this.nextCr < at) this.nextCr = find(bytes, CR, at)
      if (this.nextLf < this.nextCr) return this.nextLf
    }
    const cr = at < near ? at : this.nextCr
    if (cr + 1 < bytes.length || (cr < bytes.length && this.loneCr && cr === lineStart)) return cr
    this.searched += Math.min(cr, bytes.length) - from
    return -1
  }

  /** Notes a data line, or the name of the event; true for the blank line that ends the frame. Offsets are kept relative to the frame. */
  private line(bytes: Uint8Array, frameStart: number, lineStart: number, lineEnd: number): boolean {
    let start = lineStart
    if (this.atStart) {
      this.atStart = false
      if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3
    }
    if (start >= lineEnd) return true
    if (bytes[start] === LETTER_E) this.name(bytes, start, lineEnd)
    // "data", and then a colon or the end of the line.
    if (bytes[start] !== 0x64 || bytes[start + 1] !== 0x61 || bytes[start + 2] !== 0x74 || bytes[start + 3] !== 0x61) {
      return false
    }
    let value = start + 4
    if (value < lineEnd) {
      if (bytes[value] !== 0x3a) return false
      value++
      if (value < lineEnd && bytes[value] === 0x20) value++
    } else if (value > lineEnd) return false
    this.lines.push(value - frameStart, lineEnd - frameStart)
    return false
  }

  /** The last name of an event counts. */
  private name(bytes: Uint8Array, start: number, end: number): void {
    if (!equalBytes(bytes, start, eventField)) return
    let last = end
    while (isBlank(bytes[last - 1])) last--
    // Most names end otherwise, and need not be read.
    const letter = (bytes[last - 1] ?? 0) | 0x20
    if ((letter !== LETTER_R && letter !== LETTER_N) || last - start > NAME_BYTES_MAX) this.isError = false
    else this.isError = errorName.test(bufferOf(bytes).toString("latin1", start + eventField.length, last).trimStart())
  }

  private data(bytes: Uint8Array, frameStart: number): Uint8Array | undefined {
    const [start, end] = this.lines
    if (start === undefined || end === undefined) return undefined
    if (this.lines.length === 2) return part(bytes, frameStart + start, frameStart + end)
    const parts: Array<Uint8Array> = []
    for (let index = 0; index < this.lines.length; index += 2) {
      if (index > 0) parts.push(LINE_FEED)
      parts.push(bytes.subarray(frameStart + (this.lines[index] ?? 0), frameStart + (this.lines[index + 1] ?? 0)))
    }
    return Buffer.concat(parts)
  }

  private overflow(): "overflow" {
    this.overflowed = true
    this.held = EMPTY
    this.length = 0
    return "overflow"
  }
}
