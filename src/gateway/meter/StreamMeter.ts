/**
 * Meters one stream as it passes: what each frame adds to the output, whether it ends an answer or reports a failure, the usage
 * that the stream reports, and its text for a closer estimate. No frame is parsed as JSON but the rare ones that end a response,
 * report usage or a failure. Memory per stream is bounded: its text by `SAMPLE_BYTES_MAX`, twice where output follows a usage.
 */
import { Buffer } from "node:buffer"
import type { ToolUse } from "../../domain/Price.ts"
import { isObject, parseJson } from "../JsonValue.ts"
import { bufferOf } from "../request/JsonBytes.ts"
import { equalBytes, isExactly } from "./FrameBytes.ts"
import { ChatOutput } from "./ChatOutput.ts"
import { EventOutput, isEvent, isTerminal } from "./EventOutput.ts"
import { failureOf, type FrameFailure, unknownFailure } from "./FrameFailure.ts"
import { Finish } from "./FinishReason.ts"
import { FrameScanner } from "./FrameScanner.ts"
import { OutputText } from "./OutputText.ts"
import type { ReportedUsage } from "./Reported.ts"
import { finishedStatuses, identityOf, noTools, type ResponseIdentity, toolUseOf } from "./ResponseItems.ts"
import type { SseFrame } from "./SseScanner.ts"
import type { TextSample } from "./TextSample.ts"
import { readCounts, topLevelCounts } from "./UsageReading.ts"
import { UsageTally } from "./UsageTally.ts"

/** What one frame is. Times and money are the caller's. */
export interface Observation {
  /** Output tokens that the frame adds, at most. */
  readonly outputTokens: number
  readonly isOutput: boolean
  /** A chat frame made for the usage alone; withheld from a client that did not ask for it. */
  readonly isUsageOnly: boolean
  /** With this chat frame the last of the answers has a `finish_reason`. */
  readonly finishes: boolean
  /** `[DONE]`. */
  readonly done: boolean
  /** The response is completed or incomplete. */
  readonly terminal: boolean
  readonly failure: FrameFailure | undefined
}

export interface MeterOptions {
  readonly dialect: "chat" | "responses"
  /** Answers that the call asked for: a chat stream ends with the last of them. */
  readonly choices: number
}

/** A larger usage object is not one. */
export const USAGE_BYTES_MAX = 64 * 1024

/** A larger frame is not searched for the words of its failure. */
export const FAILURE_BYTES_MAX = 256 * 1024

/** Output has at least a token in so many bytes. */
export const BYTES_PER_TOKEN_LOWER = 128

const nothing: Observation = {
  outputTokens: 0,
  isOutput: false,
  isUsageOnly: false,
  finishes: false,
  done: false,
  terminal: false,
  failure: undefined
}
const done: Observation = { ...nothing, done: true }
const usageOnly: Observation = { ...nothing, isUsageOnly: true }
const finishing: Observation = { ...nothing, finishes: true }

/** Observations of frames with output and nothing else, by their tokens. */
const outputs: ReadonlyArray<Observation> = Array.from(
  { length: 64 },
  (_, outputTokens) => ({ ...nothing, outputTokens, isOutput: true })
)

/** DashScope names the HTTP status of an error in a comment. */
const statusComment = /(?:^|[\r\n]):HTTP_STATUS\/([45]\d\d)[\r\n]/
/** It stands in the first so many bytes. */
const COMMENT_BYTES_MAX = 256

const doneWord = Buffer.from("[DONE]")
/** `[DONE]` with space around it is no longer. */
const DONE_BYTES_MAX = 64

export class StreamMeter {
  private readonly isChat: boolean
  private readonly frame: FrameScanner
  private readonly text = new OutputText()
  private readonly chat: ChatOutput
  private readonly events: EventOutput
  private readonly tally = new UsageTally()
  private lastUsage: Uint8Array | undefined
  private lastUsageCovers = false
  private terminal = false
  private failed = false
  private identified: ResponseIdentity | undefined
  private tools: ToolUse = noTools
  private streamedTools: ToolUse = noTools
  private created = false
  private responseIdCreated: string | undefined
  private sequence = -1

  constructor(options: MeterOptions) {
    this.isChat = options.dialect === "chat"
    this.frame = new FrameScanner(options.dialect)
    this.chat = new ChatOutput(Math.max(options.choices, 1), this.text)
    this.events = new EventOutput(this.text)
  }

