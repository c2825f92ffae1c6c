/**
 * Meters one stream as it passes: what each frame is, a running estimate of its output tokens from above, the usage
 * it reports, and a sample of its text for a closer estimate. No frame but the terminal one is parsed as JSON, and
 * memory per stream is bounded.
 */
import { Buffer } from "node:buffer"
import { outputTextOf } from "./AnswerText.ts"
import { BYTES_PER_TOKEN, type Dialect } from "./CallRequest.ts"
import { equals, FrameLexer } from "./FrameLexer.ts"
import { bufferOf, isSpace } from "./JsonFields.ts"
import { isObject, parseJson } from "./JsonValue.ts"
import type { SseFrame } from "./SseScanner.ts"
import { countTokens } from "./TextTokens.ts"
import { normaliseUsage, type UpstreamUsage } from "./UpstreamUsage.ts"

export type FrameKind =
  /** Carries output. */
  | "delta"
  /** A chat frame made for the usage alone; withheld from a client that did not ask for it. */
  | "usage-only"
  /** Ends the stream: `[DONE]`, or a response completed, incomplete or failed. */
  | "terminal"
  /** The upstream reports an error. Ends a stream of the Responses API. */
  | "error"
  | "other"

export interface Observation {
  readonly kind: FrameKind
  /** Output tokens the frame adds at most, by the running estimate. */
  readonly outputDelta: number
}

/** Text kept for the estimate; what is longer is extrapolated. */
export const SAMPLE_BYTES_MAX = 32 * 1024
/** A larger usage object is not one. */
export const USAGE_BYTES_MAX = 64 * 1024

const SAMPLE_BYTES_FIRST = 1024

const terminal: Observation = { kind: "terminal", outputDelta: 0 }
const error: Observation = { kind: "error", outputDelta: 0 }
const usageOnly: Observation = { kind: "usage-only", outputDelta: 0 }
const other: Observation = { kind: "other", outputDelta: 0 }

const done = Buffer.from("[DONE]")
const errorType = Buffer.from("error")
const terminalTypes = ["response.completed", "response.incomplete", "response.failed"].map((name) => Buffer.from(name))

export class StreamMeter {
  private readonly dialect: Dialect
  private readonly lexer: FrameLexer
  private running = 0
  private textBytes = 0
  private sample: Buffer = Buffer.alloc(0)
  private sampleBytes = 0
  /** What the sample held when it was last counted, and its tokens: a full sample is counted once. */
  private countedBytes = 0
  private countedTokens = 0
  private usageBytes: Buffer | undefined
  private finalUsage: unknown
  private finalAnswer: unknown
  private ended = false

  constructor(dialect: Dialect) {
    this.dialect = dialect
    this.lexer = new FrameLexer(dialect)
  }

  /** Output tokens seen so far, from above: a token for every three bytes of each string, at least one. */
  get runningTokens(): number {
    return this.running
  }

  /** The upstream has reported usage that no later text has outdated. */
  get hasUsage(): boolean {
    return this.usage() !== undefined
  }

  /** Looks at the next frame. Its bytes are not kept. */
  observe(frame: SseFrame): Observation {
    const { data } = frame
    if (data === undefined || data.length === 0) return other
    if (isDone(data)) return terminal
    const lexer = this.lexer
    lexer.read(data)
    if (this.dialect === "responses" && this.isTerminal(data)) return terminal
    const outputDelta = this.addTexts(data)
    const hasUsage = this.keepUsage(data)
    // Text after the usage means that the usage was not the last word; it must not pass for exact.
    if (!hasUsage && outputDelta > 0) this.usageBytes = undefined
    if (lexer.hasError || this.isError(data)) return outputDelta === 0 ? error : { kind: "error", outputDelta }
    if (outputDelta > 0) return { kind: "delta", outputDelta }
    return this.dialect === "chat" && hasUsage && lexer.noChoices ? usageOnly : other
  }

  /** The usage that the stream reported, if any. */
  usage(): UpstreamUsage | undefined {
    if (this.ended) return normaliseUsage(this.finalUsage, this.dialect)
    if (this.usageBytes === undefined) return undefined
    return normaliseUsage(parseJson(this.usageBytes.toString("utf8")), this.dialect)
  }

  /** Output tokens by the tokenizer, of the text seen. Reasoning that was not shown is not counted. */
  estimateOutputTokens(): number {
    const seen = this.estimateFromSample()
    // A response may bring its text in the terminal event only.
    return this.finalAnswer === undefined ? seen : Math.max(seen, estimateFromBody(this.finalAnswer, this.dialect))
  }

