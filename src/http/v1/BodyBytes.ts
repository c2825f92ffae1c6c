/**
 * The bytes of a body as they come. Small pieces are copied together: a client can send a body one byte at a time, and a buffer
 * for each would take a hundred times the memory that is counted for it.
 *
 * @internal
 */
import { freeBytes } from "./FreeBytes.ts"

/** Pieces from this size on are kept as they are; smaller ones are copied into segments of this size. */
const SEGMENT_BYTES = 16_384

export class BodyBytes {
  private first: Buffer | undefined
  private segments: Array<Buffer> = []
  private tail: Buffer | undefined
  private tailBytes = 0
  private bytes = 0

  get length(): number {
    return this.bytes
  }

  /** Takes a piece over: nothing else may read it afterwards. */
  add(piece: Buffer): void {
    if (piece.length === 0) return
    // Most bodies are one piece and are never copied.
    if (this.bytes === 0) this.first = piece
    else {
      const first = this.first
      this.first = undefined
      if (first !== undefined) this.append(first)
      this.append(piece)
    }
    this.bytes += piece.length
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
    for (const segment of this.segments) freeBytes(segment)
    this.first = undefined
    this.segments = []
    this.tail = undefined
    this.tailBytes = 0
    this.bytes = 0
  }

  private append(piece: Buffer): void {
    if (piece.length >= SEGMENT_BYTES) {
      this.closeTail()
      this.segments.push(piece)
      return
    }
    let copied = 0
    while (copied < piece.length) {
      const tail = this.tail ??= Buffer.allocUnsafeSlow(SEGMENT_BYTES)
      const taken = piece.copy(tail, this.tailBytes, copied)
      copied += taken
      this.tailBytes += taken
      if (this.tailBytes === SEGMENT_BYTES) this.closeTail()
    }
  }

  private closeTail(): ReadonlyArray<Buffer> {
    if (this.tail !== undefined && this.tailBytes > 0) this.segments.push(this.tail.subarray(0, this.tailBytes))
    this.tail = undefined
    this.tailBytes = 0
    return this.segments
  }
}
