/**
 * The output of a stream on /v1/responses: deltas, what the deltas lacked of a part or an item that is done, and what was never
 * streamed of the whole response.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { bufferOf } from "../request/JsonBytes.ts"
import { equalBytes } from "./FrameBytes.ts"
import type { FrameScanner } from "./FrameScanner.ts"
import { Output } from "./FrameStrings.ts"
import type { OutputText } from "./OutputText.ts"
import { ResponseParts } from "./ResponseParts.ts"

const names = {
  error: Buffer.from("error"),
  created: Buffer.from("response.created"),
  failed: Buffer.from("response.failed"),
  completed: Buffer.from("response.completed"),
  incomplete: Buffer.from("response.incomplete"),
  done: Buffer.from("response.done"),
  itemDone: Buffer.from("response.output_item.done")
}

const added = Buffer.from(".added")
const done = Buffer.from(".done")

/** The `type` of an event is this one. */
export function isEvent(data: Uint8Array, frame: FrameScanner, name: keyof typeof names): boolean {
  const bytes = names[name]
  return frame.typeEnd - frame.typeStart === bytes.length && equalBytes(data, frame.typeStart, bytes)
}

/** The event ends the response, well or not. `response.done` leaves that to the status of the response. */
export const isTerminal = (data: Uint8Array, frame: FrameScanner): boolean =>
  isEvent(data, frame, "completed") || isEvent(data, frame, "incomplete") || isEvent(data, frame, "failed") ||
  isEvent(data, frame, "done")

const typeEndsIn = (data: Uint8Array, frame: FrameScanner, end: Uint8Array): boolean =>
  frame.typeEnd - frame.typeStart > end.length && equalBytes(data, frame.typeEnd - end.length, end)

/** The event announces a part or item; its text comes later. */
const isAdded = (data: Uint8Array, frame: FrameScanner): boolean => typeEndsIn(data, frame, added)

/** The event is about no item of the output, such as one of rate limits, a sign of life, or an error without a type. */
const isAside = (data: Uint8Array, frame: FrameScanner): boolean =>
  !frame.hasItem && frame.outputIndex < 0 && frame.itemIdStart < 0 &&
  !typeEndsIn(data, frame, done)

export class EventOutput {
  private readonly parts = new ResponseParts()
  private readonly text: OutputText

  constructor(text: OutputText) {
    this.text = text
  }

  /** The output tokens that an event adds, at most. */
  output(data: Uint8Array, frame: FrameScanner): number {
    const { strings } = frame
    const { count, kinds } = strings
    let tokens = 0
    let wholes = 0
    for (let index = 0; index < count; index++) {
      if (kinds[index] !== Output.delta) wholes++
      else {
        const size = strings.sizes[index] ?? 0
        this.parts.addDelta(itemOf(data, frame), contentOf(frame), size)
        tokens += this.text.add(data, strings.starts[index] ?? 0, strings.ends[index] ?? 0, size)
      }
    }
    // An event has deltas or wholes; where it has both, the deltas are the news.
    return wholes === count && wholes > 0 ? this.whole(data, frame) : tokens
  }

  private whole(data: Uint8Array, frame: FrameScanner): number {
    const { strings } = frame
    const { count } = strings
    const isResponse = strings.kinds[0] === Output.whole
    if (isResponse ? !isTerminal(data, frame) : frame.hasError || isAdded(data, frame) || isAside(data, frame)) return 0
    const size = strings.sizeOf(0, count)
    const lacking = isResponse ? this.parts.responseLacking(size) : this.lacking(data, frame, size)
    return lacking === 0 ? 0 : this.text.addBehind(data, strings, 0, count, size - lacking)
  }

  private lacking(data: Uint8Array, frame: FrameScanner, size: number): number {
    const item = itemOf(data, frame)
    if (frame.hasItem) return this.parts.itemLacking(item, size)
    // A part is done under the name of its text and again as a part.
    const name = frame.typeStart < 0 ? "" : bufferOf(data).toString("latin1", frame.typeStart, frame.typeEnd)
    return this.parts.partLacking(item, contentOf(frame), name, size)
  }
}

/** The item that an event is about: its place in the output, else its id. */
const itemOf = (data: Uint8Array, frame: FrameScanner): string | number =>
  frame.outputIndex >= 0 || frame.itemIdStart < 0
    ? frame.outputIndex
    : bufferOf(data).toString("latin1", frame.itemIdStart, frame.itemIdEnd)

/** The part of the item: text, a summary, or the item itself. */
const contentOf = (frame: FrameScanner): number =>
  frame.contentIndex >= 0 ? frame.contentIndex * 2 : frame.summaryIndex >= 0 ? frame.summaryIndex * 2 + 1 : -1
