/**
 * What a stream said before any output, kept for the case that none comes: an error in a shape of its own, or a body of JSON that only
 * the type calls a stream.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { isObject, parseJson } from "../JsonValue.ts"
import { failureAround, failureOf, type FrameFailure } from "../meter/FrameFailure.ts"
import type { SseFrame } from "../meter/SseScanner.ts"

/** More of a stream is not kept, in bytes. */
export const QUIET_WORDS_BYTES_MAX = 64 * 1024

const COLON = 0x3a

export class QuietStream {
  /** The data of the last frame that may have said something. */
  private last: Uint8Array | undefined
  /** Lines that are no events. */
  private lines: Array<Uint8Array> = []
  private bytes = 0

  /** A frame without output. */
  note({ data, raw }: SseFrame): void {
    if (data === undefined) this.noteLines(raw)
    else if (data.length > 0 && data.length <= QUIET_WORDS_BYTES_MAX) this.last = data
  }

  private noteLines(raw: Uint8Array): void {
    if (raw[0] === COLON || this.bytes + raw.length > QUIET_WORDS_BYTES_MAX) return
    this.bytes += raw.length
    this.lines.push(raw)
  }

  /** The failure in it; undefined where nothing was said that tells of one. */
  failure(): FrameFailure | undefined {
    const said = saidBy(Buffer.concat(this.lines)) ?? (this.last && saidBy(this.last))
    this.lines = []
    return said
  }
}

/** The failure that JSON without an answer tells of: an error, or a message in words alone. */
export function saidBy(bytes: Uint8Array): FrameFailure | undefined {
  const json = bytes.length === 0 ? undefined : parseJson(Buffer.from(bytes).toString("utf8"))
  if (!isObject(json) && !Array.isArray(json)) return undefined
  const around = failureAround(json)
  return failureOf(json) ?? (around.message === undefined ? undefined : around)
}
