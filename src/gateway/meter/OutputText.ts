/**
 * The output of one stream as it was delivered: how many bytes, how many tokens at most, and its text for a closer estimate -
 * all of it, and apart from that what came behind the last usage.
 *
 * @internal
 */
import { offsetBehind } from "./FrameBytes.ts"
import type { FrameStrings } from "./FrameStrings.ts"
import { TextSample } from "./TextSample.ts"

/** A token of text is estimated from above at this many bytes of its JSON; ordinary text has four or more. */
export const BYTES_PER_TOKEN_UPPER = 3

export class OutputText {
  readonly sample = new TextSample()
  bytes = 0
  upperTokens = 0
  private hasUsage = false
  /** Text behind the last usage; undefined while there is none. */
  private behind: TextSample | undefined
  private covering = false

  /** Text that the last usage does not cover; undefined when there is no such text. */
  get behindUsage(): TextSample | undefined {
    return this.behind !== undefined && this.behind.bytes > 0 ? this.behind : undefined
  }

  /** A usage came that covers all output up to the end of this frame. */
  coveredByUsage(): void {
    this.covering = true
    this.hasUsage = true
    if (this.behind !== undefined && this.behind.bytes > 0) this.behind.clear()
  }

  /** A frame begins. */
  frame(): void {
    this.covering = false
  }

  /** Adds a string of the frame; answers its tokens at most. */
  add(data: Uint8Array, start: number, end: number, size: number): number {
    const tokens = Math.ceil((end - start) / BYTES_PER_TOKEN_UPPER)
    this.bytes += size
    this.upperTokens += tokens
    this.sample.add(data, start, end, size, tokens)
    if (this.hasUsage && !this.covering) {
      this.behind ??= new TextSample()
      this.behind.add(data, start, end, size, tokens)
    }
    return tokens
  }

  /** Adds the strings `[first, last)` of the frame without their first `skipped` bytes; answers their tokens at most. */
  addBehind(data: Uint8Array, strings: FrameStrings, first: number, last: number, skipped: number): number {
    let left = skipped
    let tokens = 0
    for (let index = first; index < last; index++) {
      const size = strings.sizes[index] ?? 0
      if (left >= size) {
        left -= size
        continue
      }
      const end = strings.ends[index] ?? 0
      const start = offsetBehind(data, strings.starts[index] ?? 0, end, left)
      if (start < end) tokens += this.add(data, start, end, size - left)
      left = 0
    }
    return tokens
  }
}
