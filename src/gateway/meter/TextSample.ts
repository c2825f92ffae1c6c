/**
 * The text of an answer for estimating its tokens: the whole of it up to a bound, then evenly spread slices of it, so that each
 * part of the answer is represented and memory is bounded. Tokens of slices are counted a few at a time and remembered.
 */
import { Buffer } from "node:buffer"
import { countTokens } from "./TokenCount.ts"
import { isContinuation, TextWriter, wholeCharactersEnd } from "./TextWriter.ts"

/** Text kept for one answer, at most; the notes about its slices take a fifth as much. */
export const SAMPLE_BYTES_MAX = 256 * 1024

/** Small slices: where kinds of text alternate, many small ones represent them better than few large ones. */
export const SLICE_BYTES = 256

const SLICES_MAX = SAMPLE_BYTES_MAX / SLICE_BYTES

const BUFFER_BYTES_FIRST = 1024

/** A slice is cut before a space where one is so near to its end, as a tokenizer would. */
const CUT_BYTES_MAX = 64

/** Tokens of a slice that is not counted yet. */
const UNKNOWN = -1

const SPACE = 0x20

const noBytes = new Uint8Array(0)

/** First buffers are parts of one piece of memory: few enough that one that lives long keeps little of others. */
const FIRST_BUFFERS_SHARED = 8

let shared: Uint8Array = noBytes
let sharedTaken = 0

/** Most answers are short and need no other. What is not written is not read. */
function firstBuffer(): Uint8Array {
  if (sharedTaken === shared.length) {
    shared = Buffer.allocUnsafeSlow(FIRST_BUFFERS_SHARED * BUFFER_BYTES_FIRST)
    sharedTaken = 0
  }
  const start = sharedTaken
  sharedTaken += BUFFER_BYTES_FIRST
  return new Uint8Array(shared.buffer, shared.byteOffset + start, BUFFER_BYTES_FIRST)
}

