/**
 * One pass over the JSON of a stream's frame, without parsing it: which strings are output, where the usage is, which answers end,
 * whether an error is reported. A key has its meaning at its place only, so that text that looks like JSON, or metadata that the
 * upstream repeats, is not misread.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  endOfString,
  isContainer,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace
} from "../request/JsonBytes.ts"
import { FailureMarks } from "./FailureMarks.ts"
import { Finish, finishAt } from "./FinishReason.ts"
import { equalBytes, escapeBytes, indexAt, isNonEmpty, saysAnything, skipValue, unescapedBytes } from "./FrameBytes.ts"
import { frameKeys, isSilentInEvents, Key } from "./FrameKeys.ts"
import { FrameStrings, Output } from "./FrameStrings.ts"

/** Where in a frame the scanner is. */
const Zone = { none: 0, output: 1, response: 2 } as const

/** Usage objects that are read from one frame, at most: one for each answer that a call may ask for, and some more. */
const USAGES_MAX = 256

/** After a frame with more choices the arrays are replaced. */
const CHOICES_KEPT_MAX = 1024

const errorWord = Buffer.from("error")

/** All streams share it: what a frame has is used up before another one is read. */
const frameStrings = new FrameStrings()

/** Reads the frames of one stream; its fields describe the last one. Offsets are into that frame. */
export class FrameScanner {
  readonly strings = frameStrings
  /** The frame's choices: their `index`, else their place, and how they end. */
  choiceCount = 0
  choiceIndexes: Array<number> = []
  finishes: Array<number> = []
  /** Usage objects, as pairs of offsets. */
  usages: Array<number> = []
  /** The frame itself has counts of tokens. */
  hasCounts = false
  hasError = false
  /** `choices` is there and not null; it may be empty. */
  hasChoices = false
  /** `choices` has an element. */
  hasChoice = false
  /** The value of the top-level `type`, without quotes; -1 when there is none. */
  typeStart = -1
  typeEnd = -1
  /** Events of /v1/responses: -1 when the frame does not say. */
  sequenceNumber = -1
  outputIndex = -1
  contentIndex = -1
  summaryIndex = -1
  itemIdStart = -1
  itemIdEnd = -1
  /** The event has an `item`, a whole one. */
  hasItem = false
  private readonly isChat: boolean
  /** The depth of the frame's own members: 1, or 2 where the frame is an array of frames. */
  private top = 1
  private zone: number = Zone.none
  private kind: number = Output.delta
  /** Below this depth all strings are a tool's arguments; -1 elsewhere. */
  private argumentsDepth = -1
  private detailsDepth = -1
  /** The member of the choice is its `delta` or `message`. */
  private isBody = false
  /** An error where there are no choices. */
  private readonly marks = new FailureMarks()

  constructor(dialect: "chat" | "responses") {
    this.isChat = dialect === "chat"
  }

  read(data: Uint8Array): void {
    this.reset()
    this.scan(data)
    if (this.marks.areBoth && !this.hasChoices && (this.isChat || this.typeStart < 0)) this.hasError = true
  }