  private estimateFromSample(): number {
    if (this.sampleBytes === 0) return this.textBytes === 0 ? 0 : this.running
    if (this.countedBytes !== this.sampleBytes) {
      const raw = this.sample.toString("utf8", 0, this.sampleBytes)
      const unescaped = raw.includes("\\") ? parseJson(`"${raw}"`) : raw
      this.countedTokens = countTokens(typeof unescaped === "string" ? unescaped : raw)
      this.countedBytes = this.sampleBytes
    }
    return Math.max(1, Math.ceil(this.countedTokens * (this.textBytes / this.sampleBytes)))
  }

  private addTexts(data: Uint8Array): number {
    const { texts } = this.lexer
    let tokens = 0
    for (let index = 0; index < texts.length; index += 2) {
      const start = texts[index] ?? 0
      const end = texts[index + 1] ?? 0
      tokens += Math.ceil((end - start) / BYTES_PER_TOKEN)
      this.textBytes += end - start
      this.keepSample(data, start, end)
    }
    this.running += tokens
    return tokens
  }

  private keepSample(data: Uint8Array, start: number, end: number): void {
    const room = SAMPLE_BYTES_MAX - this.sampleBytes
    if (room <= 0) return
    const cut = end - start <= room ? end : safeCut(data, start, start + room)
    const bytes = this.sampleBytes + cut - start
    if (bytes > this.sample.length) {
      const grown = Buffer.alloc(
        Math.min(SAMPLE_BYTES_MAX, Math.max(bytes, this.sample.length * 2, SAMPLE_BYTES_FIRST))
      )
      grown.set(this.sample.subarray(0, this.sampleBytes))
      this.sample = grown
    }
    this.sample.set(data.subarray(start, cut), this.sampleBytes)
    this.sampleBytes = bytes
  }

  private keepUsage(data: Uint8Array): boolean {
    const { usageEnd, usageStart } = this.lexer
    const length = usageEnd - usageStart
    // A response echoes its tools, whose schemas may well name a `usage`: there only the terminal event counts.
    if (this.dialect !== "chat" || usageStart < 0 || length <= "{}".length || length > USAGE_BYTES_MAX) return false
    this.usageBytes = Buffer.from(data.subarray(usageStart, usageEnd))
    return true
  }

  private isError(data: Uint8Array): boolean {
    return this.dialect === "responses" && this.hasType(data, errorType)
  }

  private hasType(data: Uint8Array, type: Uint8Array): boolean {
    const { typeEnd, typeStart } = this.lexer
    return typeStart >= 0 && typeEnd - typeStart === type.length && equals(data, typeStart, type)
  }

  private isTerminal(data: Uint8Array): boolean {
    if (!terminalTypes.some((type) => this.hasType(data, type))) return false
    const event = parseJson(bufferOf(data).toString("utf8"))
    if (!isObject(event) || !terminalTypes.some((type) => type.toString() === event.type)) return false
    const response = isObject(event.response) ? event.response : {}
    this.ended = true
    this.usageBytes = undefined
    this.finalUsage = response.usage ?? undefined
    if (normaliseUsage(this.finalUsage, this.dialect) === undefined) {
      this.finalUsage = undefined
      if (outputTextOf(response, this.dialect) !== "") this.finalAnswer = response
    }
    return true
  }
}

/** Output tokens of a whole answer without usage, by the tokenizer. An error or an empty answer has none. */
export const estimateFromBody = (json: unknown, dialect: Dialect): number => countTokens(outputTextOf(json, dialect))

/** `[DONE]`, with space around it or not. */
function isDone(data: Uint8Array): boolean {
  let start = 0
  let end = data.length
  if (end > 64) return false
  while (start < end && isSpace(data[start])) start++
  while (end > start && isSpace(data[end - 1])) end--
  return end - start === done.length && equals(data, start, done)
}

/** At most `cut`, and not inside an escape or a UTF-8 sequence. */
function safeCut(data: Uint8Array, start: number, cut: number): number {
  let end = cut
  while (end > start && ((data[end] ?? 0) & 0xc0) === 0x80) end--
  const escape = data.subarray(Math.max(start, end - 6), end).indexOf(0x5c)
  return escape < 0 ? end : Math.max(start, end - 6) + escape
}