  /** Looks at the next frame. Its bytes are not kept. */
  observe(frame: SseFrame): Observation {
    const { data } = frame
    if (data === undefined || data.length === 0) return nothing
    if (data.length <= DONE_BYTES_MAX && isExactly(data, 0, data.length, doneWord)) return done
    if (frame.isError === true) return { ...nothing, failure: withStatus(this.readFailure(data), frame.raw) }
    this.frame.read(data)
    this.text.frame()
    return this.isChat ? this.observeChat(data) : this.observeEvent(data)
  }

  /** Output tokens seen so far, from above: a token for every three bytes of each string, at least one. */
  get runningTokens(): number {
    return this.text.upperTokens
  }

  /** UTF-8 bytes of output seen so far. */
  get deliveredBytes(): number {
    return this.text.bytes
  }

  get hasOutput(): boolean {
    return this.text.bytes > 0
  }

  /** The stream has come to its end: all answers have one and nothing followed, or the terminal event of a response came. */
  get isFinished(): boolean {
    return this.isChat ? this.chat.isFinished : this.terminal
  }

  /** Some answer has had a `finish_reason` other than `error`, or the terminal event of a response came. */
  get hasFinish(): boolean {
    return this.isChat ? this.chat.hasFinish : this.terminal
  }

  /** Whatever began has come to its end, though fewer answers came than were asked for. */
  get isWhole(): boolean {
    return this.isChat ? this.chat.isWhole : this.terminal
  }

  /** Some frame reported a failure. */
  get hasFailed(): boolean {
    return this.failed
  }

  /** The usage that the stream reported, the largest of each count. */
  reported(): ReportedUsage {
    const usage = readCounts(this.tally.counts, this.isChat ? "chat" : "responses")
    return this.tools.webSearch + this.tools.fileSearch === 0 ? usage : { ...usage, tools: this.tools }
  }

  /** Output was reported, and none came behind the last usage. */
  get usageIsLast(): boolean {
    return this.tally.counts.output !== undefined && this.text.behindUsage === undefined
  }

  /** The text of the whole output. */
  get sample(): TextSample {
    return this.text.sample
  }

  /** The text that came after the last usage, which does not cover it; undefined when there is no such text. */
  get textBehindUsage(): TextSample | undefined {
    return this.text.behindUsage
  }

  /** Output has at least so many tokens. */
  outputLowerTokens(): number {
    return this.hasOutput ? Math.max(1, Math.floor(this.text.bytes / BYTES_PER_TOKEN_LOWER)) : 0
  }

  /** The ids under which the upstream stored the response, by its terminal event. */
  identity(): ResponseIdentity | undefined {
    return this.identified
  }

  /** An event `response.created` came. */
  get sawResponseCreated(): boolean {
    return this.created
  }

  /** The id that the response was created with. */
  get responseId(): string | undefined {
    return this.responseIdCreated
  }

  /** The `sequence_number` of the last event that had one; -1 before. */
  get lastSequenceNumber(): number {
    return this.sequence
  }

  private observeChat(data: Uint8Array): Observation {
    const { frame } = this
    const hasUsage = (frame.usages.length > 0 || frame.hasCounts) && this.readUsages(data)
    // The frame of a failure is not passed on: what it says is not delivered.
    if (frame.hasError || this.finishes(Finish.failed)) return { ...nothing, failure: this.readFailure(data) }
    const outputTokens = frame.strings.count === 0 ? 0 : this.chat.output(data, frame)
    const finishes = frame.choiceCount > 0 && this.chat.finish(frame)
    if (!this.hasOutput && this.finishes(Finish.brokeOff)) {
      return { ...nothing, finishes, failure: this.readFailure(data) }
    }
    if (outputTokens > 0) {
      return finishes ? { ...nothing, outputTokens, isOutput: true, finishes } : outputOf(outputTokens)
    }
    if (finishes) return finishing
    return hasUsage && !frame.hasChoice && frame.strings.count === 0 ? usageOnly : nothing
  }

  private observeEvent(data: Uint8Array): Observation {
    const { frame } = this
    if (frame.sequenceNumber >= 0) this.sequence = frame.sequenceNumber
    if (isEvent(data, frame, "created")) this.readCreated(data)
    const ends = isTerminal(data, frame)
    const event = ends ? parseJson(bufferOf(data).toString("utf8")) : undefined
    if (ends && !isObject(event)) return nothing
    const fails = frame.hasError || isEvent(data, frame, "error") || (ends && isEvent(data, frame, "failed"))
    const outputTokens = fails || frame.strings.count === 0 ? 0 : this.events.output(data, frame)
    if (isObject(event)) {
      this.tally.add(event.usage)
      return this.end(data, event.response, outputTokens)
    }
    if (isEvent(data, frame, "itemDone")) this.readItem(data)
    if (fails) return { ...nothing, failure: this.readFailure(data) }
    return outputTokens > 0 ? outputOf(outputTokens) : nothing
  }

