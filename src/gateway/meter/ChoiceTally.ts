/**
 * One answer of a chat stream: how much output its deltas brought, whether it has ended, and how much of what comes later as a
 * whole - a `message`, a `text` - the deltas lacked.
 *
 * @internal
 */
import { equalBytes } from "./FrameBytes.ts"

/** The beginning by which a text that grows from frame to frame is known, in bytes. */
const BEGINNING_BYTES = 64

const nothing = new Uint8Array(0)

export class ChoiceTally {
  /** It has a `finish_reason`, and no output came since. */
  finished = false
  private deltaBytes = 0
  /** What came as a whole, a text that grows counted once. */
  private lateBytes = 0
  private lateCounted = 0
  private lastLate = 0
  private beginning: Uint8Array = nothing

  /** It has no output. */
  get isEmpty(): boolean {
    return this.deltaBytes + this.lateCounted === 0
  }

  addDelta(bytes: number): void {
    this.deltaBytes += bytes
  }

  /**
   * A frame brought `size` bytes as a whole, of which the first string is `[start, end)`. Answers how many of them, from its end,
   * are new.
   */
  addLate(data: Uint8Array, start: number, end: number, size: number): number {
    // Some upstreams send the whole text so far with each frame, others piece by piece under the same name.
    const grows = size > this.lastLate && this.beginning.length > 0 && end - start >= this.beginning.length &&
      equalBytes(data, start, this.beginning)
    this.lateBytes += grows ? size - this.lastLate : size
    this.lastLate = size
    this.beginning = data.slice(start, Math.min(end, start + BEGINNING_BYTES))
    const lacking = Math.min(Math.max(this.lateBytes - this.deltaBytes - this.lateCounted, 0), size)
    this.lateCounted += lacking
    return lacking
  }
}