  private scan(data: Uint8Array): void {
    let at = skipSpace(data, 0)
    this.top = data[at] === OPEN_BRACKET ? 2 : 1
    let depth = 0
    while (at < data.length) {
      const byte = data[at]
      if (byte === QUOTE) {
        const end = endOfString(data, at + 1)
        if (end < 0) return
        const colon = data[end] === COLON ? end : skipSpace(data, end)
        if (data[colon] === COLON) {
          const value = data[colon + 1] === QUOTE ? colon + 1 : skipSpace(data, colon + 1)
          at = this.member(data, frameKeys.find(data, at + 1, end - 1), value, depth)
        } else at = this.zone === Zone.output && depth > this.top ? this.text(data, at) : end
        continue
      }
      if (byte === OPEN_BRACE) {
        depth++
        if (depth === this.top + 2 && this.zone === Zone.output && this.isInChoices) this.openChoice()
      } else if (byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.close(--depth)
      at++
    }
  }

  private reset(): void {
    this.strings.clear()
    this.marks.clear()
    if (this.choiceCount > CHOICES_KEPT_MAX) {
      this.choiceIndexes = []
      this.finishes = []
    }
    this.choiceCount = 0
    if (this.usages.length > 0) this.usages = []
    this.hasCounts =
      this.hasError =
      this.hasChoices =
      this.hasChoice =
      this.hasItem =
        false
    this.typeStart =
      this.typeEnd =
      this.sequenceNumber =
      this.outputIndex =
        -1
    this.contentIndex =
      this.summaryIndex =
      this.itemIdStart =
      this.itemIdEnd =
        -1
    this.zone = Zone.none
    this.argumentsDepth = this.detailsDepth = -1
  }

  private get isInChoices(): boolean {
    return this.hasChoice && this.kind <= Output.late
  }

  private openChoice(): void {
    const choice = this.choiceCount++
    this.choiceIndexes[choice] = choice
    this.finishes[choice] = Finish.none
    this.kind = Output.delta
  }

  private close(depth: number): void {
    if (depth <= this.top) this.zone = Zone.none
    // Behind its output a response repeats settings of the call, which are no output.
    else if (depth === this.top + 1 && this.zone === Zone.output && this.kind === Output.whole) {
      this.zone = Zone.response
    }
    if (depth <= this.argumentsDepth) this.argumentsDepth = -1
    if (depth <= this.detailsDepth) this.detailsDepth = -1
  }

  /** A member and its value; returns where to read on. */
  private member(data: Uint8Array, key: number, value: number, depth: number): number {
    if (depth > this.top) {
      return this.zone === Zone.output
        ? this.outputMember(data, key, value, depth - this.top)
        : this.otherMember(data, key, value, depth - this.top)
    }
    return this.isChat ? this.chatMember(data, key, value) : this.eventMember(data, key, value)
  }

  /** A member of a chat frame. */
  private chatMember(data: Uint8Array, key: number, value: number): number {
    switch (key) {
      case Key.choices:
        return this.choices(data, value)
      case Key.message:
        this.marks.note(data, key, value)
        return this.enter(data, value, Output.loose)
      case Key.response:
      case Key.delta:
      case Key.output:
      case Key.text:
      case Key.loose:
        return this.enter(data, value, Output.loose)
      case Key.code:
      case Key.status:
      case Key.success:
        this.marks.note(data, key, value)
        return skipValue(data, value)
      case Key.error:
        return this.error(data, value)
      case Key.usage:
        return this.usage(data, value)
      case Key.counts:
        this.hasCounts = true
        return value
      case Key.type:
      case Key.object:
        return this.name(data, key, value)
      case Key.usageSection:
      case Key.data:
        return value
      default:
        return skipValue(data, value)
    }
  }

  /** A member of an event of /v1/responses. */
  private eventMember(data: Uint8Array, key: number, value: number): number {
    switch (key) {
      case Key.delta:
        return this.enter(data, value, Output.delta)
      case Key.choices:
        return this.choices(data, value)
      case Key.type:
      case Key.object:
        return this.name(data, key, value)
      case Key.error:
        return this.error(data, value)
      case Key.response:
        if (!isContainer(data, value)) return skipValue(data, value)
        this.zone = Zone.response
        return value
      case Key.sequenceNumber:
        this.sequenceNumber = indexAt(data, value)
        return value
      case Key.outputIndex:
        this.outputIndex = indexAt(data, value)
        return value
      case Key.contentIndex:
        this.contentIndex = indexAt(data, value)
        return value
      case Key.summaryIndex:
        this.summaryIndex = indexAt(data, value)
        return value
      case Key.itemId:
        this.itemIdStart = value + 1
        this.itemIdEnd = skipValue(data, value) - 1
        return skipValue(data, value)
      case Key.item:
        this.hasItem = true
        return this.enter(data, value, Output.snapshot)
      case Key.message:
      case Key.code:
        this.marks.note(data, key, value)
        return this.enter(data, value, Output.snapshot)
      default:
        return isSilentInEvents(key) || key === Key.usage
          ? skipValue(data, value)
          : this.enter(data, value, Output.snapshot)
    }
  }

  private name(data: Uint8Array, key: number, value: number): number {
    if (data[value] !== QUOTE) return skipValue(data, value)
    const end = skipValue(data, value)
    const isError = end - value === errorWord.length + 2 && equalBytes(data, value + 1, errorWord)
    if (isError) this.hasError = true
    if (key === Key.type) {
      this.typeStart = value + 1
      this.typeEnd = end - 1
    }
    return end
  }

  private choices(data: Uint8Array, value: number): number {
    if (data[value] === QUOTE || isContainer(data, value)) {
      this.hasChoices = true
      this.hasChoice ||= isNonEmpty(data, value)
    }
    return this.enter(data, value, Output.delta)
  }

  private error(data: Uint8Array, value: number): number {
    if (saysAnything(data, value)) this.hasError = true
    return skipValue(data, value)
  }

  private usage(data: Uint8Array, value: number): number {
    const end = skipValue(data, value)
    if (data[value] === OPEN_BRACE && this.usages.length < USAGES_MAX * 2) this.usages.push(value, end)
    return end
  }

  /** Output begins at `value`: a string, or all strings below it. */
  private enter(data: Uint8Array, value: number, kind: number): number {
    this.kind = kind
    if (data[value] === QUOTE) return this.text(data, value)
    if (isContainer(data, value)) this.zone = Zone.output
    return value
  }

  /** A member in a section that is not output. `level` is its depth below the frame's own members. */
  private otherMember(data: Uint8Array, key: number, value: number, level: number): number {
    if (this.zone === Zone.response) {
      if (key !== Key.output || level !== 1 || data[value] !== OPEN_BRACKET) return skipValue(data, value)
      this.kind = Output.whole
      this.zone = Zone.output
      return value
    }
    if (key === Key.usage && level === 1) return this.usage(data, value)
    if (key === Key.choices && level === 1 && !this.hasChoices) {
      // The frame is wrapped in this section: its members are those of a frame.
      this.top++
      return this.choices(data, value)
    }
    return data[value] === QUOTE ? skipValue(data, value) : value
  }

  /** A member in a section of output. */
  private outputMember(data: Uint8Array, key: number, value: number, level: number): number {
    const isText = data[value] === QUOTE
    if (level === 2) this.isBody = key === Key.message || key === Key.delta
    if (key === Key.unknown || this.argumentsDepth >= 0) return isText ? this.text(data, value) : value
    const isChoice = level === 2 && this.isInChoices
    if (isChoice) this.kind = key === Key.message || key === Key.text ? Output.late : Output.delta
    switch (key) {
      case Key.index:
        if (isChoice) this.index(data, value)
        return isText ? skipValue(data, value) : value
      case Key.finishReason:
        if (!isText && !isContainer(data, value)) return value
        if (isChoice) this.finishes[this.choiceCount - 1] = finishAt(data, value)
        return skipValue(data, value)
      case Key.error:
        // Elsewhere in a choice it is of something beside the answer, such as Azure's filter.
        return this.isChat && (this.isInChoices ? isChoice || (level === 3 && this.isBody) : level <= 3)
          ? this.error(data, value)
          : skipValue(data, value)
      case Key.usage:
        return this.isChat && level <= 3 ? this.usage(data, value) : value
      case Key.arguments:
        if (isContainer(data, value)) this.argumentsDepth = level + this.top
        break
      case Key.reasoningDetails:
        if (isContainer(data, value)) this.detailsDepth = level + this.top
        break
      case Key.data:
        if (isText && this.detailsDepth >= 0) return skipValue(data, value)
        break
      case Key.silentTree:
        return skipValue(data, value)
      case Key.type:
      case Key.silent:
        return isText ? skipValue(data, value) : value
      case Key.model:
        // The message of a frame without choices names its model.
        if (!this.isChat || (this.kind === Output.loose && level === 1)) return skipValue(data, value)
        break
      default:
        if (!this.isChat && isSilentInEvents(key)) return skipValue(data, value)
    }
    return isText ? this.text(data, value) : value
  }

  private index(data: Uint8Array, value: number): void {
    const index = indexAt(data, value)
    if (index >= 0) this.choiceIndexes[this.choiceCount - 1] = index
  }

  /** The output string whose quote is at `open`; returns where to read on. A string that is cut is no output. */
  private text(data: Uint8Array, open: number): number {
    const start = open + 1
    let at = start
    let escaped = 0
    for (;;) {
      const byte = data[at]
      if (byte === QUOTE || byte === undefined) break
      if (byte === BACKSLASH) {
        const bytes = escapeBytes(data, at)
        escaped += bytes - unescapedBytes(data, at)
        at += bytes
      } else at++
    }
    if (at >= data.length) return data.length
    if (at > start) this.add(data, start, at, at - start - escaped)
    return at + 1
  }

  private add(data: Uint8Array, start: number, end: number, size: number): void {
    const owner = Math.max(this.choiceCount - 1, 0)
    const { kind, strings } = this
    if (!this.isChat || !strings.isRepeat(data, start, end, kind, owner)) strings.add(start, end, size, kind, owner)
  }
}