  /** The terminal event of a response. A response repeats the call's tools, so only this event's usage counts. */
  private end(data: Uint8Array, response: unknown, outputTokens: number): Observation {
    const isOutput = outputTokens > 0
    if (isObject(response)) {
      this.tally.add(response.usage)
      this.useTools(toolUseOf(response.output))
    }
    const failure = this.frame.hasError || isEvent(data, this.frame, "failed") ? unknownFailure : undefined
    const said = failureOf({ response }) ?? (this.hasOutput ? undefined : unfinishedOf(response))
    if (failure !== undefined || said !== undefined) {
      this.failed = true
      return { ...nothing, outputTokens, isOutput, failure: said ?? unknownFailure }
    }
    this.terminal = true
    this.identified = identityOf(response)
    return { ...nothing, outputTokens, isOutput, terminal: true }
  }

  /** Tools are known from each item that is done, and again from the whole response. */
  private readItem(data: Uint8Array): void {
    if (bufferOf(data).indexOf("_search_call") < 0) return
    const event = parseJson(bufferOf(data).toString("utf8"))
    if (!isObject(event)) return
    const used = toolUseOf([event.item])
    this.streamedTools = {
      webSearch: this.streamedTools.webSearch + used.webSearch,
      fileSearch: this.streamedTools.fileSearch + used.fileSearch
    }
    this.useTools(this.streamedTools)
  }

  private useTools(used: ToolUse): void {
    this.tools = {
      webSearch: Math.max(this.tools.webSearch, used.webSearch),
      fileSearch: Math.max(this.tools.fileSearch, used.fileSearch)
    }
  }

  private readCreated(data: Uint8Array): void {
    this.created = true
    const event = parseJson(bufferOf(data).toString("utf8"))
    if (isObject(event)) this.responseIdCreated ??= identityOf(event.response)?.responseId
  }

  /** An answer of this frame ends so. */
  private finishes(how: number): boolean {
    for (let owner = 0; owner < this.frame.choiceCount; owner++) if (this.frame.finishes[owner] === how) return true
    return false
  }

  private readFailure(data: Uint8Array): FrameFailure {
    this.failed = true
    if (data.length > FAILURE_BYTES_MAX) return unknownFailure
    return failureOf(parseJson(bufferOf(data).toString("utf8"))) ?? unknownFailure
  }

  /** Reads the usage of a chat frame. True when it has one that says anything. */
  private readUsages(data: Uint8Array): boolean {
    const { usages } = this.frame
    let hasUsage = false
    let covers = false
    for (let index = 0; index < usages.length; index += 2) {
      const usage = data.subarray(usages[index], usages[index + 1])
      if (usage.length <= "{}".length || usage.length > USAGE_BYTES_MAX) continue
      hasUsage = true
      covers = this.readUsage(usage) || covers
    }
    if (this.frame.hasCounts && data.length <= USAGE_BYTES_MAX) {
      covers = this.tally.add(topLevelCounts(parseJson(bufferOf(data).toString("utf8")))) || covers
    }
    if (covers) this.text.coveredByUsage()
    return hasUsage
  }

  private readUsage(usage: Uint8Array): boolean {
    const last = this.lastUsage
    if (last === undefined || last.length !== usage.length || !equalBytes(usage, 0, last)) {
      this.lastUsage = usage.slice()
      this.lastUsageCovers = this.tally.add(parseJson(bufferOf(usage).toString("utf8")))
    }
    return this.lastUsageCovers
  }
}

/** Nothing came, and its status is neither of those of an end, such as `cancelled`. */
const unfinishedOf = (response: unknown): FrameFailure | undefined =>
  isObject(response) && typeof response.status === "string" && !finishedStatuses.has(response.status)
    ? unknownFailure
    : undefined

const withStatus = (failure: FrameFailure, raw: Uint8Array): FrameFailure => {
  const status = statusComment.exec(bufferOf(raw).toString("latin1", 0, COMMENT_BYTES_MAX))?.[1]
  return failure.status !== undefined || status === undefined ? failure : { ...failure, status: Number(status) }
}

const outputOf = (outputTokens: number): Observation =>
  outputs[outputTokens] ?? { ...nothing, outputTokens, isOutput: true }
