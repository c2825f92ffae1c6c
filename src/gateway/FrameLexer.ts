/**
 * One pass over the JSON of a stream's frame, without parsing it: where its usage is, which strings are output text,
 * whether it ends the stream or reports an error. Keys are told apart by depth and place, so that text which looks
 * like JSON, or metadata echoed by the upstream, is taken for what it is.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import type { Dialect } from "./CallRequest.ts"
import { COLON, endOfString, QUOTE, skipSpace } from "./JsonFields.ts"

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d

const keyNames = [
  "type",
  "usage",
  "error",
  "delta",
  "input",
  "choices",
  "content",
  "refusal",
  "reasoning",
  "arguments",
  "reasoning_content"
] as const
type KeyName = (typeof keyNames)[number]
const keys = keyNames.map((name) => ({ name, bytes: Buffer.from(name) }))

/** The strings below `choices` that are output. `input` is a custom tool's. */
const textKeys: ReadonlySet<KeyName | undefined> = new Set<KeyName>([
  "content",
  "refusal",
  "reasoning",
  "reasoning_content",
  "arguments",
  "input"
])

function nameOf(bytes: Uint8Array, start: number, end: number): KeyName | undefined {
  for (const key of keys) {
    if (key.bytes.length === end - start && equals(bytes, start, key.bytes)) return key.name
  }
  return undefined
}

export function equals(bytes: Uint8Array, start: number, other: Uint8Array): boolean {
  for (let index = 0; index < other.length; index++) {
    if (bytes[start + index] !== other[index]) return false
  }
  return true
}

/** Reads frames of one stream; its fields describe the last one. Offsets are into that frame. */
export class FrameLexer {
  /** The output strings, without quotes and still escaped, as pairs of offsets. */
  readonly texts: Array<number> = []
  /** The usage object; -1 when there is none. */
  usageStart = -1
  usageEnd = -1
  /** The value of the top-level `type`, without quotes. */
  typeStart = -1
  typeEnd = -1
  hasError = false
  /** `choices` is missing, null or empty. */
  noChoices = true
  private readonly dialect: Dialect
  private depth = 0
  private section: KeyName | undefined
  private usageDepth = -1
  private lastReasoning = -1

  constructor(dialect: Dialect) {
    this.dialect = dialect
  }

  read(data: Uint8Array): void {
    this.reset()
    let at = 0
    while (at < data.length) {
      const byte = data[at]
      if (byte === QUOTE) {
        const end = endOfString(data, at + 1)
        if (end < 0) return
        const colon = skipSpace(data, end)
        at = data[colon] === COLON ? this.member(data, at + 1, end - 1, skipSpace(data, colon + 1)) : end
        continue
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.depth++
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (--this.depth === this.usageDepth) this.closeUsage(at + 1)
      }
      at++
    }
  }

  private reset(): void {
    this.texts.length = 0
    this.usageStart =
      this.usageEnd =
      this.typeStart =
      this.typeEnd =
      this.usageDepth =
      this.lastReasoning =
        -1
    this.hasError = false
    this.noChoices = true
    this.depth = 0
    this.section = undefined
  }

  /** A member whose key is `[start, end)`; returns where to read on. */
  private member(data: Uint8Array, start: number, end: number, value: number): number {
    const name = nameOf(data, start, end)
    if (this.depth === 1) {
      this.section = name
      if (name !== undefined) this.topLevel(data, name, value)
    }
    const isText = this.dialect === "chat"
      ? this.depth > 1 && this.section === "choices" && textKeys.has(name)
      : this.depth === 1 && name === "delta"
    if (isText && data[value] === QUOTE) return this.text(data, name, value)
    // Some upstreams put the usage beside the last choice, or in a section of their own.
    const canHoldUsage = this.depth === 1 || this.usageStart < 0
    if (name === "usage" && data[value] === OPEN_BRACE && this.usageDepth < 0 && canHoldUsage) {
      this.usageStart = value
      this.usageEnd = -1
      this.usageDepth = this.depth
    }
    return value
  }

  private topLevel(data: Uint8Array, name: KeyName, value: number): void {
    const first = data[value]
    if (name === "error") this.hasError = first === OPEN_BRACE || first === QUOTE
    else if (name === "choices") {
      this.noChoices = first !== OPEN_BRACKET || data[skipSpace(data, value + 1)] === CLOSE_BRACKET
    } else if (name === "type" && first === QUOTE) {
      this.typeStart = value + 1
      this.typeEnd = endOfString(data, value + 1) - 1
    }
  }

  private text(data: Uint8Array, name: KeyName | undefined, value: number): number {
    const end = endOfString(data, value + 1)
    if (end < 0) return data.length
    const isReasoning = name === "reasoning" || name === "reasoning_content"
    // Some upstreams send the same reasoning under its old and its new name.
    const repeated = isReasoning && this.lastReasoning >= 0 && this.isSame(data, value + 1, end - 1)
    if (end - 1 > value + 1 && !repeated) {
      if (isReasoning) this.lastReasoning = this.texts.length
      this.texts.push(value + 1, end - 1)
    }
    return end
  }

  private isSame(data: Uint8Array, start: number, end: number): boolean {
    const otherStart = this.texts[this.lastReasoning] ?? 0
    const otherEnd = this.texts[this.lastReasoning + 1] ?? 0
    return otherEnd - otherStart === end - start && equals(data, start, data.subarray(otherStart, otherEnd))
  }

  private closeUsage(end: number): void {
    this.usageEnd = end
    this.usageDepth = -1
  }
}
