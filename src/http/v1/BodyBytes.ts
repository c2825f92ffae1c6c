/**
 * The bytes of a body as they come, copied into segments of one size: a client can send a body one byte at a time, and a buffer for
 * each piece would take a hundred times the memory that is counted for it.
 *
 * @internal
 */
import { freeBytes } from "./FreeBytes.ts"

/**
 * The size of a segment: that of a full read from a socket, so that what is freed fits what is allocated next. Segments of another
 * size left so many holes that a full budget took a fifth more memory than it counts.
 */
const SEGMENT_BYTES = 65_536

export class BodyBytes {
  private first: Buffer | undefined
  private segments: Array<Buffer> = []
  private tail: Buffer | undefined
  private tailBytes = 0
  private bytes = 0

  get length(): number {
    return this.bytes
  }

  /** Takes a piece over, and frees it once it is copied: nothing else may read it afterwards. */
  add(piece: Buffer): void {
    const { length } = piece
    if (length === 0) return
    // Most bodies are one piece and are never copied.
    if (this.bytes === 0) this.first = piece
    else {
      const first = this.first
      this.first = undefined
      if (first !== undefined) this.append(first)
      this.append(piece)
    }
    this.bytes += length
  }

  /** All bytes, in their order; nothing is kept here any more. */
  take(): ReadonlyArray<Buffer> {
    const pieces = this.first === undefined ? this.closeTail() : [this.first]
    this.first = undefined
    this.segments = []
    this.bytes = 0
    return pieces
  }

  /** Frees all bytes. */
  drop(): void {
    if (this.first !== undefined) freeBytes(this.first)
    if (this.tail !== undefined) freeBytes(this.tail)
    for (const segment of this.segments) freeBytes(segment)
    this.first = undefined
    this.segments = []
    this.tail = undefined
    this.tailBytes = 0
    this.bytes = 0
  }

  private append(piece: Buffer): void {
    let copied = 0
    while (copied < piece.length) {
      const tail = this.tail ??= Buffer.allocUnsafeSlow(SEGMENT_BYTES)
      const taken = piece.copy(tail, this.tailBytes, copied)
      copied += taken
      this.tailBytes += taken
      if (this.tailBytes === tail.length) this.closeTail()
    }
    freeBytes(piece)
  }

  private closeTail(): ReadonlyArray<Buffer> {
    if (this.tail !== undefined && this.tailBytes > 0) this.segments.push(this.tail.subarray(0, this.tailBytes))
    this.tail = undefined
    this.tailBytes = 0
    return this.segments
  }
}