/** Which of `stride` slices represents them: spread like random numbers, so that a text with a rhythm is represented as well. */
function chosenOf(group: number, stride: number): number {
  let hash = Math.imul(group ^ Math.imul(stride, 0x9e3779b1), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % stride
}

/** The part of `tokens` that falls to `part` of `whole` bytes, a whole number; the last part gets what is left. */
const shareOf = (tokens: number, part: number, whole: number): number =>
  part === whole ? tokens : Math.round((tokens * part) / whole)

/** What an estimate needs of a sample. */
export interface SampledText {
  /** UTF-8 bytes of the whole text. */
  readonly bytes: number
  /** There is no text, not even half a character. */
  readonly isEmpty: boolean
  /** What is kept, as texts. Text that lay together is one. */
  texts(): ReadonlyArray<string>
  /** Tokens of the whole text, at least 1 where there is any, when its `texts` have `tokens`. */
  estimate(tokens: number): number
}

/** A sample as plain data, which another thread can give. */
export interface SampleData {
  readonly bytes: number
  readonly isEmpty: boolean
  readonly texts: ReadonlyArray<string>
  /** UTF-8 bytes of the kept texts; null: they are the whole text. */
  readonly keptBytes: number | null
}

const estimated = ({ bytes, isEmpty }: SampledText, keptBytes: number | null, tokens: number): number => {
  if (isEmpty) return 0
  return Math.max(1, keptBytes === null ? tokens : Math.ceil(tokens * (bytes / keptBytes)))
}

export const dataOf = (sample: TextSample): SampleData => ({
  bytes: sample.bytes,
  isEmpty: sample.isEmpty,
  texts: sample.texts(),
  keptBytes: sample.keptBytes
})

export const sampledText = ({ bytes, isEmpty, keptBytes, texts }: SampleData): SampledText => {
  const sampled: SampledText = {
    bytes,
    isEmpty,
    texts: () => texts,
    estimate: (tokens) => estimated(sampled, keptBytes, tokens)
  }
  return sampled
}

export class TextSample implements SampledText {
  /** UTF-8 bytes added so far. */
  bytes = 0
  /** Tokens added so far, by the estimate from above that came with each text. */
  upperTokens = 0
  private readonly writer = new TextWriter()
  private buffer: Uint8Array = noBytes
  /** Bytes in the buffer: whole slices, and the one being filled. */
  private length = 0
  /** Each group of so many slices of text keeps one. */
  private stride = 1
  private slice = 0
  private sliceBytes = 0
  private keeping = true
  /** By group: the bytes and the upper tokens that its slice represents, and the slice's tokens. */
  private groups = 1
  private groupBytes: Array<number> = [0]
  private groupUpper: Array<number> = [0]
  private groupTokens: Array<number> = [UNKNOWN]
  /** Groups before this one are counted. */
  private counted = 0
  private countedTokens = 0
  private countedUpper = 0
  /** The slice being filled, counted as far as it went. */
  private tailTokens = 0
  private tailUpper = 0
  private tailLength = 0

  /**
   * Adds the JSON string `[start, end)` of `data`, quotes left out, which has `size` bytes without its escapes; its tokens are at
   * most `upperTokens`.
   */
  add(data: Uint8Array, start: number, end: number, size: number, upperTokens: number): void {
    if (size === end - start && this.writer.isWhole) return this.append(data, start, end, upperTokens)
    let at = start
    let left = upperTokens
    while (at < end) {
      const text = this.writer.write(data, at, end)
      const share = shareOf(left, text.next - at, end - at)
      this.append(text.bytes, text.start, text.end, share)
      left -= share
      at = text.next
    }
  }

  clear(): void {
    this.bytes =
      this.upperTokens =
      this.length =
      this.slice =
      this.sliceBytes =
        0
    this.stride = this.groups = 1
    this.keeping = true
    this.groupBytes = [0]
    this.groupUpper = [0]
    this.groupTokens = [UNKNOWN]
    this.counted = this.countedTokens = this.countedUpper = 0
    this.tailTokens = this.tailUpper = this.tailLength = 0
  }

  get isEmpty(): boolean {
    return this.upperTokens === 0
  }

  /** Tokens of the text by what is counted, and from above for what is not. */
  get tokensAtMost(): number {
    return this.countedTokens + this.tailTokens + this.upperTokens - this.countedUpper - this.tailUpper
  }

  /** Tokens of the text that is counted, and nothing for what is not. */
  get tokensCounted(): number {
    return this.countedTokens + this.tailTokens
  }

  /** Upper tokens of what is not counted. */
  get upperUncounted(): number {
    return this.upperTokens - this.countedUpper - this.tailUpper
  }

  /** Counts slices that are not counted, from the first on, up to `bytesMax` bytes. False when some are left. */
  countSome(bytesMax: number): boolean {
    let left = bytesMax
    while (this.counted < this.groups - 1) {
      const group = this.counted
      if (this.groupTokens[group] === UNKNOWN) {
        if (left < SLICE_BYTES) return false
        left -= SLICE_BYTES
        this.groupTokens[group] = this.tokensOfSlice(group)
      }
      this.countedTokens += this.worth(group)
      this.countedUpper += this.groupUpper[group] ?? 0
      this.counted++
      this.tailTokens = this.tailUpper = this.tailLength = 0
    }
    if (this.stride > 1 || this.tailLength === this.length) return true
    if (left < this.length - this.cutBefore(this.counted * SLICE_BYTES)) return false
    this.tailTokens = countTokens(this.textBetween(this.cutBefore(this.counted * SLICE_BYTES), this.length))
    this.tailUpper = this.groupUpper[this.counted] ?? 0
    this.tailLength = this.length
    return true
  }

  get keptBytes(): number | null {
    return this.stride === 1 ? null : this.length
  }

  texts(): ReadonlyArray<string> {
    if (this.length === 0) return []
    if (this.stride === 1) return [this.textBetween(0, this.length)]
    const texts: Array<string> = []
    for (let start = 0; start < this.length; start += SLICE_BYTES) {
      texts.push(this.textBetween(start, Math.min(start + SLICE_BYTES, this.length)))
    }
    return texts
  }

  estimate(tokens: number): number {
    return estimated(this, this.keptBytes, tokens)
  }

  /** The tokens of all the text that a slice represents. */
  private worth(group: number): number {
    return Math.ceil(((this.groupTokens[group] ?? 0) * (this.groupBytes[group] ?? 0)) / SLICE_BYTES)
  }

  private append(bytes: Uint8Array, start: number, end: number, upper: number): void {
    let at = start
    let left = upper
    this.bytes += end - start
    this.upperTokens += upper
    while (at < end) {
      if (this.sliceBytes === SLICE_BYTES) this.nextSlice()
      const taken = Math.min(SLICE_BYTES - this.sliceBytes, end - at)
      if (this.keeping) this.keep(bytes, at, at + taken)
      const group = this.groups - 1
      const share = shareOf(left, taken, end - at)
      this.groupBytes[group] = (this.groupBytes[group] ?? 0) + taken
      this.groupUpper[group] = (this.groupUpper[group] ?? 0) + share
      left -= share
      this.sliceBytes += taken
      at += taken
    }
    if (left > 0) this.groupUpper[this.groups - 1] = (this.groupUpper[this.groups - 1] ?? 0) + left
  }

  private keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.buffer.length) {
      const grown = length <= BUFFER_BYTES_FIRST
        ? firstBuffer()
        : Buffer.allocUnsafeSlow(Math.min(SAMPLE_BYTES_MAX, Math.max(length, this.buffer.length * 2)))
      if (this.length > 0) grown.set(this.buffer.subarray(0, this.length))
      this.buffer = grown
    }
    const { buffer } = this
    let to = this.length
    for (let at = start; at < end; at++) buffer[to++] = bytes[at] ?? 0
    this.length = length
  }

  private nextSlice(): void {
    this.slice++
    this.sliceBytes = 0
    if (this.slice % this.stride === 0) {
      if (this.groups === SLICES_MAX) this.halve()
      this.groupBytes[this.groups] = this.groupUpper[this.groups] = 0
      this.groupTokens[this.groups] = UNKNOWN
      this.groups++
    }
    this.keeping = this.slice % this.stride === chosenOf(this.groups - 1, this.stride)
  }

  /** Of each two groups one slice is kept, which represents both. */
  private halve(): void {
    this.stride *= 2
    for (let group = 0; group < SLICES_MAX / 2; group++) {
      const one = group * 2
      const kept = one + chosenOf(group, 2)
      this.buffer.copyWithin(group * SLICE_BYTES, kept * SLICE_BYTES, (kept + 1) * SLICE_BYTES)
      this.groupBytes[group] = (this.groupBytes[one] ?? 0) + (this.groupBytes[one + 1] ?? 0)
      this.groupUpper[group] = (this.groupUpper[one] ?? 0) + (this.groupUpper[one + 1] ?? 0)
      this.groupTokens[group] = this.groupTokens[kept] ?? UNKNOWN
    }
    this.groups = SLICES_MAX / 2
    this.length = this.groups * SLICE_BYTES
    this.counted = this.countedTokens = this.countedUpper = 0
    this.tailTokens = this.tailUpper = this.tailLength = 0
  }

  /** Tokens of a whole slice. Where its neighbours are kept, it reaches from space to space. */
  private tokensOfSlice(group: number): number {
    const start = group * SLICE_BYTES
    const end = start + SLICE_BYTES
    if (this.stride === 1) return countTokens(this.textBetween(this.cutBefore(start), this.cutBefore(end)))
    return countTokens(this.textBetween(start, end))
  }

  /** Where the text is cut near the end of a slice: before a space, else between two characters. */
  private cutBefore(boundary: number): number {
    if (boundary === 0) return 0
    for (let at = boundary; at > boundary - CUT_BYTES_MAX; at--) if (this.buffer[at] === SPACE) return at
    let at = boundary
    while (at > boundary - CUT_BYTES_MAX && isContinuation(this.buffer[at])) at--
    return at
  }

  private textBetween(from: number, to: number): string {
    let start = from
    // A slice may begin and end inside a character; its neighbours may be gone.
    while (start < to && isContinuation(this.buffer[start])) start++
    const end = wholeCharactersEnd(this.buffer, start, to)
    return Buffer.from(this.buffer.buffer, this.buffer.byteOffset + start, end - start).toString("utf8")
  }
}
